"""What the connection and the server do to a till, and what the till does about it (§9)."""

import base64
import gzip
import hashlib
from collections.abc import Callable

import httpx
import msgspec
import pytest
from till_clock import Clock

from backoffice_terminal import Busy, Draft, LinkError, ShiftAlreadyOpen, Terminal
from backoffice_terminal.testing import After, FakeBackOffice, problem

Ring = Callable[[], Draft]


def cached(till: Terminal, ring: Ring, count: int) -> None:
    till.go_offline()
    for _ in range(count):
        till.sell(ring())


def batch_requests(server: FakeBackOffice) -> list[httpx.Request]:
    return [request for request in server.requests if "/batches/" in request.url.path and request.method == "PUT"]


def test_an_answer_that_was_lost_is_asked_for_again_with_the_same_bytes(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    cached(till, baguette, 2)
    till._uplink.greet()
    server.script = [After(httpx.ReadTimeout("lost"))]
    till._uplink.deliver()
    first, second = batch_requests(server)
    assert (first.url, first.content) == (second.url, second.content)
    assert len(server.posted()) == 2


def test_large_bodies_are_compressed_and_the_digest_is_over_the_bytes_as_sent(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    cached(till, baguette, 10)
    till.go_online()
    request = batch_requests(server)[-1]
    assert request.headers["Content-Encoding"] == "gzip"
    assert len(msgspec.json.decode(gzip.decompress(request.content))["orders"]) == 10
    digest = base64.b64encode(hashlib.sha256(request.content).digest()).decode()
    assert request.headers["Content-Digest"] == f"sha-256=:{digest}:"


def test_a_batch_respects_the_limits_of_the_day(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    server.limits["max_batch_orders"] = 4
    cached(till, baguette, 10)
    till.go_online()
    sizes = [len(msgspec.json.decode(_plain(request))["orders"]) for request in batch_requests(server)]
    assert sizes == [4, 4, 2]


def test_a_batch_sealed_under_larger_limits_is_split_before_it_is_sent(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    cached(till, baguette, 9)
    till._uplink.seal(till.shift())
    server.limits["max_batch_orders"] = 4
    till.go_online()
    assert len(server.posted()) == 9
    assert len(server.receipts) > 2


def test_too_large_is_split_under_new_ids(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    cached(till, baguette, 5)
    till.cash_in(100, reason="change")
    till._uplink.greet()
    server.script = [httpx.Response(413, text="<html>nginx</html>")]
    till._uplink.deliver()
    assert [order["number"] for order in server.posted()] == [1, 2, 3, 4, 5]
    shift = till.close_shift(cash_counted=0)
    assert set(server.shifts[shift.shift_id].declaration["batches"]) == set(server.receipts)


def test_of_a_malformed_batch_each_order_goes_alone_and_the_culprit_is_shown(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    cached(till, baguette, 3)
    till._uplink.greet()
    malformed = problem(400, "body-malformed")
    server.script = [malformed, None, malformed, None]
    till._uplink.deliver()
    assert [order["number"] for order in server.posted()] == [1, 3]
    (culprit,) = till.refused()
    assert len(culprit.orders) == 1
    assert "body-malformed" in culprit.problem


def test_a_reused_batch_id_is_renewed(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    server.script = [problem(422, "identifier-reused")]
    assert till.sell(baguette()).outcome == "posted"
    first, second = batch_requests(server)
    assert first.url != second.url


def test_a_server_that_calls_every_id_reused_is_not_believed_for_ever(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    server.script = [problem(422, "identifier-reused")] * 20
    till.sell(baguette())
    assert len(till.refused()) == 1
    assert len(batch_requests(server)) < 5


def test_busy_is_waited_out_for_as_long_as_it_asks(
    till: Terminal, server: FakeBackOffice, baguette: Ring, clock: Clock
) -> None:
    server.script = [problem(429, "too-many-requests", retry_after_s=3)]
    assert till.sell(baguette()).outcome == "posted"
    assert clock.naps_s[-1] >= 3


def test_a_customer_does_not_wait_for_as_long_as_a_server_may_ask(
    till: Terminal, server: FakeBackOffice, baguette: Ring, clock: Clock
) -> None:
    server.script = [problem(503, "unavailable", retry_after_s=30)]
    before = len(server.requests)
    assert till.sell(baguette()).outcome is None
    assert (till.mode, len(server.requests)) == ("offline", before + 1)
    assert sum(clock.naps_s) == 0


def test_what_was_asked_of_one_call_holds_for_the_next(
    till: Terminal, server: FakeBackOffice, baguette: Ring, clock: Clock
) -> None:
    server.script = [problem(429, "too-many-requests", retry_after_s=30)]
    till.sell(baguette())
    clock.pass_time(10)
    till.sync()
    assert clock.naps_s == [20]
    assert len(server.posted()) == 1


def test_nobody_waits_for_an_hour(till: Terminal, server: FakeBackOffice, clock: Clock) -> None:
    server.script = [problem(503, "unavailable", retry_after_s=3_600)]
    before = len(server.requests)
    for _ in range(2):
        with pytest.raises(Busy):
            till.heartbeat()
    assert (len(server.requests), clock.naps_s) == (before + 1, [])
    clock.pass_time(3_600)
    till.heartbeat()


def test_a_body_that_was_too_slow_is_sent_again(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    server.script = [problem(408, "body-timeout")]
    assert till.sell(baguette()).outcome == "posted"
    first, second = batch_requests(server)
    assert (first.url, first.content) == (second.url, second.content)


def test_a_body_that_is_too_slow_again_and_again_is_halved(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    cached(till, baguette, 4)
    till._uplink.greet()
    server.script = [problem(408, "body-timeout")] * 3
    till._uplink.deliver()
    assert [order["number"] for order in server.posted()] == [1, 2, 3, 4]
    assert [len(msgspec.json.decode(_plain(request))["orders"]) for request in batch_requests(server)] == [
        4,
        4,
        4,
        2,
        2,
    ]


def test_a_single_order_that_is_too_slow_waits_for_a_better_line(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    server.script = [httpx.Response(408)] * 2
    till.sell(baguette())
    assert (till.mode, till.refused()) == ("offline", [])
    till.go_online()
    assert len(server.posted()) == 1


def test_the_distance_between_attempts_grows_and_differs(till: Terminal, server: FakeBackOffice, clock: Clock) -> None:
    server.script = [problem(503, "unavailable")] * 3
    with pytest.raises(Busy):
        till.sync()
    assert len(set(clock.naps_s)) == 2
    assert clock.naps_s[0] <= 0.25
    assert clock.naps_s[1] <= 0.5


def test_a_spoilt_digest_is_sent_again(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    server.script = [problem(400, "digest-mismatch")]
    assert till.sell(baguette()).outcome == "posted"


def test_the_login_page_of_a_wifi_is_no_answer(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    page = httpx.Response(200, text="<html>Welcome to FreeWifi</html>")
    server.script = [page, httpx.Response(403, text="<html>Pay first</html>")]
    till.sell(baguette())
    assert till.mode == "offline"
    assert till.refused() == []


def test_an_unknown_shift_is_opened_again(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    server.forget_everything()
    assert till.sell(baguette()).outcome == "posted"


def test_deferred_batches_are_read_later(till: Terminal, server: FakeBackOffice, baguette: Ring) -> None:
    server.defer = True
    sold = till.sell(baguette())
    assert sold.outcome is None
    server.process()
    till.sync()
    assert till.journal.order(sold.order.order_id).outcome == "posted"


def test_a_batch_that_waits_at_the_server_is_not_sent_twice(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    server.defer = True
    cached(till, baguette, 3)
    shift = till.close_shift(cash_counted=0)
    till.sync()
    assert till.look(shift.shift_id).missing_batches != ()
    server.process()
    till.sync()
    assert len(batch_requests(server)) == 1
    assert till.journal.shift(shift.shift_id).state == "reconciled"


def test_a_batch_that_a_restore_took_is_sent_again_and_nothing_else_is(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    cached(till, baguette, 3)
    shift = till.close_shift(cash_counted=0)
    till._uplink.settle()
    (batch_id,) = server.shifts[shift.shift_id].batches
    server.shifts[shift.shift_id].batches.clear()
    server.receipts.clear()
    server.orders.clear()
    till.journal.note_state(shift.shift_id, "closing", at="2026-03-01T20:00:00+00:00")
    till.sync()
    assert list(server.receipts) == [batch_id]
    till.sync()
    assert till.journal.shift(shift.shift_id).state == "reconciled"


def test_missing_numbers_are_found_in_the_journal_and_sent(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    for _ in range(6):
        till.sell(baguette())
    for order in list(server.orders.values())[1:4]:
        del server.orders[order.body["order_id"]]
    shift = till.close_shift(cash_counted=0)
    assert till.look(shift.shift_id).missing_numbers == ((2, 4),)
    till.sync()
    till.sync()
    assert till.journal.shift(shift.shift_id).state == "reconciled"


def test_duplicates_do_not_hide_what_became_of_an_order_first(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    sold = till.sell(baguette())
    till.send_again([sold.order.order_id])
    assert till.journal.order(sold.order.order_id).outcome == "posted"
    first, second = till.journal.batches(till.shift().shift_id, "processed")
    assert (first.outcomes["posted"], second.outcomes["duplicate"]) == (1, 1)


def test_everything_returns_after_a_restore_to_the_first_day(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    first = till.shift().shift_id
    till.sell(baguette())
    till.close_shift(cash_counted=20_120)
    till.sync()
    second = till.open_shift(cashier="Ben", opening_float=20_000).shift_id
    till.sell(baguette())
    server.forget_everything()
    till.go_online()
    till.sync()
    assert len(server.posted()) == 2
    assert server.shifts[first].declaration is not None
    assert "closed_at" in server.shifts[first].opening
    assert "closed_at" not in server.shifts[second].opening


def test_a_shift_that_a_restore_opened_again_is_closed_first(
    till: Terminal, server: FakeBackOffice, baguette: Ring
) -> None:
    first = till.shift().shift_id
    till.sell(baguette())
    till.close_shift(cash_counted=20_120)
    till.sync()
    server.shifts[first].declaration = None
    till.open_shift(cashier="Ben", opening_float=20_000)
    assert server.shifts[first].declaration is not None
    assert till.shift().terms.cashier == "Ben"


def test_a_foreign_open_shift_is_a_matter_for_people(till: Terminal, server: FakeBackOffice) -> None:
    till.close_shift(cash_counted=20_000)
    server.script = [problem(409, "shift-already-open"), None, problem(409, "shift-already-open")]
    with pytest.raises(ShiftAlreadyOpen):
        till.open_shift(cashier="Ben", opening_float=0)


def test_another_declaration_stands_and_the_shift_is_closed(till: Terminal, server: FakeBackOffice) -> None:
    server.script = [problem(422, "identifier-reused")]
    shift = till.close_shift(cash_counted=20_000)
    assert shift.declared
    till.open_shift(cashier="Ben", opening_float=20_000)
    assert till.shift().terms.cashier == "Ben"


def test_retries_end(till: Terminal, server: FakeBackOffice) -> None:
    server.script = [httpx.ConnectError("down")] * 3
    with pytest.raises(LinkError):
        till.sync()
    assert server.script == []


def _plain(request: httpx.Request) -> bytes:
    return gzip.decompress(request.content) if request.headers.get("Content-Encoding") == "gzip" else request.content
