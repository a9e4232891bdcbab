"""What a till says of money that moves otherwise than by selling: returns, adjustments, the drawer at the close."""

from collections.abc import Callable

import httpx
import pytest

from backoffice_terminal import Draft, TaxRate, Terminal
from backoffice_terminal.testing import FakeBackOffice

Ring = Callable[[], Draft]


def declared(server: FakeBackOffice) -> dict[str, object]:
    (shift,) = (shift for shift in server.shifts.values() if shift.declaration)
    return shift.declaration or {}


def test_an_exchange_gives_back_what_another_receipt_sold(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    first = till.sell(baguette()).order
    draft = till.draft()
    draft.add(name="Cake", unit_price=900)
    draft.take_back(first, [0])
    draft.pay("cash", draft.due)
    exchange = till.sell(draft).order
    assert (exchange.kind, exchange.total, exchange.lines[1].refund_of) == ("sale", 780, first.order_id)
    found = till.find_order(first.order_id)
    assert found.order == first
    assert (found.given_back.amount, found.given_back.by[0].order_id) == (120, exchange.order_id)
    assert till.find_by_number(found.terminal_id, first.number) == found


def test_a_tip_on_the_slip_adjusts_the_order_and_sells_nothing(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    sold = till.sell(baguette()).order
    tip = till.adjust(sold.order_id, {"card": 200}, tip=200).order
    assert (tip.lines, tip.total, tip.tip, tip.adjusts) == ((), 0, 200, sold.order_id)
    till.adjust(sold.order_id, {"cash": -120, "card": 120})
    assert till.totals(till.shift().shift_id).payments == {"cash": 0, "card": 320}


def test_a_discount_off_the_whole_order_is_a_line_of_its_own(till: Terminal) -> None:
    draft = till.draft()
    draft.add(name="Bag", quantity="2", unit_price=212, taxes=[TaxRate("FR-20", "0.2")])
    draft.add(kind="discount", name="Student", quantity="-1", unit_price=42, taxes=[TaxRate("FR-20", "0.2")])
    assert (draft.total, [line.taxes[0].amount for line in draft.lines]) == (382, [71, -7])


def test_a_fixed_tax_stays_when_the_price_is_reduced(till: Terminal) -> None:
    draft = till.draft()
    bottle = TaxRate("BOTTLE", "0", "fixed", per_unit=29)
    draft.add(quantity="3", unit_price=500, taxes=[bottle])
    draft.discount_all(100)
    assert (draft.lines[0].amount, draft.lines[0].taxes[0].amount) == (1400, 87)


def test_a_blind_close_ends_the_shift_without_a_count(
    boot: Callable[[], Terminal], till: Terminal, server: FakeBackOffice
) -> None:
    shift = till.close_shift(cash_counted=None)
    assert (shift.counted, shift.declared, declared(server)["cash_counted"]) == (None, True, None)
    assert boot().open_shift(cashier="Ben", opening_float=0).number == 2


def test_a_blind_close_that_got_no_answer_is_finished_later(till: Terminal, server: FakeBackOffice) -> None:
    server.script = [httpx.ConnectError("gone")] * 3
    with pytest.raises(Exception, match="gone"):
        till.close_shift(cash_counted=None)
    till.sync()
    assert declared(server)["cash_counted"] is None


def test_the_newest_seal_of_the_books_is_kept(till: Terminal, server: FakeBackOffice) -> None:
    answer = {"server_time": "2026-03-01T10:00:00Z", "clock_skew_ms": 0, "checkpoint": "seal-1"}
    server.script = [httpx.Response(200, json=answer)]
    till.heartbeat()
    till.heartbeat()
    assert till.journal.fact("checkpoint") == "seal-1"
