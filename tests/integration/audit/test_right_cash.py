"""Books of drawers that are right: left, counted blind or again, opened with another float, beside each other (ledger, "Cash")."""

from collections.abc import Callable
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from backoffice.ingestion import shifts
from backoffice.ingestion.drawers import DrawerBefore, record_count
from backoffice.sales.models import Shift
from tests.till import Till, a_movement, a_sale, balance, entry_of

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]

ENDED = {"opened_at": "2026-02-27T08:00:00+01:00", "closed_at": "2026-02-27T18:00:00+01:00"}


def count(shift_id: UUID, counted: int) -> None:
    record_count(shift_id=shift_id, counted=counted, now=timezone.now())


def right(verify: Verify) -> None:
    assert verify()[1]["differences"] == []


@pytest.mark.parametrize("waits", [False, True])
def test_the_version_before_opens_a_shift_after_a_close_that_said_what_it_left(
    till: Till, verify: Verify, monkeypatch: pytest.MonkeyPatch, *, waits: bool
) -> None:
    """Both run while the service is updated. The older one knows no `float_left`, and takes the float from the safe."""
    order = a_sale(1001)
    till.close(*([order] if waits else []), counted=20000, float_left=15000)
    with monkeypatch.context() as older:
        older.setattr(shifts, "drawer_before", lambda *_, **__: DrawerBefore(None, a_shift_waits=False))
        till.open(number=312, opening_float=14000, first_number=1002)
    Shift.objects.filter(shift_id=till.shift_id).update(flags=None)
    assert (balance(till), balance(till, "6900")) == (14000, 0)
    right(verify)
    till.close(counted=14000, float_left=14000, first_number=1002, last_number=1001)
    till.open(number=313, opening_float=13000, first_number=1002)
    assert balance(till, "6900") == 1000
    right(verify)


@pytest.mark.parametrize("counted", [20000, 12000, 15000])
@pytest.mark.parametrize("opening_float", [15000, 14000])
def test_what_a_close_left_and_the_next_float(till: Till, verify: Verify, *, counted: int, opening_float: int) -> None:
    till.close(counted=counted, float_left=15000)
    right(verify)
    till.open(number=312, opening_float=opening_float)
    assert balance(till) == opening_float
    till.sell(a_sale(1001), movements=[a_movement(800, kind="cash_out", reason="tips")])
    right(verify)
    till.close(a_sale(1001))
    till.open(number=313, opening_float=100, first_number=1002)
    right(verify)


@pytest.mark.parametrize("said", [{}, {"float_left": 15000}])
def test_a_blind_close_that_is_counted_later_and_again(till: Till, verify: Verify, said: dict[str, int]) -> None:
    till.sell(a_sale(1001))
    till.close(cash_counted=None, first_number=1002, last_number=1001, **said)
    right(verify)
    blind = till.shift_id
    till.open(number=312, opening_float=14000)
    right(verify)
    for counted in (20100, 20100, 19000, 20240):
        count(blind, counted)
        right(verify)
    till.close(counted=14000, float_left=14000, first_number=1002, last_number=1001)
    right(verify)


@pytest.mark.parametrize("said", [{}, {"float_left": 10000}])
def test_recounts_and_late_orders_between_them(till: Till, verify: Verify, said: dict[str, int]) -> None:
    till.close(counted=19000, **said)
    for place, counted in enumerate((19500, 19500, 21000)):
        till.sell(a_sale(1001 + place))
        right(verify)
        count(till.shift_id, counted)
        right(verify)


def test_an_opening_while_the_shift_before_waits_for_its_orders(till: Till, verify: Verify) -> None:
    order, waiting = a_sale(1001), till.shift_id
    till.close(order, counted=20240, float_left=15000)
    till.open(number=312, opening_float=14000, first_number=1002)
    assert Shift.objects.get(shift_id=till.shift_id).drawer_at_opening == 14000 - 240
    right(verify)
    till.sell(order, shift_id=waiting)
    assert balance(till) == 14000
    right(verify)
    till.close(counted=14000, float_left=14000, first_number=1002, last_number=1001)
    till.open(number=313, opening_float=14000, first_number=1002)
    right(verify)


def test_shifts_recorded_as_ended_beside_the_open_one(till: Till, verify: Verify) -> None:
    live = till.shift_id
    till.open(number=300, first_number=901, opening_float=7000, **ENDED)
    till.sell(a_sale(901))
    till.close(counted=7240, float_left=7000, first_number=901, last_number=901)
    right(verify)
    till.shift_id = live
    till.close(counted=20000, float_left=20000)
    till.open(number=312, opening_float=19000)
    assert balance(till) == 19000
    right(verify)


def test_the_last_close_is_the_last_by_its_own_time(till: Till, verify: Verify) -> None:
    """A shift of the morning ended; its close is stuck in the till until the shift after it has closed as well."""
    live = till.shift_id
    till.open(number=300, first_number=901, opening_float=7000, **ENDED)
    ended, till.shift_id = till.shift_id, live
    till.close(counted=21000, float_left=5000)
    till.shift_id = ended
    till.close(counted=7000, float_left=7000, first_number=901, last_number=900, closed_at=ENDED["closed_at"])
    right(verify)
    till.open(number=312, opening_float=5000)
    assert till.shift()["flags"] == []
    assert balance(till) == 5000
    right(verify)


def test_a_shift_that_an_earlier_version_closed_and_head_office_counts(
    till: Till, verify: Verify, tamper: Callable[..., None]
) -> None:
    """It numbered no counts, kept no Z, and knew no `float_left`."""
    till.close(counted=19000)
    tamper("DELETE FROM sales_zreport")
    tamper(
        "UPDATE sales_shift SET drawer_counts = 0, z_number = NULL, z_revision = NULL,"
        " declared = declared - 'float_left' - 'carried_over'"
    )
    right(verify)
    count(till.shift_id, 19500)
    right(verify)
    count(till.shift_id, 20000)
    right(verify)
    till.open(number=312, opening_float=5000)
    right(verify)


def test_a_count_that_moves_nothing_has_no_entry_and_takes_its_number(till: Till, verify: Verify) -> None:
    till.close(counted=20000, float_left=20000)
    count(till.shift_id, 20100)
    assert entry_of(till.shift_id, number=1, kind="closing") == set()
    assert entry_of(till.shift_id, number=2, kind="closing") == {("1010", 100, 0), ("1000", 0, 100)}
    right(verify)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happened_the_books_are_right_all_the_way(seed: int, verify: Verify) -> None:
    """Shifts that say what they leave or not, beside each other, counted blind or again, with orders late, in any order."""
    rng, till = Random(seed), Till()
    left, waiting, uncounted = 20000, [], []
    for place in range(10):
        ended = ENDED if rng.random() < 0.3 else {}
        opening_float = left + rng.choice([0, 0, 500, -500])
        till.open(number=place + 1, opening_float=opening_float, first_number=1001 + place, **ended)
        order = a_sale(1001 + place)
        left = rng.choice([10000, 15000, 20000])
        said = {"float_left": left} if rng.random() < 0.7 else {}
        comes_late, stays_open = rng.random() < 0.4, bool(ended) and rng.random() < 0.5
        if not comes_late:
            till.sell(order)
        if not stays_open:
            till.close(order, cash_counted=None if rng.random() < 0.3 else 20000 + rng.randrange(-300, 300), **said)
            uncounted.append(till.shift_id)
        if comes_late:
            waiting.append((till.shift_id, order))
        if waiting and rng.random() < 0.5:
            shift_id, order = waiting.pop(rng.randrange(len(waiting)))
            till.sell(order, shift_id=shift_id)
        if uncounted and rng.random() < 0.4:
            count(rng.choice(uncounted), rng.randrange(30000))
        right(verify)
    for shift_id, order in waiting:
        till.sell(order, shift_id=shift_id)
    right(verify)
