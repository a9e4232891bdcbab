"""The hot tables have no keys to accounts, stores and terminals: the worker sees to it that they name what exists."""

from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from backoffice.ledger.models import Account, PaymentAccount
from tests.till import Till, a_movement, a_sale, entry_of, outcomes

# Whatever a hot row names that nobody knows.
UNKNOWN = """
SELECT 'account', account_id FROM ledger_journalline l WHERE NOT EXISTS (SELECT FROM ledger_account a WHERE a.code = l.account_id)
UNION ALL
SELECT 'store of a line', store_id::text FROM ledger_journalline l
    WHERE NOT EXISTS (SELECT FROM ledger_journalentry e WHERE e.id = l.entry_id AND e.store_id = l.store_id)
UNION ALL
SELECT 'drawer', drawer_id::text FROM ledger_journalline l
    WHERE drawer_id IS NOT NULL AND NOT EXISTS (SELECT FROM fleet_terminal t WHERE t.id = l.drawer_id)
UNION ALL
SELECT 'drawer of another account', account_id FROM ledger_journalline WHERE (drawer_id IS NULL) = (account_id = '1000')
UNION ALL
SELECT 'entry', e.id::text FROM ledger_journalentry e WHERE NOT EXISTS (
    SELECT FROM fleet_terminal t JOIN sales_shift s ON s.terminal_id = t.id
    WHERE t.id = e.terminal_id AND t.store_id = e.store_id AND s.shift_id = e.shift_id AND s.currency = e.currency
        AND s.business_date = e.business_date)
UNION ALL
SELECT 'currency of a line', currency FROM ledger_journalline l
    WHERE NOT EXISTS (SELECT FROM ledger_journalentry e WHERE e.id = l.entry_id AND e.currency = l.currency)
UNION ALL
SELECT 'order', o.id::text FROM sales_order o WHERE NOT EXISTS (
    SELECT FROM inbox_batch b JOIN fleet_terminal t ON t.id = b.terminal_id JOIN sales_shift s ON s.shift_id = b.shift_id
    WHERE b.batch_id = o.batch_id AND t.id = o.terminal_id AND t.store_id = o.store_id AND s.shift_id = o.shift_id
        AND s.business_date = o.business_date)
UNION ALL
SELECT 'identity', i.item_id::text FROM sales_identity i WHERE NOT EXISTS (
    SELECT FROM inbox_batch b WHERE b.batch_id = i.batch_id AND b.terminal_id = i.terminal_id AND b.shift_id = i.shift_id)
UNION ALL
SELECT 'source', s.source_id::text FROM ledger_entrysource s
    WHERE NOT EXISTS (SELECT FROM ledger_journalentry e WHERE e.id = s.entry_id AND e.business_date = s.business_date)
"""


def unknown() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(UNKNOWN)
        return cursor.fetchall()


METHODS = ["cash", "card", "gift_card", "wallet", "voucher", "bank_transfer", "points", "on_account"]
KINDS = ["item", "gift_card", "deposit", "container_deposit", "account_payment", "service_charge", "donation"]


def everything(first: int) -> dict[str, object]:
    """An order with every kind of line and every method, tax, tip, discount and rounding."""
    lines = [
        {
            "kind": kind,
            "quantity": "1",
            "unit_price": 110,
            "discount": 10,
            "amount": 100,
            "taxes": [{"code": kind, "rate": "0.1", "amount": 9}],
        }
        for kind in KINDS
    ]
    lines.append({"quantity": "-1", "unit_price": 50, "amount": -50})
    total = 100 * len(KINDS) - 50 + 2
    payments = [{"method": method, "amount": 10} for method in METHODS]
    payments[0]["amount"] = total + 7 - 10 * (len(METHODS) - 1)
    return a_sale(first, lines=lines, rounding=2, total=total, tip=7, payments=payments)


def test_whatever_is_sold_the_books_name_what_exists(till: Till):
    orders = [everything(1001), a_sale(1002, status="voided"), a_sale(1003, total=1), a_sale(1004, mode="online")]
    movements = [a_movement(reason=reason) for reason in ("change", "float", "safe_drop", "tips", "unheard of")]
    movements += [a_movement(kind="cash_out", reason="tips"), a_movement(0)]
    assert outcomes(till.sell(*orders, movements=movements)) == ["posted", "posted", "held", "posted"]
    till.close(*orders, counted=1)
    till.sell(a_sale(1005))
    till.open(first_number=1006)
    till.upload(a_sale(1006), Prefer="wait=5")
    assert unknown() == []


def test_so_they_do_for_several_stores_and_terminals(till: Till):
    others = [Till(till.store, name="Till 2"), Till()]
    for other in others:
        other.open()
        other.sell(a_sale(1001), everything(1002))
    till.sell(a_sale(1001))
    assert unknown() == []


def test_a_method_posts_where_the_store_says(till: Till):
    Account.objects.create(code="1120", name="Wallets", normal_side="debit")
    PaymentAccount.objects.filter(store=till.store, method="wallet").update(account_id="1120")
    order = a_sale(1001, payments=[{"method": "wallet", "amount": 240}])
    till.sell(order)
    assert ("1120", 240, 0) in entry_of(order["order_id"])
    assert unknown() == []


def test_a_method_that_is_no_longer_mapped_is_held(till: Till):
    PaymentAccount.objects.filter(store=till.store, method="wallet").delete()
    assert outcomes(till.sell(a_sale(1001, payments=[{"method": "wallet", "amount": 240}]))) == ["held"]


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger_account WHERE code = '6900'",
        "UPDATE ledger_account SET code = '6901' WHERE code = '6900'",
        "TRUNCATE ledger_account CASCADE",
    ],
)
def test_an_account_that_may_stand_in_the_books_is_kept_under_its_code(db: None, statement: str):
    """Rounding, over/short and suspense are posted to by rule: no mapping protects their accounts."""
    with pytest.raises(DatabaseError, match="is kept, under its code"), transaction.atomic():
        connection.cursor().execute(statement)
    assert Account.objects.filter(code="6900").update(name="Over and short") == 1


def test_an_order_can_be_found_from_its_entry_and_back(till: Till):
    order = a_sale(1001)
    till.sell(order)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT o.number, e.source_kind FROM ledger_journalentry e"
            " JOIN sales_order o ON o.order_id = e.source_id AND o.business_date = e.business_date"
            " WHERE e.source_id = %s",
            [order["order_id"]],
        )
        assert cursor.fetchall() == [(1001, "order")]


def test_json_is_stored_as_json(till: Till):
    """A text that holds JSON would answer no question about taxes, flags or customers."""
    order = a_sale(1001, customer={"name": "Léa", "points": 10**20})
    till.sell(order)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT jsonb_typeof(flags), jsonb_typeof(customer), customer ->> 'name', jsonb_typeof(taxes),"
            " taxes -> 0 ->> 'rate' FROM sales_order o JOIN sales_orderline l ON l.order_id = o.id WHERE o.order_id = %s",
            [order["order_id"]],
        )
        assert cursor.fetchall() == [("array", "object", "Léa", "array", "0.055")]


def test_a_batch_of_a_shift_that_is_not_there_cannot_be_stored(till: Till):
    assert till.upload(a_sale(1001), shift_id=uuid4()).status_code == 404
    assert unknown() == []
