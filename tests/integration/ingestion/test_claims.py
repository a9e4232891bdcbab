"""Who works on what: one worker per batch, one batch per terminal, and nobody waits (architecture, "How it works" 1)."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, connections
from django.utils import timezone

from backoffice.inbox import packing
from backoffice.inbox.models import Batch
from backoffice.ingestion import sweep, tasks
from backoffice.ingestion.batch import post
from backoffice.ingestion.batch.claims import process_claimed, process_next
from backoffice.ingestion.batch.lock import LockedBatch
from backoffice.ingestion.batch.members import ReadMember
from backoffice.ingestion.sweep import process_waiting
from tests.integration.ingestion.claiming import claim_of
from tests.till import Till, a_sale, at_once, later, outcomes

PATIENCE_S = 20


@contextmanager
def a_worker_busy_with(monkeypatch: pytest.MonkeyPatch, *, marker: str) -> Iterator[Callable[[], None]]:
    """Another worker that holds its claim of the batch with `marker` in it, until told to go on."""
    entered, go_on = threading.Event(), threading.Event()
    read = post.number_members

    def slowly(batch: LockedBatch, members: Sequence[ReadMember]) -> Any:
        if marker in repr(members) and not go_on.is_set():
            entered.set()
            assert go_on.wait(PATIENCE_S)
        return read(batch, members)

    monkeypatch.setattr(post, "number_members", slowly)

    def work() -> None:
        try:
            process_next(now=timezone.now())
        finally:
            connections.close_all()

    worker = threading.Thread(target=work)

    def finish() -> None:
        go_on.set()
        worker.join(PATIENCE_S)

    worker.start()
    try:
        assert entered.wait(PATIENCE_S)
        yield finish
    finally:
        finish()


def state(batch_id: str) -> str:
    return Batch.objects.values_list("state", flat=True).get(batch_id=batch_id)


def test_of_two_workers_one_claims_a_batch(committed_db: None, till: Till, monkeypatch: pytest.MonkeyPatch):
    order = a_sale(1001, note="claimed once")
    batch_id = till.upload(order).json()["batch_id"]
    with a_worker_busy_with(monkeypatch, marker="claimed once") as finish:
        assert process_next(now=later(hours=1)) == 0
        assert state(batch_id) == "received"
        finish()
    assert state(batch_id) == "processed"
    assert Batch.objects.get(batch_id=batch_id).attempts == 1


def test_a_batch_that_was_put_off_by_a_clock_two_hours_ahead_does_not_wait_for_ours(committed_db: None, till: Till):
    batch_id = till.upload(a_sale(1001)).json()["batch_id"]
    # A worker on that machine claims it, and is killed.
    Batch.objects.filter(batch_id=batch_id).update(due_at=later(hours=2), attempts=1)
    process_waiting()
    assert state(batch_id) == "processed"


def test_a_batch_that_was_received_by_a_clock_ahead_is_rung_for(
    committed_db: None, till: Till, monkeypatch: pytest.MonkeyPatch
):
    batch_id = till.upload(a_sale(1001)).json()["batch_id"]
    Batch.objects.filter(batch_id=batch_id).update(received_at=later(hours=2), due_at=later(hours=2))
    rung = []
    monkeypatch.setattr(sweep, "ring", lambda **_: rung.append(True))
    sweep._ring_for_what_waits()
    assert rung
    process_waiting()
    assert state(batch_id) == "processed"


def test_a_failed_batch_is_put_off_ten_minutes_also_where_a_clock_is_a_little_ahead(committed_db: None, till: Till):
    batch_id = till.upload(a_sale(1001)).json()["batch_id"]
    Batch.objects.filter(batch_id=batch_id).update(state="failed", attempts=6, due_at=later(minutes=15))
    process_waiting()
    assert state(batch_id) == "failed"


def test_batches_of_one_terminal_run_one_after_the_other(
    committed_db: None, till: Till, monkeypatch: pytest.MonkeyPatch
):
    first = till.upload(a_sale(1001, note="first of two")).json()["batch_id"]
    with a_worker_busy_with(monkeypatch, marker="first of two") as finish:
        second = till.upload(a_sale(1002)).json()["batch_id"]
        assert process_waiting() == 0
        assert (state(first), state(second)) == ("received", "received")
        finish()
    process_waiting()
    assert (state(first), state(second)) == ("processed", "processed")


def test_another_terminal_does_not_wait_for_it(committed_db: None, till: Till, monkeypatch: pytest.MonkeyPatch):
    other = Till(till.store, name="Till 2")
    other.open()
    till.upload(a_sale(1001, note="takes its time"))
    with a_worker_busy_with(monkeypatch, marker="takes its time"):
        batch_id = other.upload(a_sale(1001)).json()["batch_id"]
        process_waiting()
        assert state(batch_id) == "processed"


def test_a_live_order_is_stored_at_once_while_its_terminal_is_at_work(
    committed_db: None, till: Till, monkeypatch: pytest.MonkeyPatch
):
    till.upload(a_sale(1001, note="at work"))
    with a_worker_busy_with(monkeypatch, marker="at work") as finish:
        answer = till.upload(a_sale(1002, mode="online"), Prefer="wait=5")
        assert (answer.status_code, answer.json()["state"]) == (202, "received")
        finish()
    process_waiting()
    assert outcomes(till.receipt(answer.json()["batch_id"])) == ["posted"]


def test_the_same_batch_claimed_by_many_at_once_is_processed_once(committed_db: None, till: Till):
    orders = [a_sale(1001 + index) for index in range(20)]
    batch_id = till.upload(*orders).json()["batch_id"]
    at_once([lambda: process_claimed([claim_of(batch_id)], now=timezone.now())] * 6)
    assert till.receipt(batch_id)["outcomes"]["posted"] == 20
    assert till.shift()["computed"]["order_count"] == 20


def test_what_waited_longest_comes_first(till: Till):
    batches = [till.upload(a_sale(1001 + index)).json()["batch_id"] for index in range(3)]
    for done in range(1, 4):
        assert process_next(now=timezone.now())
        assert [state(batch_id) for batch_id in batches].count("processed") == done
        assert state(batches[done - 1]) == "processed"
    assert not process_next(now=timezone.now())


def test_a_message_delivered_twice_does_nothing_the_second_time(till: Till):
    batch_id = till.upload(a_sale(1001)).json()["batch_id"]
    tasks.look()
    before = till.receipt(batch_id)
    tasks.look()
    tasks.sweep()
    assert till.receipt(batch_id) == before
    assert till.shift()["computed"]["order_count"] == 1


def test_a_look_ends_after_so_many_batches_and_rings_for_the_next(till: Till, monkeypatch: pytest.MonkeyPatch):
    rung: list[dict[str, Any]] = []
    monkeypatch.setattr(sweep, "ring", lambda **how: rung.append(how))
    for index in range(3):
        till.upload(a_sale(1001 + index))
    assert process_waiting(limit=2) == 2
    assert len(rung) == 1
    assert process_waiting(limit=2) == 1
    assert len(rung) == 1


def test_a_live_batch_is_left_to_the_request_that_brought_it(till: Till, monkeypatch: pytest.MonkeyPatch):
    """It is due only two seconds later: should its request die, a worker finds it then."""
    monkeypatch.setattr("backoffice.ingestion.batch.accept.process_live", lambda *_, **__: None)
    batch_id = till.upload(a_sale(1001), Prefer="wait=1").json()["batch_id"]
    assert not process_next(now=timezone.now())
    assert process_next(now=later(seconds=3))
    assert state(batch_id) == "processed"


def test_claims_need_no_table_scan(till: Till):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT batch_id FROM inbox_batch WHERE state <> 'processed' AND due_at <= now() ORDER BY due_at LIMIT 1"
        )
        assert "inbox_batch_waiting" in str(cursor.fetchall())


def test_a_body_is_read_before_anything_is_locked(
    committed_db: None, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading the largest takes a second, in which every feed of the chain would wait for the transaction."""
    batch_id, decode, seen = till.upload(a_sale(1001)).json()["batch_id"], packing.decode_batch, []

    def watched(body: bytes, **limits: Any) -> Any:
        seen.append(connection.in_atomic_block)
        return decode(body, **limits)

    monkeypatch.setattr(packing, "decode_batch", watched)
    process_claimed([claim_of(batch_id)], now=timezone.now())
    assert (seen, state(batch_id)) == ([False], "processed")
