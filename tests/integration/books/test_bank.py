"""What the bank has of the cash that was on its way to it, and change that comes back."""

from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from backoffice.books.deciding import DecisionReport, agree
from backoffice.books.deposits import cash_on_its_way, open_deposits
from backoffice.books.evidence.balance import trial_balance_at
from backoffice.books.refusals import NotDecided
from backoffice.books.store_days import read_store_day
from backoffice.domain.decisions import DecisionState, Verb
from backoffice.fleet.models import Store
from tests.integration.books.office import TODAY, a_person, decided
from tests.integration.books.test_safe import refusal
from tests.till import Till, at_once, entry_of

SECOND, THIRD, FOURTH, FIFTH = (date(2026, 3, day) for day in (2, 3, 4, 5))


def banks(till: Till, amount: int, slip: str, day: date = SECOND, **how: Any) -> DecisionReport:
    return decided(Verb.BANK, till.store.code, amount=amount, slip=slip, date=str(day), **how)


def receives(till: Till, amount: int, slip: str, day: date = THIRD, **how: Any) -> DecisionReport:
    return decided(Verb.BANK_RECEIVED, till.store.code, amount=amount, slip=slip, date=str(day), **how)


def balances(till: Till) -> dict[str, int]:
    """Of the accounts between the safe and the bank."""
    rows = trial_balance_at(store=till.store)
    return {row.account: row.balance for row in rows if row.account in {"1010", "1020", "1030"}}


def on_their_way(till: Till, at: date | None = None) -> list[tuple[str, date, int]]:
    return [(each.slip, each.day, each.on_its_way) for each in open_deposits([till.store.pk], at=at)]


@pytest.fixture
def safe(till: Till) -> Till:
    """A till whose store has 500.00 in its safe, as it was counted."""
    decided(Verb.COUNT_SAFE, till.store.code, amount=50000, agreed_by=a_person("Otto"))
    return till


def test_two_deposits_arrive_one_of_them_in_parts_and_change_comes_back(safe: Till) -> None:
    banks(safe, 30000, "4711")
    banks(safe, 10000, "4712", THIRD)
    assert on_their_way(safe) == [("4711", SECOND, 30000), ("4712", THIRD, 10000)]
    second = receives(safe, 10000, " 4712 ", FOURTH)
    assert entry_of(second.decision_id, kind="safe") == {("1030", 10000, 0), ("1020", 0, 10000)}
    assert (second.after["slip"], second.after["date"], second.after["on_its_way"]) == ("4712", "2026-03-04", 30000)
    # A bank that counts less leaves the rest on its way, since the day on which it was brought.
    receives(safe, 29000, "4711", FOURTH, reason="counted-otherwise", note="One note was missing.")
    assert on_their_way(safe) == [("4711", SECOND, 1000)]
    assert on_their_way(safe, at=SECOND) == [("4711", SECOND, 30000)]
    assert receives(safe, 1000, "4711", FIFTH).after["on_its_way"] == 0
    assert on_their_way(safe) == []
    change = decided(Verb.BANK_CHANGE, safe.store.code, amount=2500, date=str(FIFTH))
    assert entry_of(change.decision_id, kind="safe") == {("1010", 2500, 0), ("1030", 0, 2500)}
    assert (change.after["left"], change.after["date"]) == (12500, "2026-03-05")
    assert balances(safe) == {"1010": 12500, "1020": 0, "1030": 37500}


def test_no_more_is_received_than_is_on_its_way_on_that_day_and_every_day_since(safe: Till) -> None:
    assert (
        refusal(Verb.BANK_RECEIVED, safe.store.code, amount=1, slip="1", date=str(THIRD)).code == "more-than-on-its-way"
    )
    banks(safe, 10000, "4711", THIRD)
    refused = refusal(Verb.BANK_RECEIVED, safe.store.code, amount=10001, slip="4711", date=str(FOURTH))
    assert refused.code == "more-than-on-its-way"
    assert refused.detail.startswith("On 2026-03-04 less than this was on its way to the bank")
    assert refused.errors[0]["detail"] == "10001 is more than 10000"
    early = refusal(Verb.BANK_RECEIVED, safe.store.code, amount=1, slip="4711", date=str(SECOND))
    assert early.errors[0]["detail"] == "1 is more than 0"
    receives(safe, 10000, "4711", FOURTH)
    banks(safe, 5000, "4712", FIFTH)
    # On the third 100.00 was on its way, which the bank has since, so that nothing of it is left for another receipt.
    late = refusal(Verb.BANK_RECEIVED, safe.store.code, amount=1, slip="9", date=str(THIRD))
    assert late.errors[0]["detail"] == "1 is more than 0"
    other = Till()
    assert refusal(Verb.BANK_RECEIVED, other.store.code, amount=1, slip="4712", date=str(FIFTH)).code == late.code
    assert balances(safe)["1020"] == 5000


def test_what_the_bank_names_otherwise_is_taken_for_the_oldest(safe: Till) -> None:
    for number, day in enumerate((SECOND, THIRD, FOURTH)):
        banks(safe, 10000, str(4711 + number), day)
    receives(safe, 15000, "statement 12", FOURTH)
    assert on_their_way(safe) == [("4712", THIRD, 5000), ("4713", FOURTH, 10000)]
    receives(safe, 10000, "4713", FIFTH)
    assert on_their_way(safe) == [("4712", THIRD, 5000)]


def test_whoever_asks_again_is_told_and_nothing_is_done_twice(safe: Till) -> None:
    banks(safe, 20000, "4711")
    receives(safe, 5000, "4711")
    for amount in (5000, 1):
        assert refusal(Verb.BANK_RECEIVED, safe.store.code, amount=amount, slip="4711", date=str(THIRD)).code == "already-decided"  # fmt: skip
    change = {"amount": 2500, "date": str(THIRD)}
    decided(Verb.BANK_CHANGE, safe.store.code, **change)
    assert refusal(Verb.BANK_CHANGE, safe.store.code, **change).code == "already-decided"
    decided(Verb.BANK_CHANGE, safe.store.code, **change, slip="C2")
    decided(Verb.BANK_CHANGE, safe.store.code, **(change | {"amount": 1000}))
    assert refusal(Verb.BANK_CHANGE, safe.store.code, **change, slip="C2").code == "already-decided"
    assert balances(safe) == {"1010": 36000, "1020": 15000, "1030": -1000}


def test_above_the_stores_amount_both_take_two(safe: Till) -> None:
    banks(safe, 20000, "4711")
    Store.objects.filter(pk=safe.store.pk).update(second_person_above=9999)
    asked = [receives(safe, 12000, "4711"), decided(Verb.BANK_CHANGE, safe.store.code, amount=10000, date=str(THIRD))]
    assert [each.state for each in asked] == [DecisionState.WAITING] * 2
    assert (
        refusal(Verb.BANK_RECEIVED, safe.store.code, amount=12000, slip="4711", date=str(THIRD)).code == "already-asked"
    )
    assert refusal(Verb.BANK_RECEIVED, safe.store.code, amount=20001, slip="4711", date=str(FIFTH)).code == "more-than-on-its-way"  # fmt: skip
    assert balances(safe) == {"1010": 30000, "1020": 20000}
    otto, now = a_person("Otto"), timezone.now()
    receives(safe, 9000, "4711", FOURTH)  # so that 110.00 is on its way, and the request asks for more
    with pytest.raises(NotDecided, match="has changed since"):
        agree(asked[0].decision_id, person=otto, now=now)
    assert agree(asked[1].decision_id, person=otto, now=now).after["left"] == 40000
    assert balances(safe) == {"1010": 40000, "1020": 11000, "1030": -1000}


def test_what_is_of_a_locked_day_is_entered_on_the_first_open_one(safe: Till) -> None:
    banks(safe, 10000, "4711")
    decided(Verb.LOCK, safe.store.code, date="2026-03-31")
    received = receives(safe, 10000, "4711")
    change = decided(Verb.BANK_CHANGE, safe.store.code, amount=2500, date=str(THIRD))
    for each in (received, change):
        assert (each.after["date"], each.after["entry_date"]) == ("2026-03-03", "2026-04-01")
    assert on_their_way(safe, at=date(2026, 3, 31)) == [("4711", SECOND, 10000)]
    assert on_their_way(safe, at=date(2026, 4, 1)) == []


@pytest.mark.parametrize("verb", [Verb.BANK_RECEIVED, Verb.BANK_CHANGE])
@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"amount": 0}, "not-an-amount"),
        ({"amount": -5}, "not-an-amount"),
        ({"amount": 10**13}, "not-an-amount"),
        ({"slip": "x" * 65}, "slip-missing"),
        ({"date": "2000-01-01"}, "not-a-date"),
        ({"date": f"{TODAY.year - 2}-12-31"}, "not-a-date"),
        ({"date": str(TODAY + timedelta(days=2))}, "not-a-date"),
        ({"date": "soon"}, "not-a-date"),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_words(till: Till, verb: Verb, how: dict[str, Any], code: str) -> None:
    said = {"amount": 100, "slip": "1", "date": str(TODAY)} | how
    assert refusal(verb, till.store.code, **said).code == code


def test_a_receipt_has_the_number_of_its_slip(till: Till) -> None:
    assert refusal(Verb.BANK_RECEIVED, till.store.code, amount=1, slip=" ", date=str(TODAY)).code == "slip-missing"


def test_a_store_day_names_the_deposits_that_the_bank_had_not_got(safe: Till) -> None:
    banks(safe, 10000, "4711")
    receives(safe, 4000, "4711", FOURTH)
    deposits = {day: read_store_day(safe.store, day).deposits for day in (SECOND, FIFTH)}
    assert deposits[SECOND] == [{"slip": "4711", "date": SECOND, "amount": 10000, "on_its_way": 10000}]
    assert deposits[FIFTH] == [{"slip": "4711", "date": SECOND, "amount": 10000, "on_its_way": 6000}]


def test_of_a_detached_month_the_daily_balances_count(safe: Till) -> None:
    """As when the month leaves in which a deposit was brought, and that stays in which the bank got it."""
    banks(safe, 10000, "4711")
    receives(safe, 10000, "4711", date(2026, 4, 1))
    banks(safe, 2000, "4712", date(2026, 4, 2))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE sales_detachedmonth (first_day date, last_day date)")
        cursor.execute(
            "CREATE TEMP TABLE evidence_dailybalance AS SELECT * FROM public.evidence_dailybalance WHERE false"
        )
        cursor.execute("CREATE TEMP VIEW ledger_journalline AS SELECT * FROM public.ledger_journalline WHERE business_date > '2026-03-31'")  # fmt: skip
        cursor.execute("INSERT INTO sales_detachedmonth VALUES ('2026-03-01', '2026-03-31')")
        cursor.execute(
            "INSERT INTO evidence_dailybalance (store_id, business_date, account_id, currency, debit, credit)"
            " VALUES (%s, '2026-03-02', '1020', 'EUR', 10000, 0)",
            [safe.store.pk],
        )
        assert cash_on_its_way(cursor, store=safe.store) == 2000
        transaction.set_rollback(True)


@pytest.mark.usefixtures("committed_db")
def test_of_many_who_receive_the_same_cash_at_once_one_does(till: Till) -> None:
    people = [a_person("Ruth"), a_person("Otto"), a_person("Anna")]
    for number in range(5):
        banks(till, 10000, slip := str(4711 + number), agreed_by=people[0])

        def attempt(person: Any, *, amount: int, slip: str) -> str:
            try:
                return receives(till, amount, slip, person=person).state
            except NotDecided as refused:
                return refused.code

        same = [partial(attempt, one, amount=10000, slip=slip) for one in people]
        other = [partial(attempt, one, amount=10000, slip=f"{slip}-{place}") for place, one in enumerate(people)]
        answers = at_once([*same, *other])
        assert answers.count("done") == 1
        assert set(answers) <= {"done", "already-decided", "more-than-on-its-way"}
        assert balances(till)["1020"] == 0
