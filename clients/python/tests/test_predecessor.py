"""A device that is replaced (§10): the new one goes on with its numbers, its open shift and its cache."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from till_clock import Clock

from backoffice_terminal import Device, Draft, LinkError, NoOpenShift, ShiftStillOpen, Terminal
from backoffice_terminal.testing import FakeBackOffice

Ring = Callable[[], Draft]


@pytest.fixture
def new(tmp_path: Path, till: Terminal, server: FakeBackOffice, clock: Clock) -> Iterator[Terminal]:
    """The same terminal as `till`, as Back Office knows it, on a new disk."""
    new = Terminal(
        tmp_path / "new.sqlite",
        "http://back.office",
        now=clock,
        sleep=clock.sleep,
        monotonic=clock.monotonic,
        attempts=2,
        transport=server.transport,
    )
    new.activate("9RTV-7KQF-2MXD", Device("Till 1"))
    server.hand_over(str(new.journal.fact("token")), str(till.journal.fact("terminal_id")))
    yield new
    new.close()


def test_it_goes_on_with_the_numbers_of_its_predecessor(till: Terminal, new: Terminal, baguette: Ring) -> None:
    till.sell(baguette())
    till.close_shift(cash_counted=20_120)
    assert new.left_open() is None
    shift = new.open_shift(cashier="Ben", opening_float=0)
    assert (shift.number, shift.first_number) == (2, 2)


def test_it_closes_what_its_predecessor_left_open_and_goes_on(
    till: Terminal, new: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    for _ in range(2):
        till.sell(baguette())
    with pytest.raises(ShiftStillOpen, match="shift 1 of Anna is open on the device before this one"):
        new.open_shift(cashier="Ben", opening_float=15_000)
    left = new.left_open()
    assert left is not None
    assert (left.shift_id, left.cashier, left.opening_float) == (till.shift().shift_id, "Anna", 20_000)
    closed = new.close_left_open(cash_counted=20_240, float_left=15_000)
    assert (closed.shift_id, closed.declared) == (left.shift_id, True)
    declared = server.shifts[left.shift_id].declaration
    assert declared is not None
    assert (declared["first_number"], declared["last_number"], declared["order_count"]) == (1, 2, 2)
    assert (declared["totals"]["sales"], declared["totals"]["payments"]) == (240, {"cash": 240})
    assert (declared["cash_counted"], declared["float_left"], declared["batches"]) == (20_240, 15_000, [])
    new.sync()
    assert new.journal.shift(left.shift_id).state == "reconciled"
    assert new.left_open() is None
    shift = new.open_shift(cashier="Ben", opening_float=15_000)
    assert (shift.number, shift.first_number, shift.terms.opening_float) == (2, 3, 15_000)


def test_a_shift_in_which_nothing_was_sold_is_closed_blind(
    till: Terminal, new: Terminal, server: FakeBackOffice
) -> None:
    new.close_left_open(cash_counted=None, carried_over=[1])
    declared = server.shifts[till.shift().shift_id].declaration
    assert declared is not None
    assert (declared["last_number"], declared["cash_counted"], declared["carried_over"]) == (0, None, [1])


def test_a_close_without_an_answer_is_finished_later_as_it_was(
    till: Terminal, new: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    till.sell(baguette())
    server.script = [None, None, *[httpx.ConnectError("gone")] * 2]
    with pytest.raises(LinkError):
        new.close_left_open(cash_counted=20_000)
    with pytest.raises(NoOpenShift):  # it is closed here, and the close is saved
        new.close_left_open(cash_counted=1)
    new.sync()
    declared = server.shifts[till.shift().shift_id].declaration
    assert declared is not None
    assert declared["cash_counted"] == 20_000


def test_a_restore_does_not_lose_the_close_of_another_device(
    till: Terminal, new: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    till.sell(baguette())
    new.close_left_open(cash_counted=20_120)
    declared = server.shifts[till.shift().shift_id].declaration
    server.forget_everything()
    new.sync()
    assert server.shifts[till.shift().shift_id].declaration == declared


def test_the_cache_that_is_found_later_goes_to_the_shift_of_then(
    till: Terminal, new: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    till.sell(baguette())
    till.go_offline()
    kept = [till.sell(baguette()).order for _ in range(2)]
    till.cash_in(500, reason="change")
    left, path = till.shift().shift_id, till.journal.path
    till.close()
    new.close_left_open(cash_counted=20_860)
    new.send_kept(path)
    assert [order.shift_id for order in server.orders.values()] == [left] * 3
    assert {order.order_id for order in kept} <= server.orders.keys()
    new.send_kept(path)  # once more does no harm
    assert len(server.posted()) == 3


def test_an_opening_that_the_old_device_never_got_through_is_not_sent_any_more(
    till: Terminal, new: Terminal, server: FakeBackOffice
) -> None:
    till.close_shift(cash_counted=20_000)
    server.script = [httpx.ConnectError("gone")] * 3
    with pytest.raises(LinkError):
        till.open_shift(cashier="Ben", opening_float=0)
    path = till.journal.path
    till.close()
    new.send_kept(path)
    assert len(server.shifts) == 1
