"""Books that somebody changed behind the service's back: each kind of change is found and named."""

import hashlib
import json
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from backoffice.domain.wire.members import read_order
from backoffice.ingestion.batch import members
from tests.till import Till, a_movement, a_sale, outcomes

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]
Tamper = Callable[..., None]

ENTRY = "(SELECT entry_id FROM ledger_entrysource WHERE source_id = %s)"
ROW = "(SELECT id FROM sales_order WHERE order_id = %s)"

DOUBLED = (
    "UPDATE ledger_journalline l SET debit = debit * 2, credit = credit * 2 FROM ledger_entrysource s"
    " WHERE l.entry_id = s.entry_id AND s.source_kind = 'over_short'"
)


@pytest.fixture
def order(till: Till, verify: Verify) -> dict[str, Any]:
    """A posted order among others, in books that agree."""
    order = a_sale(1002)
    till.sell(a_sale(1001), order, a_sale(1003))
    assert verify()[0] == 0
    return order


def found(verify: Verify, till: Till) -> list[dict[str, str]]:
    """The differences, of which there must be some, all of the till's store."""
    code, report = verify()
    assert code == 1
    assert {difference["store"] for difference in report["differences"]} <= {till.store.code, ""}
    return report["differences"]


def about(differences: list[dict[str, str]], number: int) -> list[tuple[str, str, str]]:
    """What, expected and found of the differences that name an order's number."""
    named = [each for each in differences if f"order {number} " in each["where"] or f" {number} (" in each["where"]]
    assert named, differences
    return [(each["what"], each["expected"], each["found"]) for each in named]


@pytest.mark.parametrize(
    ("column", "value", "difference"),
    [
        ("total", "241", ("total", "240", "241")),
        ("tip", "1", ("tip", "0", "1")),
        ("tax", "0", ("tax", "13", "0")),
        ("number", "77", ("number", "1002", "77")),
        ("kind", "'refund'", ("kind", "sale", "refund")),
        ("status", "'voided'", ("status", "paid", "voided")),
        ("cashier", "'Mallory'", ("cashier", "Anna", "Mallory")),
        ("note", "'x'", ("note", "", "x")),
        ("type", "NULL", ("type", "takeaway", "nothing")),
        ("adjusts", "gen_random_uuid()", None),
        ("lines_refund", "'[]'", ("lines_refund", "nothing", "[]")),
        ("customer", "'{}'", ("customer", "nothing", "{}")),
        ("position", "7", ("position", "1", "7")),
        ("currency", "'USD'", ("currency", "EUR", "USD")),
        ("closed_at", "closed_at + interval '1 s'", None),
        ("shift_id", "gen_random_uuid()", None),
        ("store_id", "store_id + 1", None),
        ("batch_id", "gen_random_uuid()", None),
    ],
)
def test_a_changed_column_of_an_order(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper, *, column: str, value: str, difference: Any
) -> None:
    tamper(f"UPDATE sales_order SET {column} = {value} WHERE order_id = %s", order["order_id"])
    differences = about(found(verify, till), 1002)
    assert [each[0] for each in differences] == [column]
    assert difference in {None, differences[0]}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE sales_orderline SET amount = 1 WHERE order_id = " + ROW, "line 1 amount"),
        ("UPDATE sales_orderline SET quantity = 2.5 WHERE order_id = " + ROW, "line 1 quantity"),
        ("UPDATE sales_orderline SET sku = '' WHERE order_id = " + ROW, "line 1 sku"),
        ("UPDATE sales_orderline SET refund_of = gen_random_uuid() WHERE order_id = " + ROW, "line 1 refund_of"),
        (
            "UPDATE sales_orderline SET taxes = jsonb_set(taxes, '{0,kind}', '\"fixed\"') WHERE order_id = " + ROW,
            "line 1 tax 1 kind",
        ),
        ("UPDATE sales_orderline SET taxes = '[]' WHERE order_id = " + ROW, "number of line 1 tax entries"),
        (
            "UPDATE sales_orderline SET taxes = jsonb_set(taxes, '{0,amount}', '12') WHERE order_id = " + ROW,
            "line 1 tax 1 amount",
        ),
        ("DELETE FROM sales_orderline WHERE order_id = " + ROW, "number of line entries"),
        ("UPDATE sales_payment SET amount = 239 WHERE order_id = " + ROW, "payment 1 amount"),
        ("UPDATE sales_payment SET method = 'card' WHERE order_id = " + ROW, "payment 1 method"),
        ("UPDATE sales_payment SET tendered = NULL WHERE order_id = " + ROW, "payment 1 tendered"),
        ("DELETE FROM sales_payment WHERE order_id = " + ROW, "number of payment entries"),
    ],
)
def test_a_changed_line_or_payment(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper, *, change: str, what: str
) -> None:
    tamper(change, order["order_id"])
    assert [each[0] for each in about(found(verify, till), 1002)] == [what]


GIFT_CARD = {"kind": "gift_card", "quantity": "1", "unit_price": 10000, "discount": 5000, "amount": 5000}
DISCOUNT = {"kind": "discount", "quantity": "-1", "unit_price": 500, "amount": -500}
SOLD = {"quantity": "1", "unit_price": 5500, "amount": 5500}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lines": [GIFT_CARD]}, "1100 debit 5000, 2200 credit 10000, 4100 debit 5000"),
        ({"lines": [SOLD, DISCOUNT]}, "1100 debit 5000, 4000 credit 5500, 4100 debit 500"),
        (
            {"lines": [], "total": 0, "tip": 5000, "adjusts": str(uuid4())},
            "1100 debit 5000, 2300 credit 5000",
        ),
    ],
)
def test_an_entry_of_which_a_pair_of_lines_is_gone(
    till: Till, verify: Verify, tamper: Tamper, *, changes: dict[str, Any], said: str
) -> None:
    """The amounts that are left still balance: the smallest debit is gone, and what it was credited to is less."""
    order = a_sale(1002, **{"total": 5000, "payments": [{"method": "card", "amount": 5000}]} | changes)
    assert outcomes(till.sell(order)) == ["posted"]
    assert verify()[0] == 0
    smallest = f"(SELECT min(debit) FROM ledger_journalline WHERE debit > 0 AND entry_id = {ENTRY})"
    tamper(
        f"UPDATE ledger_journalline SET credit = credit - {smallest} + 1 WHERE credit > 0 AND entry_id = {ENTRY}",
        order["order_id"], order["order_id"],
    )  # fmt: skip
    tamper(
        f"UPDATE ledger_journalline SET debit = 1 WHERE debit = {smallest} AND entry_id = {ENTRY}",
        order["order_id"], order["order_id"],
    )  # fmt: skip
    assert said in [each[1] for each in about(found(verify, till), 1002)]


def test_an_order_said_to_be_of_before(till: Till, verify: Verify, tamper: Tamper) -> None:
    """Then it would have been posted otherwise."""
    order = a_sale(1002, lines=[GIFT_CARD], total=5000, payments=[{"method": "card", "amount": 5000}])
    till.sell(order)
    tamper("UPDATE sales_identity SET hash_version = NULL")
    (difference,) = about(found(verify, till), 1002)
    assert difference[1] == "1100 debit 5000, 2200 credit 5000"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ((b'"kind": "sale"', b'"kind": "refund"'), "it is a refund, and its total is 240"),
        ((b'"adjusts": null', b'"adjusts": "' + str(uuid4()).encode() + b'"'), "it adjusts another order"),
        ((b'"rate": "0.055"', b'"rate": "0.055", "kind": "x"'), "nobody knows taxes of kind x"),
        ((b'"adjusts": null', b'"adjusts": 5'), "adjusts is not a UUID: 5"),
    ],
)
def test_a_posted_order_that_new_rules_would_have_held(
    till: Till, verify: Verify, tamper: Tamper, *, changed: tuple[bytes, bytes], why: str
) -> None:
    till.sell(a_sale(1002, adjusts=None), a_sale(1003), a_sale(1004))
    replace_body(tamper, lambda body: body.replace(*changed))
    (expected,) = [each[1] for each in about(found(verify, till), 1002) if each[0] == "cannot be posted"]
    assert expected.startswith(f"held: {why}")


def test_an_order_of_which_more_was_kept_than_the_tables_hold(till: Till, verify: Verify, tamper: Tamper) -> None:
    order = a_sale(1002, note="x" * 501)
    till.sell(order)
    tamper("UPDATE sales_order SET note = left(note, 499)")
    assert about(found(verify, till), 1002) == [("note", "x" * 500, "x" * 499)]


def test_a_missing_order(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    tamper("DELETE FROM sales_order WHERE order_id = %s", order["order_id"])
    assert about(found(verify, till), 1002) == [("row of what is posted", "as in the bytes", "nothing")]


def test_an_order_whose_identity_is_forgotten(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    tamper("DELETE FROM sales_identity WHERE item_id = %s", order["order_id"])
    whats = [each[0] for each in about(found(verify, till), 1002)]
    assert whats == ["is neither posted nor held, and repeats nothing", "has no source in the bytes"]


def test_an_order_posted_once_more_under_another_id(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    copy_row(tamper, "sales_order", {"id": "-id", "order_id": "gen_random_uuid()"}, "order_id = %s", order["order_id"])
    assert about(found(verify, till), 1002) == [("has no source in the bytes", "nothing", "a row")]


def test_an_order_row_that_stands_there_twice(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    copy_row(tamper, "sales_order", {"business_date": "business_date + 40"}, "order_id = %s", order["order_id"])
    assert ("has no source in the bytes", "nothing", "a row") in about(found(verify, till), 1002)


def test_an_order_made_up_with_an_identity_and_an_entry(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    new, key = str(uuid4()), order["order_id"]
    copy_row(
        tamper, "sales_identity", {"item_id": f"'{new}'", "number": "5555", "row_id": "-row_id"}, "item_id = %s", key
    )
    copy_row(tamper, "sales_order", {"order_id": f"'{new}'", "number": "5555", "id": "-id"}, "order_id = %s", key)
    copy_row(tamper, "ledger_journalentry", {"source_id": f"'{new}'", "id": "-id"}, "source_id = %s", key)
    copy_row(tamper, "ledger_entrysource", {"source_id": f"'{new}'", "entry_id": "-entry_id"}, "source_id = %s", key)
    copy_row(tamper, "ledger_journalline", {"entry_id": "-entry_id"}, f"entry_id = {ENTRY}", key)
    differences = found(verify, till)
    assert len(about(differences, 5555)) == 3
    assert {each["where"] for each in differences} >= {"account 1000, EUR", "drawer of Till 1"}


def test_a_changed_pair_of_ledger_lines(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    tamper(
        f"UPDATE ledger_journalline SET debit = debit + (CASE WHEN debit > 0 THEN 10 ELSE 0 END),"
        f" credit = credit + (CASE WHEN account_id = '4000' THEN 10 ELSE 0 END) WHERE entry_id = {ENTRY}",
        order["order_id"],
    )
    differences = found(verify, till)
    assert [each[1:] for each in about(differences, 1002)] == [
        (
            "1000 debit 240, 2100 FR-5.5 credit 13, 4000 credit 227",
            "1000 debit 250, 2100 FR-5.5 credit 13, 4000 credit 237",
        )
    ]
    totals = {each["where"]: (each["expected"], each["found"]) for each in differences if each["what"] == "total"}
    assert totals["account 4000, EUR"] == ("debits 0, credits 681", "debits 0, credits 691")


@pytest.mark.parametrize(
    "change",
    ["account_id = '4010'", "tax_code = 'X'", "drawer_id = 0", "store_id = 0", "currency = 'USD'"],
)
def test_a_ledger_line_moved_elsewhere(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper, change: str
) -> None:
    tamper(f"UPDATE ledger_journalline SET {change} WHERE credit > 0 AND entry_id = {ENTRY}", order["order_id"])
    (difference,) = about(found(verify, till), 1002)
    assert difference[0].startswith("lines of journal entry")


def test_an_entry_that_does_not_balance(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    tamper(f"UPDATE ledger_journalline SET debit = 241 WHERE debit > 0 AND entry_id = {ENTRY}", order["order_id"])
    whats = [each[0] for each in about(found(verify, till), 1002)]
    assert [what.split(" entry ")[0] for what in whats] == ["journal", "lines of journal"]
    assert whats[0].endswith("does not balance")


@pytest.mark.parametrize("table", ["ledger_journalentry WHERE id =", "ledger_journalline WHERE entry_id ="])
def test_a_missing_entry_or_its_lines(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper, table: str
) -> None:
    tamper(f"DELETE FROM {table} {ENTRY}", order["order_id"])
    (difference,) = about(found(verify, till), 1002)
    assert difference[2] in {"nothing", "no lines"}


def test_an_entry_whose_source_is_forgotten(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    tamper("DELETE FROM ledger_entrysource WHERE source_id = %s", order["order_id"])
    assert {each[0] for each in about(found(verify, till), 1002)} == {"journal entry", "has no source in the bytes"}


@pytest.mark.parametrize("change", ["shift_id = gen_random_uuid()", "terminal_id = 0", "currency = 'USD'"])
def test_a_changed_head_of_an_entry(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper, change: str
) -> None:
    tamper(f"UPDATE ledger_journalentry SET {change} WHERE source_id = %s", order["order_id"])
    (difference,) = about(found(verify, till), 1002)
    assert difference[0].startswith(f"{change.partition(' ')[0]} of journal entry")


def test_an_extra_entry(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    key = order["order_id"]
    copy_row(tamper, "ledger_journalentry", {"source_number": "1", "id": "-id"}, "source_id = %s", key)
    copy_row(tamper, "ledger_entrysource", {"source_number": "1", "entry_id": "-entry_id"}, "source_id = %s", key)
    copy_row(tamper, "ledger_journalline", {"entry_id": "-entry_id"}, f"entry_id = {ENTRY}", key, key=key)
    assert about(found(verify, till), 1002) == [("has no source in the bytes", "nothing", "a row")]


def test_an_entry_for_a_voided_order(till: Till, verify: Verify, tamper: Tamper) -> None:
    order, voided = a_sale(1001), a_sale(1002, status="voided")
    till.sell(order, voided)
    change = {"source_id": f"'{voided['order_id']}'"}
    copy_row(tamper, "ledger_journalentry", change | {"id": "-id"}, "source_id = %s", order["order_id"])
    copy_row(tamper, "ledger_entrysource", change | {"entry_id": "-entry_id"}, "source_id = %s", order["order_id"])
    copy_row(tamper, "ledger_journalline", {"entry_id": "-entry_id"}, f"entry_id = {ENTRY}", order["order_id"])
    (difference,) = about(found(verify, till), 1002)
    assert difference[1:] == ("nothing", "1000 debit 240, 2100 FR-5.5 credit 13, 4000 credit 227")


def test_a_changed_byte_of_a_stored_body(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    replace_body(tamper, lambda body: body.replace(b"Baguette", b"Baguetts"), keep_digest=True)
    differences = found(verify, till)
    assert [each["what"] for each in differences if "1001 to 1003" in each["where"]] == ["digest of the stored body"]
    assert ("line 1 name", "Baguetts", "Baguette") in about(differences, 1002)


def test_a_stored_body_that_was_replaced_with_its_digest(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    replace_body(tamper, lambda body: body.replace(b'"tendered": 500', b'"tendered": 501'))
    assert ("payment 1 tendered", "501", "500") in about(found(verify, till), 1002)


@pytest.mark.parametrize("body", [b"not zlib at all", zlib.compress(b"{"), zlib.compress(b"[]")])
def test_a_stored_body_that_nobody_can_read(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper, body: bytes
) -> None:
    tamper("UPDATE inbox_batch SET body = %s", body)
    differences = found(verify, till)
    assert differences[0]["what"] == "stored body"
    assert {each[0] for each in about(differences, 1002)} == {"has no source in the bytes"}


def test_a_batch_that_is_gone(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    tamper("DELETE FROM inbox_batch")
    assert {each[0] for each in about(found(verify, till), 1002)} == {"has no source in the bytes"}


def test_a_posted_order_that_should_have_been_held(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    replace_body(tamper, lambda body: body.replace(b'"total": 240', b'"total": 250'))
    differences = about(found(verify, till), 1002)
    assert ("cannot be posted", "held: its total is 250 and its lines come to 240", "not held") in differences


def test_a_posted_order_that_cannot_even_be_read(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    replace_body(tamper, lambda body: body.replace(b'"total": 240', b'"total": "240"'))
    assert ("cannot be posted", "held: total is not an amount: '240'", "not held") in about(found(verify, till), 1002)


def test_a_held_order_that_vanished(till: Till, verify: Verify, tamper: Tamper) -> None:
    assert outcomes(till.sell(a_sale(1001), a_sale(1002, total=1))) == ["posted", "held"]
    tamper("DELETE FROM sales_helditem")
    differences = about(found(verify, till), 1002)
    assert differences[0][:2] == ("cannot be posted", "held: its total is 1 and its lines come to 240")


def test_a_held_thing_without_a_name_that_vanished(till: Till, verify: Verify, tamper: Tamper) -> None:
    till.sell(a_sale(1001), "rubbish", a_sale(1002, customer="\u0000") | {"order_id": 1})
    tamper("DELETE FROM sales_helditem")
    lost = [each["where"] for each in found(verify, till) if each["what"].startswith("is neither posted nor held")]
    assert [where.split(" of batch")[0] for where in lost] == ["order at position 1", "order 1002 (None) of Till 1"]


def test_a_held_item_that_was_made_up(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    till.sell(a_sale(1004, total=1))
    copy_row(
        tamper, "sales_helditem", {"id": "-id", "number": "1002", "batch_id": "gen_random_uuid()"}, "number = %s", 1004
    )
    assert about(found(verify, till), 1002) == [("has no source in the bytes", "nothing", "a row")]


def test_an_order_that_is_posted_and_held(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    till.sell(a_sale(1004, total=1))
    tamper(
        "UPDATE sales_helditem h SET batch_id = o.batch_id, position = o.position, received_at = o.received_at,"
        " item_id = o.order_id FROM sales_order o WHERE o.order_id = %s",
        order["order_id"],
    )
    whats = {each[0] for each in about(found(verify, till), 1002)}
    assert {"is held, and no version of it is remembered", "has no source in the bytes"} <= whats


def test_a_receipt_that_says_something_else(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    tamper("""UPDATE inbox_batch SET outcomes = '{"posted": 2, "held": 1}'""")
    (difference,) = found(verify, till)
    assert (difference["what"], difference["expected"]) == ("outcomes of orders in its receipt", "{'posted': 3}")


def test_a_duplicate_whose_content_was_not_known(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    till.sell(order)
    replace_body(tamper, lambda body: body.replace(b'"note": ""', b'"note": "x"'), orders=1)
    whats = [each[0] for each in about(found(verify, till), 1002)]
    assert whats == ["is neither posted nor held, and repeats nothing"]


def test_two_versions_of_one_order_posted_by_mistake(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    till.sell(order | {"note": "second"})
    tamper("DELETE FROM sales_helditem")
    whats = [each[0] for each in about(found(verify, till), 1002)]
    assert {"is posted as a later version", "an earlier version"} <= set(whats)


def test_a_number_that_another_order_took(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    tamper("UPDATE sales_identity SET number = 9999 WHERE item_id = %s", order["order_id"])
    assert ("number that it took", "1002", "9999") in about(found(verify, till), 1002)


def test_two_contents_of_one_order_of_which_one_is_posted(till: Till, verify: Verify, tamper: Tamper) -> None:
    order = a_sale(1002)
    till.sell(order, order | {"note": "other"})
    tamper("DELETE FROM sales_helditem WHERE position = 0")
    assert "was sent with two contents in one batch" in {each[0] for each in about(found(verify, till), 1002)}


def test_a_version_that_is_posted_and_held_at_once(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    assert outcomes(till.sell(a_sale(1004, total=1), a_sale(1005, total=1))) == ["held", "held"]
    tamper(
        "UPDATE sales_helditem h SET item_id = o.item_id, content_hash = o.content_hash"
        " FROM sales_helditem o WHERE o.number = 1004 AND h.number = 1005"
    )
    assert "is held, and its version is posted" in {each[0] for each in about(found(verify, till), 1005)}


def test_an_order_known_only_from_another_terminal_is_no_repeat(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper
) -> None:
    other = Till(till.store, name="Till 2")
    other.open()
    assert outcomes(other.sell(order)) == ["conflict"]
    tamper("DELETE FROM sales_helditem")
    tamper("DELETE FROM sales_identity WHERE terminal_id = %s", other.terminal.pk)
    (difference,) = about(found(verify, till), 1002)
    assert difference[0] == "is neither posted nor held, and repeats nothing"


def test_a_batch_of_a_shift_of_nobody(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    tamper("UPDATE inbox_batch SET shift_id = gen_random_uuid()")
    assert found(verify, till)[0]["what"] == "shift"


@pytest.mark.parametrize("column", ["size", "order_count", "movement_count"])
def test_a_batch_that_says_it_holds_something_else(
    till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper, *, column: str
) -> None:
    tamper(f"UPDATE inbox_batch SET {column} = {column} + 1")
    (difference,) = found(verify, till)
    assert difference["what"].endswith("of the stored body")


def test_taxes_that_are_not_even_taxes(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    tamper(f"""UPDATE sales_orderline SET taxes = '"[]"' WHERE order_id = {ROW}""", order["order_id"])
    assert ("line 1 tax 1 code", "FR-5.5", 'unreadable: "[]"') in about(found(verify, till), 1002)


def test_lines_of_no_order(till: Till, order: dict[str, Any], verify: Verify, tamper: Tamper) -> None:
    copy_row(tamper, "sales_orderline", {"order_id": "-order_id"}, f"order_id = {ROW}", order["order_id"])
    (difference,) = found(verify, till)
    assert (difference["what"], difference["expected"], difference["found"]) == ("lines of orders", "3", "4")


def test_a_thousand_rows_are_named_and_the_rest_counted(
    till: Till, verify: Verify, tamper: Tamper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backoffice.audit.leftovers.MOST_NAMED", 2)
    till.sell(*[a_sale(1001 + number) for number in range(5)])
    tamper("DELETE FROM inbox_batch")
    further = [each["found"] for each in found(verify, till) if each["where"] == "further rows"]
    assert further == ["3", "3", "3"]


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE sales_cashmovement SET amount = 4000", "amount"),
        ("UPDATE sales_cashmovement SET kind = 'cash_out'", "kind"),
        ("DELETE FROM sales_cashmovement", "row of what is posted"),
        ("DELETE FROM ledger_journalentry WHERE source_kind = 'movement'", "journal entry"),
    ],
)
def test_a_changed_cash_movement(till: Till, verify: Verify, tamper: Tamper, *, change: str, what: str) -> None:
    movement = a_movement(5000)
    till.sell(movements=[movement])
    tamper(change)
    named = [each["what"] for each in found(verify, till) if movement["movement_id"] in each["where"]]
    assert named == [what]


def test_a_cash_movement_that_was_made_up(till: Till, verify: Verify, tamper: Tamper) -> None:
    till.sell(movements=[a_movement()])
    new = str(uuid4())
    copy_row(tamper, "sales_cashmovement", {"movement_id": f"'{new}'"}, "true")
    assert [each["where"] for each in found(verify, till)] == [f"cash movement {new}"]


@pytest.fixture
def short(till: Till, verify: Verify) -> Till:
    """A till whose shift closed 3.50 short, and whose next one opened."""
    orders = [a_sale(1001)]
    batch = uuid4()
    till.sell(*orders, batch_id=batch)
    assert till.close(*orders, batches=[batch], counted=20240 - 350).json()["state"] == "reconciled"
    till.open(number=312, first_number=1002, opening_float=10000)
    assert verify()[0] == 0
    return till


@pytest.mark.parametrize(
    ("change", "where", "what"),
    [
        ("UPDATE sales_shift SET over_short = 0 WHERE number = 311", "shift 311", "over or short"),
        ("UPDATE sales_shift SET expected_cash = 0 WHERE number = 311", "shift 311", "expected cash as reconciled"),
        (
            "UPDATE sales_shift SET computed = jsonb_set(computed, '{payments,cash}', '1') WHERE number = 311",
            "shift 311",
            "payments by cash as reconciled",
        ),
        (
            "UPDATE sales_shift SET opening_float = 9999 WHERE number = 312",
            "opening of shift 312",
            "lines of journal entry",
        ),
        (
            "UPDATE sales_shift SET declared = jsonb_set(declared, '{cash_counted}', '1') WHERE number = 311",
            "over or short, reconciliation 1 of shift 311",
            "lines of journal entry",
        ),
        (
            "UPDATE sales_shift SET opening_entry_id = opening_entry_id + 1 WHERE number = 312",
            "opening of shift 312",
            "number of its entry",
        ),
        ("DELETE FROM ledger_entrysource WHERE source_kind = 'over_short'", "shift 311", "over or short posted in all"),
        ("DELETE FROM ledger_entrysource WHERE source_kind = 'opening'", "opening of shift 312", "journal entry"),
        (
            DOUBLED,
            "over or short, reconciliation 1 of shift 311",
            "lines of journal entry",
        ),
    ],
)
def test_cash_that_was_changed(
    short: Till, verify: Verify, tamper: Tamper, *, change: str, where: str, what: str
) -> None:
    tamper(change)
    named = [(each["where"], each["what"]) for each in found(verify, short)]
    assert any(place.startswith(where) and said.startswith(what) for place, said in named), named


def test_people_read_the_first_differences_and_a_count(
    till: Till, verify: Verify, tamper: Tamper, capsys: pytest.CaptureFixture[str]
) -> None:
    till.sell(*[a_sale(1001 + number) for number in range(60)])
    tamper("UPDATE sales_order SET tip = 5")
    with pytest.raises(SystemExit, match="1"):
        call_command("verify_books")
    printed = capsys.readouterr().out
    assert f"{till.store.code}: order 1001 (" in printed
    assert "order 1051 (" not in printed
    assert printed.endswith("... and 10 more.\nThe books do not agree with what the tills sent: 60 differences.\n")


def copy_row(
    tamper: Tamper, table: str, changes: dict[str, str], where: str, *values: Any, key: str | None = None
) -> None:
    """Inserts the rows of `where` once more, with some columns changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
        columns = [name for (name,) in cursor.fetchall()]
    chosen = ", ".join(changes.get(name, name) for name in columns)
    if key is not None:
        where = where.replace(ENTRY, "(SELECT min(abs(entry_id)) FROM ledger_entrysource WHERE source_id = %s)")
    tamper(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {chosen} FROM {table} WHERE {where}", *values)


def replace_body(
    tamper: Tamper, change: Callable[[bytes], bytes], *, keep_digest: bool = False, orders: int = 3
) -> None:
    """Changes the stored bytes of the batch with so many orders."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT batch_id, body, digest FROM inbox_batch WHERE order_count = %s", [orders])
        batch_id, body, digest = cursor.fetchone()
    changed = change(zlib.decompress(body))
    assert changed != zlib.decompress(body)
    assert json.loads(changed)
    new = bytes(digest) if keep_digest else hashlib.sha256(changed).digest()
    tamper(
        "UPDATE inbox_batch SET body = %s, digest = %s, size = %s WHERE batch_id = %s",
        zlib.compress(changed), new, len(changed), batch_id,
    )  # fmt: skip


def test_a_large_order_that_was_read_in_its_day_must_still_follow_from_its_bytes(
    till: Till, verify: Verify, tamper: Tamper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(members, "read_order", partial(read_order, max_bytes=10**9))
    large = a_sale(1002, x="y" * 300_000)
    till.sell(large)
    tamper("UPDATE sales_order SET note = 'changed' WHERE order_id = %s", large["order_id"])
    assert about(found(verify, till), 1002) == [("note", "", "changed")]


def test_a_member_that_was_held_unread_must_still_be_held(till: Till, verify: Verify, tamper: Tamper) -> None:
    till.sell(a_sale(1002, x="y" * 300_000))
    tamper("DELETE FROM sales_helditem WHERE terminal_id = %s", till.terminal.pk)
    assert found(verify, till)
