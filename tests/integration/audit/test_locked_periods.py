"""Books with locked periods are right; what stands in one, or locks one without a decision, is found and named."""

from collections.abc import Callable
from typing import Any

import pytest

from backoffice.domain.decisions import Verb
from tests.integration.audit.test_right_decisions import right, wrong
from tests.integration.books.office import a_person, by_card, decided, map_again, unmap
from tests.till import Till, a_movement, a_sale

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]
Tamper = Callable[..., None]


def lock(till: Till, day: str = "2026-03-31") -> None:
    decided(Verb.LOCK, till.store.code, date=day)


def unlock(till: Till, day: str) -> None:
    decided(Verb.UNLOCK, till.store.code, date=day, agreed_by=a_person("Otto"))


def test_whatever_comes_late_and_is_decided_late(till: Till, verify: Verify) -> None:
    unmap(till, "card")
    till.sell(early := a_sale(1001), void := a_sale(1002), held := a_sale(1003, **by_card()))
    map_again(till, "card", "1100")
    lock(till)
    till.sell(late := a_sale(1004), movements=[a_movement()])
    decided(Verb.VOID, void["order_id"])
    decided(Verb.RETENDER, early["order_id"], payments={"card": 240})
    decided(Verb.POST, held["order_id"])
    decided(Verb.ENTER, till.shift_id, order=(by_hand := a_sale(1005)), agreed_by=a_person("Otto"))
    decided(Verb.BANK, till.store.code, amount=1000, slip="4711", date="2026-03-02", agreed_by=a_person("Otto"))
    decided(Verb.BANK_RECEIVED, till.store.code, amount=1000, slip="4711", date="2026-03-03")
    decided(Verb.BANK_CHANGE, till.store.code, amount=300, date="2026-03-03")
    decided(Verb.COUNT_SAFE, till.store.code, amount=0)
    right(verify)
    till.close(early, held, late, by_hand, counted=30000, float_left=5000)
    decided(Verb.RECOUNT, till.shift_id, counts={"cash": 25500})
    till.open(number=312, first_number=1006, opening_float=4000)
    right(verify)


def test_unlocked_in_between_and_locked_again(till: Till, verify: Verify) -> None:
    for number, change in enumerate(
        (lock, lambda till: unlock(till, "2026-02-01"), lambda till: lock(till, "2026-05-31"))
    ):
        till.sell(a_sale(1001 + number))
        change(till)
    till.sell(a_sale(1004))
    right(verify)


def move(tamper: Tamper, day: str, order: dict[str, Any]) -> None:
    """Dates an entry anew, as the owner of the tables can."""
    for table, key in (
        ("ledger_journalline", "entry_id"),
        ("ledger_journalentry", "id"),
        ("ledger_entrysource", "entry_id"),
    ):
        tamper(
            f"UPDATE {table} SET business_date = %s WHERE {key} ="
            " (SELECT row_id FROM sales_identity WHERE item_id = %s AND version = 0)",
            day,
            order["order_id"],
        )


def test_an_entry_within_a_period_that_was_locked_when_it_was_posted(
    till: Till, verify: Verify, tamper: Tamper
) -> None:
    till.sell(early := a_sale(1001))
    lock(till)
    till.sell(late := a_sale(1002))
    right(verify)
    move(tamper, "2026-03-01", late)
    found = wrong(verify)
    assert "(order): stands in a period that was locked when it was posted" in found
    assert "order 1002" in found
    assert "order 1001" not in found
    move(tamper, "2026-04-01", late)
    move(tamper, "2026-04-01", early)
    assert "order 1001" in wrong(verify)


def test_a_lock_that_no_decision_made(till: Till, verify: Verify, tamper: Tamper) -> None:
    tamper(
        "INSERT INTO ledger_periodlock (id, store_id, locked_through, decision_id) VALUES (0, %s, '2026-03-31', gen_random_uuid())",
        till.store.pk,
    )
    assert "through 2026-03-31: locked" in wrong(verify)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE ledger_periodlock SET locked_through = '2026-02-28'", "locked through"),
        ("DELETE FROM ledger_periodlock", "has no effect"),
        ("""UPDATE books_decision SET arguments = '{"date": "2026-02-28"}' WHERE verb = 'lock'""", "locked through"),
    ],
)
def test_a_lock_that_is_not_as_it_was_decided(
    till: Till, verify: Verify, tamper: Tamper, change: str, named: str
) -> None:
    lock(till)
    right(verify)
    tamper(change)
    assert named in wrong(verify)
