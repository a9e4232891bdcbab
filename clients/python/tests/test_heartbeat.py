"""What a till reports about itself, and what it does with the answer (§4)."""

from collections.abc import Callable
from datetime import UTC, datetime

import httpx
import pytest
from till_clock import Clock

from backoffice_terminal import Device, Draft, LinkError, Terminal
from backoffice_terminal.testing import FakeBackOffice, problem

Ring = Callable[[], Draft]


def test_a_till_online_with_nothing_to_send_says_so(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    till.sell(baguette())
    answer = till.heartbeat()
    (beat,) = server.heartbeats
    assert (beat["offline_mode"], beat["cached_orders"], beat["cached_total"]) == (False, 0, 0)
    assert (beat["oldest_cached_at"], beat["last_number"]) == (None, 1)
    assert (beat["shift_id"], answer.open_shift_id) == (till.shift().shift_id, till.shift().shift_id)
    assert answer.missing_numbers == ()


def test_a_till_tells_what_it_keeps_and_since_when(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    till.go_offline()
    first = till.sell(baguette()).order
    till.sell(baguette(), status="voided")
    back = till.refund(first)
    back.pay("cash", back.due)
    till.sell(back)
    till.sell(baguette())
    till.heartbeat()
    (beat,) = server.heartbeats
    assert (beat["offline_mode"], beat["cached_orders"], beat["cached_total"]) == (True, 4, 120)
    assert (beat["oldest_cached_at"], beat["last_number"]) == (first.closed_at, 4)
    assert till.mode == "offline"


def test_a_refused_order_still_counts_as_kept(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    server.script = [problem(422, "envelope-invalid")]
    till.sell(baguette())
    till.heartbeat()
    assert server.heartbeats[0]["cached_orders"] == 1


def test_a_till_before_its_first_shift_has_no_number_and_no_shift(
    boot: Callable[[], Terminal], server: FakeBackOffice
) -> None:
    till = boot()
    till.activate("7KQF-2MXD-9RTV", Device("Till 1", app_version="4.1.0"))
    till.heartbeat()
    (beat,) = server.heartbeats
    assert (beat["last_number"], beat["shift_id"], beat["app_version"]) == (None, None, "4.1.0")


def test_a_simulated_clock_is_not_taken_for_the_devices(till: Terminal, server: FakeBackOffice) -> None:
    till.heartbeat(at=datetime(2030, 1, 1, tzinfo=UTC))
    assert server.heartbeats[0]["sent_at"] == "2030-01-01T00:00:00+00:00"


def test_numbers_that_back_office_misses_are_sent_again(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    for _ in range(5):
        till.sell(baguette())
    for order in list(server.orders.values())[1:3]:
        del server.orders[order.body["order_id"]]
    assert till.heartbeat().missing_numbers == ((2, 3),)
    assert sorted(order["number"] for order in server.posted()) == [1, 2, 3, 4, 5]
    assert till.heartbeat().missing_numbers == ()


def test_a_settled_shift_that_misses_something_starts_its_seven_days_anew(
    till: Terminal, server: FakeBackOffice, baguette: Ring, clock: Clock
) -> None:
    sold = [till.sell(baguette()) for _ in range(3)]
    shift = till.close_shift(cash_counted=20_360)
    till.sync()
    settled = till.journal.shift(shift.shift_id).settled_at
    del server.orders[sold[1].order.order_id]
    till.heartbeat()
    till.sync()
    again = till.journal.shift(shift.shift_id)
    assert again.state == "reconciled"
    assert (again.settled_at or "") > (settled or "")


def test_what_is_still_to_be_sent_is_not_sent_twice_for_a_gap(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    till.go_offline()
    till.sell(baguette())
    till.journal.note("mode", "online")
    till.sell(baguette())
    assert till.heartbeat().missing_numbers == ((1, 1),)
    assert len(server.receipts) == 1
    till.sync()
    assert len(server.receipts) == 2


def test_no_answer_is_no_answer(till: Terminal, server: FakeBackOffice) -> None:
    server.script = [httpx.ConnectError("down")]
    with pytest.raises(LinkError):
        till.heartbeat()


def test_a_shift_that_stands_open_again_is_sent_all_over(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    shift_id = till.shift().shift_id
    for _ in range(3):
        till.sell(baguette())
    till.close_shift(cash_counted=20_360)
    till.sync()
    shift = server.shifts[shift_id]
    shift.declaration = None
    for lost in list(server.orders)[1:]:
        del server.orders[lost]
    server.receipts.clear()
    shift.batches.clear()
    till.heartbeat()
    till.sync()
    assert shift.declaration is not None
    assert sorted(order["number"] for order in server.posted()) == [1, 2, 3]
    assert till.journal.shift(shift_id).state == "reconciled"
