"""Whole shifts before a Back Office in memory: what tills wrote down is what it has, however bad the line."""

from collections.abc import Callable

import msgspec
import pytest
from backoffice_terminal.testing import FakeBackOffice

from backoffice.domain.accounts import PAYMENT_ACCOUNTS
from backoffice.domain.orders import Order as WireOrder
from backoffice.domain.rules import flags, holds
from backoffice.domain.wire.members import read_order
from backoffice.workbench.simulator.catalogue import PARIS, SHOPS, Shop
from backoffice.workbench.simulator.crowd import at_once, settle_all, shift_rows, work_shifts
from backoffice.workbench.simulator.expectation import Sums, differences, written_down
from backoffice.workbench.simulator.link import ROUGH, Weather
from backoffice.workbench.simulator.mishaps import copy_journal, miscalculate, mislay, reboot_from_old_copy
from backoffice.workbench.simulator.till import Till
from tests.unit.domain.builders import NO_SETTINGS, ORDINARY, a_shift

Install = Callable[..., Till]
STORM = Weather(lost_requests=0.1, lost_answers=0.15, repeated=0.1, overtaken=0.1)


def in_memory(server: FakeBackOffice) -> Sums:
    """The sums of what the server has posted, added up without the simulator's own code."""
    paid = [order for order in server.posted() if order["status"] == "paid"]
    payments: dict[str, int] = {}
    for payment in (payment for order in paid for payment in order["payments"]):
        payments[payment["method"]] = payments.get(payment["method"], 0) + payment["amount"]
    return Sums(
        orders=len(paid),
        sales=sum(order["total"] for order in paid if order["kind"] == "sale"),
        refunds=sum(order["total"] for order in paid if order["kind"] == "refund"),
        tax=sum(tax["amount"] for order in paid for line in order["lines"] for tax in line["taxes"]),
        tips=sum(order["tip"] for order in paid),
        payments={method: amount for method, amount in payments.items() if amount},
    )


@pytest.mark.parametrize("seed", range(4))
def test_a_rough_line_loses_and_doubles_nothing(install: Install, server: FakeBackOffice, seed: int) -> None:
    tills = [install(number=number, seed=seed, weather=STORM) for number in (1, 2)]
    at_once(tills, work_shifts(shifts=2, orders=20))
    settle_all(tills)
    rows = shift_rows(tills)
    assert [(row.state, row.agrees, row.missing) for row in rows] == [("reconciled", True, 0)] * 4
    assert differences(written_down([till.path for till in tills]), in_memory(server)) == []


def test_a_run_can_be_repeated_from_its_seed(install: Install) -> None:
    def totals(number: int) -> list[tuple[int, str]]:
        till = install(number=number, seed=5)
        till.rng.seed(99)
        till.begin("Anna")
        return [(till.serve().order.total, till.terminal.mode) for _ in range(20)]

    assert totals(1) == totals(2)


def test_orders_made_without_a_line_carry_an_asterisk(install: Install) -> None:
    till = install()
    till.begin("Anna")
    till.lose_line()
    assert till.serve().label == "1*"
    till.regain_line()
    assert till.serve().label == "2"


def test_a_short_drawer_is_declared_short(install: Install, server: FakeBackOffice) -> None:
    till = install()
    shift_id = till.begin("Anna")
    till.serve()
    expected = till.terminal.expected_cash(shift_id)
    till.end(short=350)
    assert server.shifts[shift_id].declaration["cash_counted"] == expected - 350


def test_an_order_with_wrong_sums_is_held_and_expected_nowhere(install: Install, server: FakeBackOffice) -> None:
    till = install()
    till.begin("Anna")
    till.serve()
    wrong = miscalculate(till)
    till.end()
    till.settled()
    assert till.terminal.journal.order(wrong.order_id).outcome == "held"
    assert differences(written_down([till.path], except_for={wrong.order_id}), in_memory(server)) == []
    assert differences(written_down([till.path]), in_memory(server)) != []
    assert shift_rows([till])[0].state == "discrepant"


def test_a_till_that_reboots_from_an_old_copy_uses_a_number_twice(install: Install, server: FakeBackOffice) -> None:
    till = install()
    till.begin("Anna")
    copy = copy_journal(till)
    first = till.finish(till.ring_up()).order
    newer = reboot_from_old_copy(till, copy)
    till.lose_line()
    second = till.finish(till.ring_up()).order
    till.regain_line()
    assert (second.number, second.order_id != first.order_id) == (first.number, True)
    assert till.terminal.journal.order(second.order_id).outcome == "conflict"
    assert differences(written_down([till.path, newer], except_for={second.order_id}), in_memory(server)) == []


def test_mislaid_orders_are_named_and_found(install: Install) -> None:
    till = install(weather=ROUGH)
    till.begin("Anna")
    till.serve()
    till.persist(till.deliver)
    till.lose_line()
    mislaid = [till.serve().order for _ in range(5)][1:4]
    mislay(till, mislaid)
    till.regain_line()
    shift_id = till.end()
    view = till.persist(lambda: till.terminal.look(shift_id))
    assert view.state == "closing"
    assert view.missing_numbers == ((mislaid[0].number, mislaid[-1].number),)
    assert till.settled()
    assert shift_rows([till])[0].agrees


def test_the_first_error_at_a_till_stops_all_of_them(install: Install) -> None:
    tills = [install(number=number) for number in (1, 2)]

    def work(till: Till) -> None:
        till.begin("Anna")
        if till.number == 1:
            raise ValueError("the till fell off the counter")
        while True:
            till.serve()

    with pytest.raises(ValueError, match="fell off"):
        at_once(tills, work)


def test_differences_are_named_with_both_figures() -> None:
    ours, theirs = Sums(orders=2, payments={"cash": 10}), Sums(orders=1, payments={"card": 10})
    assert differences(ours, theirs) == [
        "orders: tills 2, books 1",
        "payments.card: tills 0, books 10",
        "payments.cash: tills 10, books 0",
    ]


def test_shops_of_a_chain_differ_in_their_code_alone() -> None:
    assert PARIS.coded("PARIS-2").items == PARIS.items


@pytest.mark.parametrize("shop", SHOPS, ids=lambda shop: shop.code)
def test_what_a_till_sells_is_never_held_and_never_wrong_in_itself(
    install: Install, server: FakeBackOffice, shop: Shop
) -> None:
    server.store |= {"currency": shop.currency, "prices_include_tax": shop.prices_include_tax}
    till = install(shop=shop)
    till.begin("Anna")
    sold = [till.serve().order for _ in range(300)]
    shift = a_shift(prices_include_tax=shop.prices_include_tax)
    mistakes = {"tax-mismatch", "line-amount-mismatch", "sign-mismatch", "change-mismatch"}
    for sent in sold:
        order = read_order(msgspec.json.encode(sent))
        assert isinstance(order, WireOrder), order
        assert holds(order, shift=shift, methods=PAYMENT_ACCOUNTS) == ()
        found = flags(order, shift=shift, settings=NO_SETTINGS, circumstances=ORDINARY)
        assert not mistakes & {flag.code for flag in found}
    lines = [line for order in sold for line in order.lines]
    assert {"item", "discount", "gift_card"} <= {line.kind for line in lines}
    assert any(order.adjusts for order in sold)
    assert any(line.refund_of for order in sold if order.kind == "sale" for line in order.lines)
    kinds = {"percent"} if shop.bottle is None else {"percent", "fixed", "compound"}
    assert {tax.kind for line in lines for tax in line.taxes} == kinds


def test_tills_leave_their_float_carry_over_and_close_blindly(install: Install, server: FakeBackOffice) -> None:
    tills = [install(number=number) for number in range(1, 5)]
    at_once(tills, work_shifts(shifts=6, orders=2, rough=False))
    closes = [shift.declaration for shift in server.shifts.values()]
    assert {"float_left", "carried_over"} <= {name for close in closes for name in close}
    assert any(close["cash_counted"] is None for close in closes)
