"""Books that are right: no difference, and exactly the figures that the tills sent."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection

from backoffice.audit.rules import KIND_ACCOUNTS
from backoffice.domain import posting, rules
from backoffice.domain.wire.members import read_movement, read_order
from backoffice.ingestion.batch import members
from backoffice.ingestion.sweep import process_waiting
from backoffice.sales.models import Identity
from tests.integration.audit.test_tampered_books import replace_body
from tests.till import Till, a_movement, a_sale, a_store, entry_of, outcomes

pytestmark = pytest.mark.django_db

Verify = Callable[[], tuple[int, dict[str, Any]]]


def a_refund(number: int, **changes: Any) -> dict[str, Any]:
    """The example's refund, in cash."""
    line = a_sale(1)["lines"][0] | {"quantity": "-2", "amount": -240}
    line["taxes"] = [{"code": "FR-5.5", "rate": "0.055", "amount": -13}]
    payments = [{"method": "cash", "amount": -240}]
    return a_sale(number, kind="refund", lines=[line], total=-240, payments=payments, **changes)


def test_nothing_at_all_agrees(verify: Verify) -> None:
    assert verify() == (0, {"orders": 0, "stores": [], "differences": []})


def test_it_prints_exactly_these_figures(verify: Verify) -> None:
    till = Till(a_store("PAR1"))
    till.open()
    sales = [a_sale(1001), a_sale(1002, total=240, tip=60, payments=[{"method": "card", "amount": 300}])]
    orders = [*sales, a_refund(1003), a_sale(1004, status="voided"), a_sale(1005, status="training")]
    till.sell(*orders, movements=[a_movement()])
    a_store("ROM1", name="Roma")
    assert verify() == (
        0,
        {
            "orders": 3,
            "stores": [
                {
                    "code": "PAR1",
                    "currency": "EUR",
                    "orders": 3,
                    "sales": 480,
                    "refunds": -240,
                    "tax": 13,
                    "tips": 60,
                    "payments": {"card": 300, "cash": 0},
                },
                {
                    "code": "ROM1",
                    "currency": "EUR",
                    "orders": 0,
                    "sales": 0,
                    "refunds": 0,
                    "tax": 0,
                    "tips": 0,
                    "payments": {},
                },
            ],
            "differences": [],
        },
    )


def test_a_day_with_everything_in_it_agrees(till: Till, verify: Verify) -> None:
    first, known, odd = a_sale(1001), a_sale(1002), a_sale(1003, total=999)
    unknown = {"order_id": str(uuid4()), "number": True}
    rubbish = "not an order"
    got = till.sell(
        first, known, odd, unknown, rubbish, movements=[a_movement(), a_movement(-1), a_movement(5, reason="x")]
    )
    assert outcomes(got) == ["posted", "posted", "held", "held", "held"]
    again = [
        known | {"mode": "online", "printed_to": "none", "newer_field": 1},
        odd,
        unknown,
        rubbish,
        first | {"note": "changed"},
        a_sale(1002),
        a_sale(1006) | {"customer": {"name": "Zoë", "points": 1e3, "card": 12345678901234567890}},
        a_sale(1007, note="\ud800"),
    ]
    twice = a_sale(1008)
    receipt = till.sell(*again, twice, twice, movements=[a_movement()])
    assert outcomes(receipt) == [*["duplicate"] * 4, *["conflict"] * 2, "posted", "held", "posted", "duplicate"]
    assert verify()[0] == 0


def test_cash_movements_sent_again_agree(till: Till, verify: Verify) -> None:
    movement, odd = a_movement(), a_movement(-5)
    till.sell(movements=[movement, odd, "rubbish", movement])
    till.sell(movements=[odd, "rubbish", movement, movement | {"amount": 1}])
    assert verify()[0] == 0


def test_two_contents_of_one_new_order_in_one_batch_agree(till: Till, verify: Verify) -> None:
    order = a_sale(1001)
    assert outcomes(till.sell(order, order | {"note": "other"}, order)) == ["conflict", "conflict", "duplicate"]
    code, report = verify()
    assert (code, report["orders"]) == (0, 0)


def test_an_order_of_another_terminal_is_in_conflict_and_agrees(till: Till, verify: Verify) -> None:
    other = Till(till.store, name="Till 2")
    other.open()
    order = a_sale(1001)
    assert outcomes(till.sell(order)) == ["posted"]
    assert outcomes(other.sell(order)) == ["conflict"]
    assert verify()[0] == 0


def test_numbers_and_times_in_every_spelling_agree(till: Till, verify: Verify) -> None:
    line = a_sale(1)["lines"][0]
    fuel = line | {"quantity": "20.1500", "unit_price": "12.3456", "amount": 249, "taxes": [], "discount": 0}
    order = a_sale(1001, opened_at="2026-03-01T09:00:00.123456Z", closed_at="2026-03-01T10:00:00.1234567-01:30")
    order |= {"order_id": order["order_id"].upper(), "lines": [fuel], "total": 249}
    order["payments"] = [{"method": "wallet", "amount": 249}]
    assert outcomes(till.sell(order)) == ["posted"]
    assert verify()[0] == 0


@pytest.mark.parametrize("inclusive", [True, False])
def test_both_price_modes_and_every_kind_of_line_agree(verify: Verify, inclusive: bool) -> None:
    till = Till(a_store(prices_include_tax=inclusive))
    till.open()
    kinds = ["item", *KIND_ACCOUNTS]
    line = {"quantity": "1", "unit_price": 1200, "discount": 200, "amount": 1000}
    lines = [line | {"kind": kind, "taxes": [{"code": "T", "rate": "0.2", "amount": 167}]} for kind in kinds]
    lines += [
        {"quantity": "-1", "unit_price": 500, "amount": -500},
        {"quantity": "1", "unit_price": 400, "discount": 400, "amount": 0},
    ]
    total = 7 * 1000 - 500 - 2 + (0 if inclusive else 7 * 167)
    methods = ["cash", "card", "gift_card", "wallet", "voucher", "bank_transfer", "points", "on_account"]
    payments = [{"method": method, "amount": 100} for method in methods]
    payments += [{"method": "card", "amount": total + 50 - 700}, {"method": "cash", "amount": -100}]
    order = a_sale(1001, lines=lines, rounding=-2, total=total, tip=50, payments=payments)
    assert outcomes(till.sell(order, a_sale(1002, lines=[], total=0, payments=[]))) == ["posted"] * 2
    assert verify()[0] == 0


def an_adjustment(number: int, of: dict[str, Any], payments: dict[str, int], **changes: Any) -> dict[str, Any]:
    """A change of how an order was paid, or of its tip."""
    paid = [{"method": method, "amount": amount} for method, amount in payments.items()]
    return a_sale(number, adjusts=of["order_id"], lines=[], total=0, payments=paid, **changes)


@pytest.mark.parametrize("inclusive", [True, False])
def test_discounts_of_the_whole_order_and_goods_of_several_receipts_agree(verify: Verify, inclusive: bool) -> None:
    till = Till(a_store(prices_include_tax=inclusive))
    till.open()
    sold = {"quantity": "2", "unit_price": 212, "amount": 424, "taxes": [{"code": "T", "rate": "0.2", "amount": 85}]}
    off = {"kind": "discount", "quantity": "-1", "unit_price": 42, "amount": -42}
    off["taxes"] = [{"code": "T", "rate": "0.2", "amount": -9, "kind": "compound"}]
    total = 382 if inclusive else 458
    sale = a_sale(1001, lines=[sold, off], total=total, payments=[{"method": "cash", "amount": total}])
    card = sold | {
        "kind": "gift_card",
        "unit_price": 10000,
        "quantity": "1",
        "discount": 5000,
        "amount": 5000,
        "taxes": [],
    }
    gift = a_sale(1002, lines=[card], total=5000, payments=[{"method": "card", "amount": 5000}])
    back = [
        {**line, "quantity": "-1", "amount": -line["amount"], "discount": -line.get("discount", 0)}
        for line in (sold, card)
    ]
    back[0]["taxes"] = [{"code": "T", "rate": "0.2", "amount": -85, "kind": "fixed"}]
    for line, of in zip(back, (sale, gift), strict=True):
        line["refund_of"] = of["order_id"]
    given = -5424 - (0 if inclusive else 85)
    refund = a_sale(1003, kind="refund", lines=back, total=given, payments=[{"method": "cash", "amount": given}])
    assert outcomes(till.sell(sale, gift, refund)) == ["posted"] * 3
    assert outcomes(till.sell(refund, refund | {"refund_of": sale["order_id"]})) == ["duplicate", "conflict"]
    assert verify()[1]["differences"] == []


@pytest.mark.parametrize("status", ["paid", "voided", "training"])
@pytest.mark.parametrize("amount", [240, -240])
def test_lines_that_name_a_sale_agree_whether_they_give_it_back_or_not(
    till: Till, verify: Verify, *, status: str, amount: int
) -> None:
    line = {"quantity": "1", "unit_price": amount, "amount": amount, "refund_of": str(uuid4())}
    payments = [{"method": "cash", "amount": amount}]
    order = a_sale(1001, status=status, lines=[line], total=amount, payments=payments)
    assert outcomes(till.sell(order)) == ["posted"]
    assert verify()[1]["differences"] == []


def test_adjustments_and_what_is_held_of_them_agree(till: Till, verify: Verify) -> None:
    sale = a_sale(1001)
    orders = [
        sale,
        an_adjustment(1002, sale, {"card": 200}, tip=200),
        an_adjustment(1003, sale, {"cash": -240, "card": 240}),
        an_adjustment(1004, a_sale(1), {"card": -240, "on_account": 240}),
        a_sale(1005, adjusts=sale["order_id"]),
        a_sale(1006, kind="refund"),
        a_sale(1007, lines=[a_sale(1)["lines"][0] | {"taxes": [{"code": "T", "rate": "0", "amount": 0, "kind": "?"}]}]),
        a_sale(1008, lines=[], payments=[], status="voided"),
        a_sale(1009, lines=[], payments=[], status="training"),
    ]
    expected = [*["posted"] * 4, *["held"] * 3, *["posted"] * 2]
    assert outcomes(till.sell(*orders)) == expected
    assert outcomes(till.sell(*orders)) == ["duplicate"] * 9
    assert verify()[1]["differences"] == []


def test_texts_that_were_shortened_agree(till: Till, verify: Verify) -> None:
    long = "ö" * 501
    lines = [a_sale(1)["lines"][0] | {"sku": long, "name": long}]
    payments = [{"method": "card", "amount": 240, "reference": long}]
    order = a_sale(1001, cashier=long, note=long, lines=lines, payments=payments)
    movement = a_movement(cashier=long)
    receipt = till.sell(order, movements=[movement])
    assert (outcomes(receipt), receipt["movements"]["outcomes"]["posted"]) == (["posted"], 1)
    receipt = till.sell(order, order | {"note": long + "!"}, movements=[movement])
    assert (outcomes(receipt), receipt["movements"]["outcomes"]["duplicate"]) == (["duplicate", "conflict"], 1)
    assert verify()[1]["differences"] == []


def as_of_before(*orders: dict[str, Any]) -> None:
    """What of them is known is as the version before noted it, which knew one version of content hashes."""
    Identity.objects.filter(item_id__in=[order["order_id"] for order in orders]).update(hash_version=None)


FOREIGN: dict[str, dict[str, Any]] = {
    "adjusts": {"adjusts": 5},
    "refund_of": {"lines": [a_sale(1)["lines"][0] | {"refund_of": "R-17"}]},
    "kind": {
        "lines": [a_sale(1)["lines"][0] | {"taxes": [{"code": "FR-5.5", "rate": "0.055", "amount": 13, "kind": "VAT"}]}]
    },
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_was_posted_while_new_fields_were_passed_over_agrees(
    till: Till, verify: Verify, tamper: Callable[..., None], name: str
) -> None:
    """Sent then with something else under their names, sent again now, with it and without."""
    plain = a_sale(1001)
    foreign = plain | FOREIGN[name]
    till.sell(plain, batch_id=uuid4())
    replace_body(tamper, lambda _: json.dumps({"orders": [foreign]}).encode(), orders=1)
    as_of_before(plain)
    assert outcomes(till.sell(foreign, a_sale(1002))) == ["duplicate", "posted"]
    assert outcomes(till.sell(plain)) == ["duplicate"]
    assert verify()[1]["differences"] == []


@pytest.mark.parametrize("name", FOREIGN)
def test_what_was_held_while_new_fields_were_passed_over_agrees(
    till: Till, verify: Verify, tamper: Callable[..., None], name: str
) -> None:
    plain = a_sale(1001, total=7)
    foreign = plain | FOREIGN[name]
    till.sell(plain)
    replace_body(tamper, lambda _: json.dumps({"orders": [foreign]}).encode(), orders=1)
    as_of_before(plain)
    assert outcomes(till.sell(foreign, plain)) == ["duplicate"] * 2
    assert verify()[1]["differences"] == []


def without_discount(entry: Any, account: str, _: Any, *, net: int, prices_include_tax: bool) -> None:
    entry.credit(account, net)


def test_what_was_posted_by_the_rules_before_agrees(
    till: Till, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gift card sold at half its price owed the half; a refund whose total is positive was posted."""
    card = {"kind": "gift_card", "quantity": "1", "unit_price": 10000, "discount": 5000, "amount": 5000}
    gift = a_sale(1001, lines=[card], total=5000, payments=[{"method": "card", "amount": 5000}])
    odd = a_sale(1002, kind="refund")
    with monkeypatch.context() as before:
        before.setattr(posting, "_post_sold", without_discount)
        before.setattr(rules, "_not_what_it_says", lambda _: ())
        assert outcomes(till.sell(gift, odd)) == ["posted"] * 2
    assert entry_of(gift["order_id"]) == {("1100", 5000, 0), ("2200", 0, 5000)}
    as_of_before(gift, odd)
    assert verify()[1]["differences"] == []


def test_shifts_with_over_and_short_late_orders_and_a_next_opening_agree(till: Till, verify: Verify) -> None:
    orders, late = [a_sale(1001), a_sale(1002)], a_sale(1003)
    batch, later_batch = uuid4(), uuid4()
    till.sell(*orders, batch_id=batch, movements=[a_movement(800, kind="cash_out", reason="tips")])
    closed = till.close(*orders, late, batches=[batch, later_batch], counted=20000 + 720 - 800 - 350)
    assert closed.json()["state"] == "closing"
    first = till.shift_id
    till.open(number=312, opening_float=15000, first_number=1004)
    till.sell(late, batch_id=later_batch, shift_id=first)
    assert verify()[0] == 0
    till.sell(a_sale(1004), shift_id=first)  # after the close: reconciled once more
    till.sell(a_sale(1005))
    till.close(counted=1)
    till.open(number=313, opening_float=0, first_number=1006)
    assert verify()[0] == 0


def test_what_waits_is_not_in_the_figures_and_no_difference(till: Till, capsys: pytest.CaptureFixture[str]) -> None:
    till.sell(a_sale(1001))
    till.upload(a_sale(1002), a_sale(1003))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE inbox_batch SET state = 'failed' WHERE state = 'received'")
    call_command("verify_books", "--json")
    assert "1 batch waits (1 of them failed), 2 orders in all" in capsys.readouterr().err
    call_command("verify_books")
    assert "1 batch waits (1 of them failed), 2 orders in all" in capsys.readouterr().out


def test_people_read_a_table_per_store(capsys: pytest.CaptureFixture[str]) -> None:
    till = Till(a_store("TYO1", name="Ginza", currency="JPY", timezone="Asia/Tokyo"))
    till.open()
    till.sell(a_sale(1001))
    call_command("verify_books")
    assert capsys.readouterr().out.splitlines() == [
        "TYO1  Ginza (JPY)",
        "  orders        1",
        "  sales    JP¥240",
        "  refunds    JP¥0",
        "  tax       JP¥13",
        "  tips       JP¥0",
        "  by cash  JP¥240",
        "",
        "The books agree with what the tills sent.",
    ]


def test_whoever_watches_sees_how_far_it_is(
    till: Till, verify: Verify, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    till.sell(a_sale(1001), a_sale(1002))
    monkeypatch.setattr("backoffice.management.progress.QUIET_S", 0)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    capsys.readouterr()
    call_command("verify_books", "--json")
    assert "] 100%: 2 of 2 orders and seals, " in capsys.readouterr().err


def test_many_batches_are_gone_through_in_chunks(till: Till, verify: Verify, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backoffice.audit.batches.MOST_MEMBERS", 3)
    monkeypatch.setattr("backoffice.audit.batches.FETCH", 2)
    orders = [a_sale(1001 + number) for number in range(14)]
    for start in range(0, 14, 2):
        till.upload(*orders[start : start + 2])
    till.upload(*orders)
    process_waiting()
    code, report = verify()
    assert (code, report["orders"]) == (0, 14)


def a_large_sale(number: int) -> dict[str, Any]:
    return a_sale(number, x="y" * 300_000)


def test_members_that_are_too_large_to_be_read_agree(till: Till, verify: Verify) -> None:
    large, movement = a_large_sale(1002), a_movement(x="y" * 300_000)
    till.sell(a_sale(1001), large, a_sale(1003), movements=[movement])
    again = till.sell(large, a_large_sale(1002), movements=[movement])
    assert outcomes(again) == ["duplicate", "held"]
    assert again["movements"]["outcomes"]["duplicate"] == 1
    assert verify()[1]["differences"] == []


def test_large_members_that_were_read_in_their_day_are_no_difference(
    till: Till, verify: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, movement = a_large_sale(1001), a_movement(x="y" * 300_000)
    wrong = {**a_large_sale(1002), "total": 1}
    with monkeypatch.context() as before:
        before.setattr(members, "read_order", partial(read_order, max_bytes=10**9))
        before.setattr(members, "read_movement", partial(read_movement, max_bytes=10**9))
        receipt = till.sell(large, wrong, {"no": "order", "x": "y" * 300_000}, movements=[movement])
        assert outcomes(receipt) == ["posted", "held", "held"]
        assert outcomes(till.sell(large, wrong)) == ["duplicate", "duplicate"]
    assert receipt["results"][0]["order_id"] == large["order_id"], "its receipt still names it"
    assert outcomes(till.sell(large, wrong)) == ["held", "held"], "today nobody reads them"
    assert outcomes(till.sell(large, wrong)) == ["duplicate", "duplicate"]
    _, report = verify()
    assert report["differences"] == []
    assert report["stores"][0]["sales"] == 240
