"""The safe of a store: counted, and brought to the bank."""

from typing import Any

import pytest
from django.db import connection, transaction

from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.fleet.models import Store
from tests.integration.books.office import decided
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
    report = decided(Verb.BANK, till.store.code, amount=10000, slip="4711", date="2026-03-02")
    assert entry_of(report.decision_id, kind="safe") == {("1020", 10000, 0), ("1010", 0, 10000)}
    assert (report.after["date"], report.after["slip"]) == ("2026-03-02", "4711")


def test_above_the_stores_amount_a_deposit_takes_two(till: Till) -> None:
    Store.objects.filter(pk=till.store.pk).update(second_person_above=9999)
    asked = decided(Verb.BANK, till.store.code, amount=10000, slip="4711", date="2026-03-02")
    assert asked.state == DecisionState.WAITING
    assert decided(Verb.BANK, till.store.code, amount=9999, slip="1", date="2026-03-02").state == DecisionState.DONE


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
        ({"date": "soon"}, "not-a-date"),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_words(till: Till, how: dict[str, Any], code: str) -> None:
    said = {"amount": 100, "slip": "1", "date": "2026-03-02"} | how
    assert refusal(Verb.BANK, till.store.code, **said).code == code


def test_an_unknown_store_has_no_safe() -> None:
    assert refusal(Verb.COUNT_SAFE, "NOWHERE", amount=0).code == "unknown-store"
