"""The safe of a store: counted, and brought to the bank."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from backoffice.books.deciding import agree
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.fleet.models import Store
from tests.integration.books.office import TODAY, a_person, decided
from tests.till import Till, entry_of


def refusal(verb: Verb, subject: Any, **how: Any) -> NotDecided:
    with pytest.raises(NotDecided) as raised, transaction.atomic():
        decided(verb, subject, **how)
    return raised.value


def moved(store: Store, account: str) -> int:
    """Debits less credits of an account in the books of a store."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(debit - credit), 0)::bigint FROM ledger_journalline WHERE store_id = %s AND account_id = %s",
            [store.pk, account],
        )
        return int(cursor.fetchone()[0])


def test_a_count_posts_what_is_over_or_short(till: Till) -> None:
    till.close(counted=20000, float_left=5000)  # the opening took 200.00 out of it, and the close brought 150.00
    report = decided(Verb.COUNT_SAFE, till.store.code, amount=0)
    assert report.after["over_short"] == 5000
    assert entry_of(report.decision_id, kind="safe") == {("1010", 5000, 0), ("6900", 0, 5000)}
    assert moved(till.store, "1010") == 0
    again = decided(Verb.COUNT_SAFE, till.store.code, amount=0)
    assert (again.state, entry_of(again.decision_id)) == (DecisionState.DONE, set())


def test_a_deposit_is_on_its_way_to_the_bank(till: Till) -> None:
    decided(Verb.COUNT_SAFE, till.store.code, amount=10000)
    report = decided(Verb.BANK, till.store.code, amount=10000, slip="4711", date=str(TODAY))
    assert entry_of(report.decision_id, kind="safe") == {("1020", 10000, 0), ("1010", 0, 10000)}
    assert (report.after["date"], report.after["slip"], report.after["flags"]) == (str(TODAY), "4711", [])


def test_a_slip_is_banked_once_whoever_asks_again(till: Till) -> None:
    other = Till()
    for store in (till.store, other.store):
        decided(Verb.COUNT_SAFE, store.code, amount=50000)
    deposit = {"amount": 10000, "slip": "4711", "date": str(TODAY)}
    decided(Verb.BANK, till.store.code, **deposit)
    assert refusal(Verb.BANK, till.store.code, **deposit).code == "already-decided"
    assert refusal(Verb.BANK, till.store.code, **(deposit | {"slip": " 4711 ", "amount": 5})).code == "already-decided"
    decided(Verb.BANK, till.store.code, **(deposit | {"date": str(TODAY - timedelta(days=1))}))
    decided(Verb.BANK, other.store.code, **deposit)
    assert moved(till.store, "1020") == 20000


def test_a_slip_that_waits_for_a_second_person_is_banked_once_too(till: Till) -> None:
    decided(Verb.COUNT_SAFE, till.store.code, amount=50000)
    Store.objects.filter(pk=till.store.pk).update(second_person_above=9999)
    deposit = {"amount": 10000, "slip": "4711", "date": str(TODAY)}
    asked = decided(Verb.BANK, till.store.code, **deposit)
    decided(Verb.BANK, till.store.code, **deposit, agreed_by=a_person("Otto"))
    with pytest.raises(NotDecided) as raised, transaction.atomic():
        agree(asked.decision_id, person=a_person("Ida"), now=timezone.now())
    assert raised.value.code in {"changed-since", "already-decided"}
    assert moved(till.store, "1020") == 10000


def test_above_the_stores_amount_a_deposit_takes_two(till: Till) -> None:
    Store.objects.filter(pk=till.store.pk).update(second_person_above=9999)
    decided(Verb.COUNT_SAFE, till.store.code, amount=50000, agreed_by=a_person("Otto"))
    asked = decided(Verb.BANK, till.store.code, amount=10000, slip="4711", date=str(TODAY))
    assert asked.state == DecisionState.WAITING
    assert decided(Verb.BANK, till.store.code, amount=9999, slip="1", date=str(TODAY)).state == DecisionState.DONE


def test_deposits_of_several_slips_wait_at_once_and_each_holds_by_itself(till: Till) -> None:
    decided(Verb.COUNT_SAFE, till.store.code, amount=50000)
    Store.objects.filter(pk=till.store.pk).update(second_person_above=9999)
    deposit = {"amount": 20000, "date": str(TODAY)}
    slips = ["4711", "4712", "4713"]
    asked = [decided(Verb.BANK, till.store.code, slip=slip, **deposit) for slip in slips]
    assert refusal(Verb.BANK, till.store.code, slip=" 4712 ", **deposit).code == "already-asked"
    otto, now = a_person("Otto"), timezone.now()
    agreed = [agree(each.decision_id, person=otto, now=now) for each in asked[:2]]
    assert [each.after["left"] for each in agreed] == [30000, 10000]
    with pytest.raises(NotDecided, match="has changed since"):  # there were 200.00 in the safe when it was asked
        agree(asked[2].decision_id, person=otto, now=now)
    assert moved(till.store, "1020") == 40000


def test_more_than_there_is_takes_two_and_is_remarked(till: Till) -> None:
    decided(Verb.COUNT_SAFE, till.store.code, amount=10000)
    slip = {"slip": "4711", "date": str(TODAY)}
    asked = decided(Verb.BANK, till.store.code, amount=10001, **slip)
    assert asked.state == DecisionState.WAITING
    done = decided(Verb.BANK, till.store.code, amount=10002, agreed_by=a_person("Otto"), **slip)
    assert (done.after["left"], done.after["flags"]) == (-2, ["more-than-in-the-safe"])
    with pytest.raises(NotDecided, match="Already decided"):
        agree(asked.decision_id, person=a_person("Otto"), now=timezone.now())


def test_a_slip_is_of_this_year_or_the_one_before(till: Till) -> None:
    decided(Verb.COUNT_SAFE, till.store.code, amount=10000)
    last_year = f"{TODAY.year - 1}-01-01"
    assert decided(Verb.BANK, till.store.code, amount=1, slip="1", date=last_year).state == DecisionState.DONE
    too_old = refusal(Verb.BANK, till.store.code, amount=1, slip="1", date=f"{TODAY.year - 2}-12-31")
    assert "this year or of the year before" in too_old.detail
    future = refusal(Verb.BANK, till.store.code, amount=1, slip="1", date=str(TODAY + timedelta(days=2)))
    assert "is in the future: in this store it is " in future.detail


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"amount": 0}, "not-an-amount"),
        ({"amount": -5}, "not-an-amount"),
        ({"amount": 10**13}, "not-an-amount"),
        ({"slip": " "}, "slip-missing"),
        ({"slip": "x" * 65}, "slip-missing"),
        ({"date": "2126-01-01"}, "not-a-date"),
        ({"date": "1026-01-01"}, "not-a-date"),
        ({"date": "2000-01-01"}, "not-a-date"),
        ({"date": "soon"}, "not-a-date"),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_words(till: Till, how: dict[str, Any], code: str) -> None:
    said = {"amount": 100, "slip": "1", "date": str(TODAY)} | how
    assert refusal(Verb.BANK, till.store.code, **said).code == code


def test_an_unknown_store_has_no_safe() -> None:
    assert refusal(Verb.COUNT_SAFE, "NOWHERE", amount=0).code == "unknown-store"
