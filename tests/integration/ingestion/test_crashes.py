"""Whatever breaks while a batch is processed: all of it or nothing, counted, isolated, `failed` at last (protocol §5)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone
from structlog.testing import capture_logs

from backoffice.inbox import packing
from backoffice.inbox.models import Batch
from backoffice.ingestion.batch import claims, isolate, members, post
from backoffice.ingestion.batch.claims import process_next
from backoffice.sales.models import HeldItem, Identity, Order
from tests.till import Till, a_movement, a_sale, balance, codes, entry_of, later, outcomes


class Killed(BaseException):
    """What kill -9 does to a worker, as near as a test can come: nothing catches it."""


def try_again(times: int = 1) -> None:
    """So many tries, each when the batch is due again."""
    for minute in range(1, times + 1):
        assert process_next(now=later(minutes=minute))


@pytest.fixture
def break_rules(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """The rules raise for every order whose note is "boom"; gives what mends them."""
    holds = members.holds

    def broken(order: Any, **circumstances: Any) -> Any:
        if order.note == "boom":
            raise RuntimeError("the rules broke")
        return holds(order, **circumstances)

    monkeypatch.setattr(members, "holds", broken)
    return lambda: monkeypatch.setattr(members, "holds", holds)


@pytest.fixture
def break_reading(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Every batch with "boom" in it breaks before anything is known of its orders; gives what mends it."""
    decode = packing.decode_batch

    def broken(body: bytes, **limits: int) -> Any:
        if b"boom" in body:
            raise MemoryError("too much")
        return decode(body, **limits)

    monkeypatch.setattr(packing, "decode_batch", broken)
    return lambda: monkeypatch.setattr(packing, "decode_batch", decode)


def upload(till: Till, *notes: str, first: int = 1001) -> str:
    answer = till.upload(*(a_sale(first + index, note=note) for index, note in enumerate(notes)))
    assert answer.status_code == 202
    return str(answer.json()["batch_id"])


def test_a_crash_leaves_nothing_behind_and_is_counted(till: Till, break_rules: Callable[[], None]):
    batch_id = upload(till, "", "boom", "")
    try_again()
    batch = Batch.objects.get(batch_id=batch_id)
    assert (batch.state, batch.attempts) == ("received", 1)
    assert "RuntimeError" in batch.last_error
    assert not Order.objects.filter(terminal=till.terminal).exists()
    assert not Identity.objects.filter(terminal_id=till.terminal.pk).exists()
    assert balance(till) == 20000


def test_after_two_crashes_the_culprit_is_held_alone_and_its_neighbours_post(
    till: Till, break_rules: Callable[[], None]
):
    batch_id = upload(till, "", "boom", "")
    try_again(2)
    assert till.receipt(batch_id)["state"] == "received"
    try_again()
    receipt = till.receipt(batch_id)
    assert receipt["state"] == "processed"
    assert outcomes(receipt) == ["posted", "held", "posted"]
    assert codes(receipt, 1) == ["processing-failed"]
    assert "the rules broke" not in str(receipt)
    assert (balance(till), till.shift()["held"]) == (20480, 1)


@pytest.mark.parametrize(
    ("breaks", "event"),
    [
        ("break_rules", "batch crashed"),
        ("break_rules", "member held after a crash"),
        ("break_reading", "batch failed: its orders count as held, a person must look"),
    ],
)
def test_what_is_logged_of_it_names_batch_and_terminal(
    request: pytest.FixtureRequest, till: Till, breaks: str, event: str
):
    request.getfixturevalue(breaks)
    batch_id = upload(till, "boom", "")
    with capture_logs() as said:
        try_again(3 if breaks == "break_rules" else 5)
    told = {(line["batch_id"], line["terminal"]) for line in said if line["event"] == event}
    assert told == {(batch_id, str(till.terminal.uuid))}


def test_what_breaks_beside_it_is_logged_with_batch_and_terminal(
    till: Till, break_rules: Callable[[], None], monkeypatch: pytest.MonkeyPatch
):
    """Not even the failure can be counted, for once."""

    def unlucky(**_: Any) -> None:
        raise OperationalError("lock timeout")

    monkeypatch.setattr(claims, "count_failure", unlucky)
    batch_id = upload(till, "boom")
    with capture_logs() as said:
        try_again()
    told = [line for line in said if line["event"] == "batch left to another try"]
    assert [(line["batch_id"], line["terminal"]) for line in told] == [(batch_id, str(till.terminal.uuid))]


def test_what_breaks_only_when_it_is_written_is_held_alone_too(till: Till, monkeypatch: pytest.MonkeyPatch):
    write_judged = post.write_judged

    def broken(cursor: Any, batches: Any, **facts: Any) -> None:
        write_judged(cursor, batches, **facts)
        posted = [order for batch in batches for _, order in batch.posted_orders]
        if any(order.note == "boom" for order in posted):
            raise IntegrityError("the database refused it")

    for module in (post, isolate):
        monkeypatch.setattr(module, "write_judged", broken)
    batch_id = upload(till, "", "boom", "")
    try_again(3)
    receipt = till.receipt(batch_id)
    assert (outcomes(receipt), codes(receipt, 1)) == (["posted", "held", "posted"], ["processing-failed"])
    assert entry_of(receipt["results"][1]["order_id"]) == set()
    assert balance(till) == 20480


def test_a_deadlock_is_no_fault_of_the_order_so_its_batch_waits(till: Till, monkeypatch: pytest.MonkeyPatch):
    write_judged = post.write_judged
    left = [3]

    def unlucky(cursor: Any, batches: Any, **facts: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise OperationalError("deadlock detected")
        write_judged(cursor, batches, **facts)

    for module in (post, isolate):
        monkeypatch.setattr(module, "write_judged", unlucky)
    batch_id = upload(till, "", "", "")
    try_again(4)
    assert outcomes(till.receipt(batch_id)) == ["posted", "posted", "posted"]


def test_an_order_that_broke_its_batch_keeps_its_number_and_stays_known(till: Till, break_rules: Callable[[], None]):
    order = a_sale(1001, note="boom")
    till.upload(order)
    try_again(3)
    break_rules()
    assert outcomes(till.sell(order)) == ["duplicate"]
    assert codes(till.sell(a_sale(1001))) == ["number-already-used"]
    assert HeldItem.objects.filter(terminal=till.terminal, outcome="held").count() == 1


def test_movements_post_beside_an_order_that_breaks(till: Till, break_rules: Callable[[], None]):
    batch_id = till.upload(a_sale(1001, note="boom"), movements=[a_movement()]).json()["batch_id"]
    try_again(3)
    assert till.receipt(batch_id)["movements"]["outcomes"]["posted"] == 1
    assert balance(till) == 25000


def test_what_broke_once_posts_once_when_it_is_mended(till: Till, break_rules: Callable[[], None]):
    batch_id = upload(till, "boom", "")
    try_again()
    break_rules()
    try_again()
    assert outcomes(till.receipt(batch_id)) == ["posted", "posted"]
    assert balance(till) == 20480
    assert Batch.objects.get(batch_id=batch_id).last_error == ""


def test_a_batch_that_crashed_waits_and_others_flow_past_it(till: Till, break_reading: Callable[[], None]):
    broken = upload(till, "boom")
    try_again()
    other = Till(till.store, name="Till 2")
    other.open()
    assert not process_next(now=timezone.now())
    mine, others = upload(till, "", first=1002), upload(other, "")
    assert process_next(now=timezone.now())
    assert process_next(now=timezone.now())
    assert [till.receipt(broken)["state"], till.receipt(mine)["state"]] == ["received", "processed"]
    assert other.receipt(others)["state"] == "processed"


def test_after_five_crashes_it_is_failed_and_its_orders_count_as_held(till: Till, break_reading: Callable[[], None]):
    batch_id = upload(till, "boom", "", "")
    try_again(4)
    assert (till.receipt(batch_id)["state"], till.shift()["held"]) == ("received", 0)
    try_again()
    receipt = till.receipt(batch_id)
    assert (receipt["state"], receipt["processed_at"], receipt["results"]) == ("failed", None, [])
    assert receipt["outcomes"] == {"posted": 0, "duplicate": 0, "conflict": 0, "held": 0}
    assert till.shift()["held"] == 3


def test_failed_it_is_tried_again_at_growing_distances_up_to_a_day(
    till: Till, break_reading: Callable[[], None], monkeypatch: pytest.MonkeyPatch
):
    batch_id = upload(till, "boom")
    try_again(5)
    now, waits = later(minutes=5), [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440]
    Batch.objects.filter(batch_id=batch_id).update(due_at=now + timedelta(minutes=waits[0]))
    for minutes in waits:
        assert not process_next(now=now + timedelta(minutes=minutes, seconds=-1))
        now += timedelta(minutes=minutes)
        with monkeypatch.context() as clock:
            clock.setattr(claims.timezone, "now", lambda: now)  # noqa: B023 - asked within this turn only
            assert process_next(now=now)
        assert till.receipt(batch_id)["state"] == "failed"
    break_reading()
    assert process_next(now=now + timedelta(days=1))
    assert outcomes(till.receipt(batch_id)) == ["posted"]
    assert till.shift()["held"] == 0


def test_killing_its_worker_again_and_again_it_is_tried_ever_more_rarely(till: Till, monkeypatch: pytest.MonkeyPatch):
    """Nobody is left to count such a failure: the claim has dated the next one."""
    batch_id = kill_while_reading(till, monkeypatch, times=5)
    now = later(minutes=101)
    process_next(now=now)
    assert till.receipt(batch_id)["state"] == "failed"

    def die(body: bytes, **_: Any) -> None:
        raise Killed

    monkeypatch.setattr(packing, "decode_batch", die)
    for minutes in (10, 20, 40):
        assert not process_next(now=now + timedelta(minutes=minutes, seconds=-1))
        now += timedelta(minutes=minutes)
        with pytest.raises(Killed):
            process_next(now=now)


def test_a_failed_batch_sent_again_is_answered_with_its_receipt(till: Till, break_reading: Callable[[], None]):
    order, batch_id = a_sale(1001, note="boom"), "0195b1a0-0000-7000-8000-000000000077"
    till.upload(order, batch_id=batch_id)
    try_again(5)
    answer = till.upload(order, batch_id=batch_id)
    assert (answer.status_code, answer.json()["state"]) == (202, "failed")


def test_a_shift_that_declares_a_failed_batch_stays_closing(till: Till, break_reading: Callable[[], None]):
    order = a_sale(1001, note="boom")
    batch_id = till.upload(order).json()["batch_id"]
    try_again(5)
    shift = till.close(order, batches=[batch_id]).json()
    assert (shift["state"], shift["missing_batches"], shift["held"]) == ("closing", [batch_id], 1)
    break_reading()
    assert process_next(now=later(minutes=30))
    assert till.shift()["state"] == "reconciled"


def test_a_late_batch_that_fails_makes_its_shift_discrepant(till: Till, break_reading: Callable[[], None]):
    assert till.close().json()["state"] == "reconciled"
    upload(till, "boom")
    try_again(5)
    assert (till.shift()["held"], till.shift()["state"]) == (1, "discrepant")


def kill_while_reading(till: Till, monkeypatch: pytest.MonkeyPatch, *, times: int) -> str:
    batch_id = upload(till, "boom")

    def die(body: bytes, **_: Any) -> None:
        raise Killed

    with monkeypatch.context() as killer:
        killer.setattr(packing, "decode_batch", die)
        for minute in range(1, times + 1):
            with pytest.raises(Killed):
                process_next(now=later(minutes=20 * minute))
    return batch_id


def test_a_worker_that_is_killed_leaves_nothing_but_the_count(till: Till, monkeypatch: pytest.MonkeyPatch):
    batch_id = kill_while_reading(till, monkeypatch, times=1)
    assert Batch.objects.get(batch_id=batch_id).attempts == 1
    assert not process_next(now=later(minutes=20))
    assert process_next(now=later(minutes=21))
    assert outcomes(till.receipt(batch_id)) == ["posted"]


def test_a_batch_that_killed_five_workers_is_failed(till: Till, monkeypatch: pytest.MonkeyPatch):
    batch_id = kill_while_reading(till, monkeypatch, times=5)
    monkeypatch.setattr(packing, "decode_batch", lambda *_, **__: pytest.fail("tried a sixth time at once"))
    process_next(now=later(minutes=101))
    assert till.receipt(batch_id)["state"] == "failed"


def test_while_one_batch_kills_its_workers_its_neighbours_flow(till: Till, monkeypatch: pytest.MonkeyPatch):
    kill_while_reading(till, monkeypatch, times=3)
    other = Till(till.store, name="Till 2")
    other.open()
    batch_id = upload(other, "")
    assert process_next(now=timezone.now())
    assert other.receipt(batch_id)["state"] == "processed"


@pytest.mark.parametrize(
    "place", ["recognise", "write_judged", "look_again_at_refunds", "reconcile_unsettled", "look_again_at_cards"]
)
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_killed_between_any_two_steps_it_is_all_or_nothing(
    till: Till, monkeypatch: pytest.MonkeyPatch, place: str, before: bool
):
    till.close(a_sale(1001), counted=20000)
    batch_id = till.upload(a_sale(1001), movements=[a_movement()]).json()["batch_id"]
    step = getattr(post, place)

    def die(*args: Any, **facts: Any) -> None:
        if not before:
            step(*args, **facts)
        raise Killed

    with monkeypatch.context() as killer:
        killer.setattr(post, place, die)
        with pytest.raises(Killed):
            process_next(now=later(minutes=1))
    assert till.receipt(batch_id)["state"] == "received"
    assert balance(till) == 20000
    assert not Order.objects.filter(terminal=till.terminal).exists()
    assert not Identity.objects.filter(terminal_id=till.terminal.pk).exists()
    assert process_next(now=later(minutes=2))
    assert outcomes(till.receipt(batch_id)) == ["posted"]
    # What was sold and brought in is short of the count, and reconciling posted just that.
    assert balance(till) == 20000
    assert balance(till, "6900") == 5240


def test_a_live_order_whose_processing_breaks_is_stored_and_left_to_a_worker(
    till: Till, break_rules: Callable[[], None]
):
    answer = till.upload(a_sale(1001, note="boom", mode="online"), Prefer="wait=5")
    assert (answer.status_code, answer.json()["state"]) == (202, "received")
    break_rules()
    try_again()
    assert outcomes(till.receipt(answer.json()["batch_id"])) == ["posted"]
