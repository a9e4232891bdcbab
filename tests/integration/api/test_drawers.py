"""The drawer at a close and at the next opening: what is left in it, counted blind, or counted again (protocol §4, §6)."""

from random import Random
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from backoffice.ingestion.drawers import CannotCount, record_count
from backoffice.sales.models import Shift
from tests.till import Till, a_sale, balance, outcomes


def count(till: Till, counted: int) -> dict[str, Any]:
    """Head office counts the drawer of the till's shift; how the shift stands then."""
    record_count(shift_id=till.shift_id, counted=counted, now=timezone.now())
    return till.shift()


def balances(till: Till) -> tuple[int, int, int]:
    """Of drawer, safe, and over and short."""
    return balance(till), balance(till, "1010"), balance(till, "6900")


# --- What is left in the drawer ---------------------------------------------------------------------------------------


def test_a_float_that_is_smaller_than_what_was_left_is_flagged_and_missing():
    """Counted 100.00 at the close, of which all stays; opened with 50.00."""
    till = Till()
    till.open(opening_float=10000)
    assert till.close(counted=10000, float_left=10000).json()["state"] == "reconciled"
    till.open(number=312, opening_float=5000)
    shift = till.shift()
    assert [(flag["code"], flag["pointer"]) for flag in shift["flags"]] == [("opening-float-differs", "/opening_float")]
    assert shift["flags"][0]["detail"] == "The last close left 10000, the shift opened with 5000"
    assert balances(till) == (5000, -10000, 5000)


def test_a_float_as_it_was_left_needs_no_entry_and_no_flag(till: Till):
    till.close(counted=20000, float_left=15000)
    till.open(number=312, opening_float=15000)
    assert till.shift()["flags"] == []
    assert balances(till) == (15000, -15000, 0)


def test_without_a_float_left_the_difference_goes_to_the_safe_as_before(till: Till):
    till.close(counted=20000)
    till.open(number=312, opening_float=5000)
    assert till.shift()["flags"] == []
    assert balances(till) == (5000, -5000, 0)


@pytest.mark.parametrize("opening_float", [15000, 14000])
def test_it_is_compared_also_while_the_closed_shift_still_waits(till: Till, opening_float: int):
    order, waiting = a_sale(1001), till.shift_id
    assert till.close(order, counted=20240, float_left=15000).json()["state"] == "closing"
    assert balance(till) == 20000 - 5240
    till.open(number=312, opening_float=opening_float, first_number=1002)
    expected = [] if opening_float == 15000 else ["opening-float-differs"]
    assert [flag["code"] for flag in till.shift()["flags"]] == expected
    till.sell(order, shift_id=waiting)
    assert balances(till) == (opening_float, -14760, 15000 - opening_float)
    till.close(first_number=1002, last_number=1001, counted=opening_float, float_left=opening_float)
    till.open(number=313, opening_float=opening_float, first_number=1002)
    assert balance(till) == opening_float


def test_what_is_lacking_comes_from_the_safe(till: Till):
    till.close(counted=12000, float_left=20000)
    assert balances(till) == (20000, -28000, 8000)


def test_a_later_close_without_a_float_left_is_as_before(till: Till):
    till.close(counted=20000, float_left=10000)
    till.open(number=312, opening_float=10000)
    till.close(counted=10500)
    till.open(number=313, opening_float=3000)
    assert till.shift()["flags"] == []
    assert balance(till) == 3000


def test_a_late_order_changes_over_and_short_and_leaves_what_stays_in_the_drawer(till: Till):
    till.close(counted=20240, float_left=10000)
    assert (balance(till), till.shift()["cash"]["over_short"]) == (10000, 240)
    till.sell(a_sale(1001))
    assert (balance(till), till.shift()["cash"]["over_short"]) == (10000, 0)


def test_beside_a_shift_recorded_as_ended_nothing_is_compared(till: Till):
    """Nobody knows in what order the two were in the drawer; once both are closed, its account is right again."""
    live = till.shift_id
    ended = {"opened_at": "2026-02-27T08:00:00+01:00", "closed_at": "2026-02-27T18:00:00+01:00"}
    till.open(number=300, first_number=901, opening_float=7000, **ended)
    recorded = till.shift_id
    assert till.shift()["flags"] == []
    till.close(counted=7000, float_left=7000, first_number=901, last_number=900)
    till.shift_id = live
    till.close(counted=20000, float_left=20000)
    till.open(number=312, opening_float=20000)
    assert till.shift()["flags"] == []
    assert balances(till) == (20000, -20000, 0)
    assert Shift.objects.get(shift_id=recorded).moved_to_safe == 0


# --- A count that cannot be -------------------------------------------------------------------------------------------


@pytest.fixture
def tolerant() -> Till:
    """A till of a store that lets a drawer be off by 5.00, with 10.00 expected in it."""
    till = Till()
    till.store.max_over_short = 500
    till.store.save()
    till.open(opening_float=1000)
    return till


def test_a_barcode_scanned_as_the_count_makes_the_shift_discrepant(tolerant: Till):
    shift = tolerant.close(counted=96385074).json()
    assert shift["state"] == "discrepant"
    assert shift["differences"] == [
        {"what": "cash.over_short", "declared": 96385074, "computed": 1000, "difference": 96384074}
    ]
    assert shift["cash"] == {"expected": 1000, "counted": 96385074, "over_short": 96384074}


@pytest.mark.parametrize(
    ("counted", "state"), [(1500, "reconciled"), (1501, "discrepant"), (500, "reconciled"), (499, "discrepant")]
)
def test_over_and_short_is_a_difference_beyond_what_the_store_allows(tolerant: Till, counted: int, state: str):
    assert tolerant.close(counted=counted).json()["state"] == state


def test_a_store_that_allows_nothing_is_told_of_every_unit(tolerant: Till):
    tolerant.store.max_over_short = 0
    tolerant.store.save()
    assert tolerant.close(counted=1001).json()["state"] == "discrepant"


def test_what_the_store_allowed_when_it_closed_holds_for_the_shift(tolerant: Till):
    tolerant.close(counted=2000)
    tolerant.store.max_over_short = None
    tolerant.store.save()
    assert [difference["what"] for difference in tolerant.shift()["differences"]] == ["cash.over_short"]


# --- Blind closes and recounts ----------------------------------------------------------------------------------------


def test_a_blind_close_differs_by_its_count_until_it_is_counted(till: Till):
    order = a_sale(1001)
    till.sell(order)
    shift = till.close(order, cash_counted=None).json()
    assert (shift["state"], shift["declared"]["cash_counted"]) == ("discrepant", None)
    assert shift["differences"] == [{"what": "cash.count", "declared": None, "computed": 20240, "difference": None}]
    assert shift["cash"] == {"expected": 20240, "counted": None, "over_short": None}
    assert balance(till) == 20240
    shift = count(till, 20200)
    assert (shift["state"], shift["differences"]) == ("reconciled", [])
    assert shift["cash"] == {"expected": 20240, "counted": 20200, "over_short": -40}
    assert balances(till) == (20200, -20000, 40)
    assert shift["declared"]["cash_counted"] is None


def test_a_blind_close_is_repeated_and_compared_like_any_other(till: Till):
    assert till.close(cash_counted=None).status_code == 202
    assert till.close(cash_counted=None).status_code == 200
    assert till.close(counted=20000).status_code == 422


def test_after_a_blind_close_the_rest_goes_to_the_safe_with_the_count(till: Till):
    till.close(cash_counted=None, float_left=15000)
    assert balances(till) == (20000, -20000, 0)
    till.open(number=312, opening_float=14000)
    assert [flag["code"] for flag in till.shift()["flags"]] == ["opening-float-differs"]
    opened, till.shift_id = till.shift_id, Shift.objects.get(terminal=till.terminal, number=311).shift_id
    count(till, 20100)
    assert balances(till) == (14000, -20000 + 5100, 1000 - 100)
    till.shift_id = opened
    assert till.close(counted=14000, float_left=14000).json()["cash"]["over_short"] == 0
    assert balance(till) == 14000


def test_a_recount_posts_the_further_difference(till: Till):
    till.close(counted=19000)
    assert balances(till) == (19000, -20000, 1000)
    shift = count(till, 20000)
    assert (shift["cash"]["over_short"], shift["declared"]["cash_counted"]) == (0, 19000)
    assert balances(till) == (20000, -20000, 0)


def test_a_recount_moves_its_difference_on_to_the_safe_where_something_was_left(till: Till):
    till.close(counted=19000, float_left=10000)
    assert balances(till) == (10000, -11000, 1000)
    count(till, 19500)
    assert balances(till) == (10000, -10500, 500)
    count(till, 19500)
    assert balances(till) == (10000, -10500, 500)
    assert Shift.objects.get(shift_id=till.shift_id).drawer_counts == 3


def test_a_recount_of_what_cannot_be_settles_the_shift(tolerant: Till):
    tolerant.close(counted=96385074)
    assert count(tolerant, 1000)["state"] == "reconciled"


def test_a_count_while_the_shift_still_waits_is_kept(till: Till):
    order = a_sale(1001)
    till.close(order, cash_counted=None)
    assert count(till, 20240)["state"] == "closing"
    assert outcomes(till.sell(order)) == ["posted"]
    assert (till.shift()["state"], till.shift()["cash"]["over_short"]) == ("reconciled", 0)


def test_an_open_shift_and_one_that_nobody_knows_cannot_be_counted(till: Till):
    for shift_id in (till.shift_id, uuid4()):
        with pytest.raises(CannotCount):
            record_count(shift_id=shift_id, counted=0, now=timezone.now())


# --- Z ----------------------------------------------------------------------------------------------------------------


def test_a_shift_gets_its_z_number_when_it_first_settles_and_keeps_it(till: Till):
    order, waiting = a_sale(1001), till.shift_id
    till.close(order, counted=20240)
    assert till.shift()["z_number"] is None
    till.open(number=312, first_number=1002)
    till.close(first_number=1002, last_number=1001)
    assert till.shift()["z_number"] == 1
    till.sell(order, shift_id=waiting)
    till.shift_id = waiting
    assert till.shift()["z_number"] == 2
    till.sell(a_sale(1002))
    assert (till.shift()["state"], till.shift()["z_number"]) == ("discrepant", 2)


def test_each_terminal_counts_its_own_z(till: Till):
    till.close()
    other = Till(till.store, name="Till 2")
    other.open()
    assert other.close().json()["z_number"] == 1


def test_no_two_shifts_of_a_terminal_can_have_one_z(till: Till):
    till.close()
    till.open(number=312)
    with pytest.raises(IntegrityError, match="one_shift_per_z"), transaction.atomic():
        Shift.objects.filter(shift_id=till.shift_id).update(z_number=1)


def test_a_shift_that_settled_before_there_were_z_numbers_has_none(till: Till):
    till.close()
    Shift.objects.filter(shift_id=till.shift_id).update(z_number=None)
    till.sell(a_sale(1001))
    assert (till.shift()["state"], till.shift()["z_number"]) == ("discrepant", None)


# --- Whatever happened ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happened_the_next_opening_finds_its_float_in_the_drawer(seed: int):
    """Shifts that say what they leave or not, counted blind, wrongly or again, with orders that come late, in any order."""
    rng, till = Random(seed), Till()
    left, waiting, uncounted = 20000, [], []
    for place in range(12):
        till.open(number=place + 1, opening_float=left + rng.choice([0, 0, 500, -500]), first_number=1001 + place)
        order = a_sale(1001 + place)
        left = rng.choice([10000, 15000, 20000])
        said = {"float_left": left} if rng.random() < 0.7 else {}
        is_blind, comes_late = rng.random() < 0.3, rng.random() < 0.4
        if not comes_late:
            till.sell(order)
        counted = None if is_blind else 20000 + rng.randrange(-300, 300)
        assert till.close(order, cash_counted=counted, **said).status_code == 202
        if comes_late:
            waiting.append((till.shift_id, order))
        if is_blind or rng.random() < 0.2:
            uncounted.append(till.shift_id)
        if waiting and rng.random() < 0.5:
            shift_id, order = waiting.pop(rng.randrange(len(waiting)))
            till.sell(order, shift_id=shift_id)
        if uncounted and rng.random() < 0.5:
            record_count(shift_id=uncounted.pop(0), counted=rng.randrange(30000), now=timezone.now())
    for shift_id, order in waiting:
        till.sell(order, shift_id=shift_id)
    for shift_id in uncounted:
        record_count(shift_id=shift_id, counted=20000, now=timezone.now())
    till.open(number=13, opening_float=7000, first_number=1013)
    assert balance(till) == 7000
    assert sum(balances(till)) == 12 * 240
    zs = Shift.objects.filter(terminal=till.terminal, z_number__isnull=False).values_list("z_number", flat=True)
    assert sorted(zs) == list(range(1, 13))
