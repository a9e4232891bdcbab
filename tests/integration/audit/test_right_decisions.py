"""Books with decisions in them are right, and a decision that was tampered with is found and named."""

from collections.abc import Callable
from typing import Any

import pytest

from backoffice.domain.decisions import Verb
from backoffice.fleet.models import Store
from tests.integration.books.office import TODAY, a_person, by_card, decided, map_again, unmap
from tests.till import Till, a_movement, a_sale

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]
Tamper = Callable[..., None]


def right(verify: Verify) -> None:
    assert verify()[1]["differences"] == []


def wrong(verify: Verify) -> str:
    """All that is found, as one text."""
    code, report = verify()
    assert code == 1
    return "\n".join(f"{each['where']}: {each['what']}" for each in report["differences"])


def a_posted_held(till: Till, number: int = 1001) -> dict[str, Any]:
    unmap(till, "card")
    till.sell(order := a_sale(number, **by_card()))
    map_again(till, "card", "1100")
    decided(Verb.POST, order["order_id"])
    return order


def test_every_way_out_of_being_held(till: Till, verify: Verify) -> None:
    other = Till(till.store, name="Till 2")
    other.open()
    posted = a_posted_held(till)
    right(verify)
    till.sell(wrong_total := a_sale(1002, total=999), never := a_sale(1003, total=1), {"number": 1004, "order_id": "?"})
    decided(Verb.CORRECT, wrong_total["order_id"], order={**wrong_total, "total": 240})
    decided(Verb.DISCARD, never["order_id"])
    right(verify)
    contradicting = {**a_sale(1001), "order_id": posted["order_id"]}
    receipt = till.sell(contradicting)
    decided(Verb.POST, f"{receipt['batch_id']}:0")
    receipt = till.sell({**contradicting, "note": "and again"})
    decided(Verb.MOVE, f"{receipt['batch_id']}:0", to=str(other.shift_id))
    right(verify)
    till.sell(posted, wrong_total, never, contradicting)
    right(verify)
    till.close(counted=0)
    other.close(counted=0)
    right(verify)


def test_held_cash_movements(till: Till, verify: Verify) -> None:
    movement = a_movement(5000)
    till.sell(movements=[movement])
    receipt = till.sell(movements=[{**movement, "amount": 7000}, a_movement(-3)])
    decided(Verb.POST, f"{receipt['batch_id']}:movements:0")
    decided(Verb.DISCARD, f"{receipt['batch_id']}:movements:1")
    receipt = till.sell(movements=[wrong_sign := a_movement(-5)])
    decided(Verb.CORRECT, f"{receipt['batch_id']}:movements:0", movement={**wrong_sign, "amount": 5})
    till.close(counted=32000)
    right(verify)


def test_a_decision_long_after_the_next_shift_opened(till: Till, verify: Verify) -> None:
    unmap(till, "card")
    order = a_sale(1001, payments=[{"method": "card", "amount": 300}, {"method": "cash", "amount": -60}])
    till.sell(order)
    till.close(order)
    map_again(till, "card", "1100")
    till.open(number=312, first_number=1002)
    till.sell(a_sale(1002))
    right(verify)
    decided(Verb.POST, order["order_id"])
    right(verify)
    till.close(a_sale(1002))
    till.open(number=313, first_number=1003)
    right(verify)


def test_voided_and_corrected_orders(till: Till, verify: Verify) -> None:
    orders = [a_sale(number) for number in range(1001, 1005)]
    till.sell(*orders)
    till.close(*orders)
    decided(Verb.VOID, orders[0]["order_id"])
    right(verify)
    decided(Verb.RETENDER, orders[1]["order_id"], payments={"card": 240})
    decided(
        Verb.RETENDER,
        orders[1]["order_id"],
        payments=[{"method": "card", "amount": 140}, {"method": "cash", "amount": 100}],
    )
    right(verify)
    decided(Verb.VOID, orders[1]["order_id"])
    held = a_posted_held(till, 1005)
    decided(Verb.RETENDER, held["order_id"], payments={"cash": 240})
    decided(Verb.VOID, held["order_id"])
    right(verify)


def test_gaps_entered_orders_and_shifts(till: Till, verify: Verify) -> None:
    till.store.second_person_above = 100
    till.store.save()
    orders = [a_sale(1001), a_sale(1005)]
    till.sell(*orders)
    till.close(*orders, float_left=10000)
    decided(Verb.EXPLAIN, till.shift_id, numbers="1002-1003")
    decided(Verb.ENTER, till.shift_id, order=a_sale(1004), agreed_by=a_person())
    right(verify)
    decided(Verb.RECOUNT, till.shift_id, counts={"cash": 20700, "card": 5}, agreed_by=a_person())
    decided(Verb.APPROVE, till.shift_id, reason="difference-accepted", note="So be it.", agreed_by=a_person())
    right(verify)
    till.open(number=312, first_number=1006)
    till.sell(a_sale(1006))
    decided(Verb.END, till.shift_id)
    right(verify)
    till.open(number=313, first_number=1007)
    right(verify)


def test_an_ended_shift_that_is_counted_later(till: Till, verify: Verify) -> None:
    till.sell(a_sale(1001))
    decided(Verb.END, till.shift_id)
    for cash in (20000, 20240):
        decided(Verb.RECOUNT, till.shift_id, counts={"cash": cash})
        right(verify)


def test_safes(till: Till, verify: Verify) -> None:
    till.close(counted=20000, float_left=5000)
    decided(Verb.COUNT_SAFE, till.store.code, amount=0)
    decided(Verb.BANK, till.store.code, amount=10000, slip="4711", date=str(TODAY), agreed_by=a_person())
    decided(Verb.BANK_RECEIVED, till.store.code, amount=9900, slip="4711", date=str(TODAY))
    decided(Verb.BANK_CHANGE, till.store.code, amount=2500, date=str(TODAY))
    right(verify)


def test_what_waits_declined_or_was_withdrawn_has_no_effect(till: Till, verify: Verify) -> None:
    Store.objects.filter(pk=till.store.pk).update(second_person_above=1)
    till.sell(order := a_sale(1001), held := a_sale(1002, total=999))
    decided(Verb.VOID, order["order_id"])
    decided(Verb.DISCARD, held["order_id"])
    right(verify)


TAMPERED = [
    ("DELETE FROM books_decision WHERE verb = 'post'", "decision by which it is held no more"),
    ("UPDATE books_decision SET subject = 'x' WHERE verb = 'post'", "decision by which it is held no more"),
    ("UPDATE sales_helditem SET decision_id = NULL", "has no effect"),
    ("UPDATE books_decision SET subject = 'x' WHERE verb = 'void'", "status"),
    ("UPDATE books_decision SET arguments = '{}' WHERE verb IN ('retender', 'bank')", "payment"),
    ("DELETE FROM books_decision WHERE verb = 'void'", "status"),
    ("UPDATE sales_order SET voided_by = NULL WHERE status = 'voided'", "has no effect"),
    ("UPDATE sales_order SET status = 'paid' WHERE status = 'voided'", "status"),
    ("DELETE FROM books_decision WHERE verb = 'retender'", "payment"),
    ("UPDATE books_decision SET arguments = '{\"payments\": {\"wallet\": 240}}' WHERE verb = 'retender'", "payment"),
    ("UPDATE sales_payment SET amount = -amount WHERE amount < 0", "payment"),
    ("DELETE FROM books_decision WHERE verb = 'explain'", "explained"),
    ("DELETE FROM sales_explainednumbers", "has no effect"),
    ("DELETE FROM books_decision WHERE verb = 'approve'", "approved"),
    ("UPDATE sales_shift SET approval_id = NULL WHERE state = 'approved'", "approved"),
    ("DELETE FROM books_decision WHERE verb = 'bank'", "has no source in the bytes"),
    ("UPDATE books_decision SET arguments = '{\"amount\": 5}' WHERE verb = 'bank'", "lines of journal entry"),
    ("UPDATE ledger_journalline SET debit = 9999 WHERE account_id = '1020' AND debit > 0", "does not balance"),
    ("DELETE FROM books_decision WHERE verb = 'bank-received'", "has no source in the bytes"),
    ("UPDATE books_decision SET arguments = '{\"amount\": 5}' WHERE verb = 'bank-received'", "lines of journal entry"),
    ("UPDATE books_decision SET before = '{\"on_its_way\": 5}' WHERE verb = 'bank-received'", "received by the bank"),
    ("UPDATE books_decision SET verb = 'bank-change' WHERE verb = 'bank-received'", "lines of journal entry"),
    (
        "UPDATE books_decision SET after = after || '{\"date\": \"2026-01-02\"}' WHERE verb = 'bank-change'",
        "business_date",
    ),
    ("DELETE FROM books_decision WHERE verb = 'bank-change'", "has no source in the bytes"),
    ("UPDATE sales_decidedmember SET verb = 'discard' WHERE verb = 'post'", "decided"),
    ("DELETE FROM inbox_batch WHERE batch_id IN (SELECT id FROM books_decision WHERE verb = 'post')", "has no effect"),
]


@pytest.mark.parametrize(("statement", "found"), TAMPERED, ids=[statement[:60] for statement, _ in TAMPERED])
def test_what_was_tampered_with_is_found(
    till: Till, verify: Verify, tamper: Tamper, statement: str, found: str
) -> None:
    orders = [a_sale(1001), a_sale(1002), a_sale(1006)]
    till.sell(*orders)
    a_posted_held(till, 1003)
    decided(Verb.VOID, orders[0]["order_id"])
    decided(Verb.RETENDER, orders[1]["order_id"], payments={"card": 240})
    till.close(*orders, last_number=1006)
    decided(Verb.EXPLAIN, till.shift_id, numbers="1004-1005")
    decided(Verb.APPROVE, till.shift_id, reason="difference-accepted", note="So be it.")
    decided(Verb.BANK, till.store.code, amount=10000, slip="4711", date=str(TODAY), agreed_by=a_person())
    decided(Verb.BANK_RECEIVED, till.store.code, amount=10000, slip="4711", date=str(TODAY))
    decided(Verb.BANK_CHANGE, till.store.code, amount=2500, date=str(TODAY))
    right(verify)
    tamper(statement)
    assert found in wrong(verify)


def test_other_content_than_was_held_is_found(till: Till, verify: Verify, tamper: Tamper) -> None:
    """The bytes of a decision must be those that were held."""
    till.sell(held := a_sale(1001, total=999))
    decided(Verb.CORRECT, held["order_id"], order={**held, "total": 240})
    tamper(
        "UPDATE books_decision SET arguments = jsonb_set(arguments, '{order,note}', '\"other\"') WHERE verb = 'correct'"
    )
    assert "content" in wrong(verify)
