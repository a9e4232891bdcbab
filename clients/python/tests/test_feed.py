"""The store's feed: every order once, when it is time, and from where the till stopped (§8)."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest
from till_clock import Clock

from backoffice_terminal import Device, Draft, LinkError, Terminal, feed
from backoffice_terminal.testing import After, FakeBackOffice, problem

Ring = Callable[[], Draft]


def polls(server: FakeBackOffice) -> list[str | None]:
    return [request.url.params.get("after") for request in server.requests if request.url.path.endswith("store/orders")]


def test_every_order_is_seen_once_and_the_cursor_is_used_as_given(
    till: Terminal, server: FakeBackOffice, baguette: Ring, clock: Clock
) -> None:
    till.sell(baguette())
    till.sell(baguette())
    assert [order.number for order in till.follow_store()] == [1, 2]
    till.sell(baguette())
    clock.pass_time(1)
    assert [order.number for order in till.follow_store()] == [3]
    assert polls(server) == [None, "c2"]
    assert [order.number for order in till.journal.store_orders()] == [1, 2, 3]


def test_it_asks_only_when_it_is_time(till: Terminal, server: FakeBackOffice, clock: Clock) -> None:
    server.feed_retry_after_s = 5
    till.follow_store()
    clock.pass_time(4.9)
    assert till.follow_store() == []
    assert len(polls(server)) == 1
    clock.pass_time(0.1)
    till.follow_store()
    assert len(polls(server)) == 2


def test_all_pages_are_read_at_once(
    till: Terminal, server: FakeBackOffice, baguette: Ring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "PAGE", 2)
    for _ in range(5):
        till.sell(baguette())
    assert [order.number for order in till.follow_store()] == [1, 2, 3, 4, 5]
    assert polls(server) == [None, "c2", "c4"]


def test_a_till_in_offline_mode_catches_up_from_where_it_was(
    till: Terminal, server: FakeBackOffice, baguette: Ring, clock: Clock
) -> None:
    till.sell(baguette())
    till.follow_store()
    till.go_offline()
    clock.pass_time(60)
    assert till.follow_store() == []
    till.sell(baguette())
    till.go_online()
    assert [order.number for order in till.follow_store()] == [2]
    assert polls(server) == [None, "c1"]


def test_the_cursor_survives_a_power_cut(
    till: Terminal, boot: Callable[[], Terminal], server: FakeBackOffice, baguette: Ring
) -> None:
    till.sell(baguette())
    till.follow_store()
    assert boot().follow_store() == []
    assert polls(server) == [None, "c1"]


def test_a_lost_page_is_asked_for_again_with_the_same_cursor(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    till.sell(baguette())
    server.script = [After(httpx.ReadTimeout("lost"))]
    assert [order.number for order in till.follow_store()] == [1]
    assert polls(server) == [None, None]


def test_a_cursor_that_is_not_known_any_more_begins_anew_and_repeats_nothing(
    till: Terminal, server: FakeBackOffice, baguette: Ring, clock: Clock
) -> None:
    till.sell(baguette())
    till.follow_store()
    till.sell(baguette())
    clock.pass_time(1)
    server.script = [problem(400, "cursor-invalid")]
    assert [order.number for order in till.follow_store()] == [2]
    assert polls(server) == [None, "c1", None]


def test_a_cursor_that_is_not_known_any_more_tells_of_a_restore(
    till: Terminal, server: FakeBackOffice, baguette: Ring, clock: Clock
) -> None:
    settled = till.shift().shift_id
    till.sell(baguette())
    till.close_shift(cash_counted=20_120)
    till.sync()
    till.follow_store()
    server.forget_everything()
    clock.pass_time(1)
    server.script = [problem(400, "cursor-invalid")]
    till.follow_store()
    assert [order["number"] for order in server.posted()] == [1]
    assert server.shifts[settled].declaration is not None


def test_no_answer_loses_no_order(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    till.sell(baguette())
    server.script = [httpx.ConnectError("down")] * 3
    with pytest.raises(LinkError):
        till.follow_store()
    assert [order.number for order in till.follow_store()] == [1]


def test_what_the_neighbours_sold_is_forgotten_after_a_month(till: Terminal, baguette: Ring, clock: Clock) -> None:
    till.sell(baguette())
    (seen,) = till.follow_store()
    assert seen.posted_at == "2026-03-01T10:00:00.5Z"
    clock.now += timedelta(days=30)
    till.prune()
    assert len(till.journal.store_orders()) == 1
    clock.now += timedelta(days=2)
    till.prune()
    assert till.journal.store_orders() == []


def test_two_tills_see_each_other(
    till: Terminal, server: FakeBackOffice, baguette: Ring, tmp_path: object, clock: Clock
) -> None:
    other = Terminal(
        till.journal.path.with_name("other.sqlite"), "http://back.office", now=clock, transport=server.transport
    )
    other.activate("7KQF-2MXD-9RTV", Device("Till 2"))
    till.sell(baguette())
    (seen,) = other.follow_store()
    assert seen.terminal == till.journal.fact("terminal_id")
    other.close()
