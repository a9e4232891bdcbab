"""A lock is in force only once nobody who began before it still posts: with connections of their own, in the middle of it."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event
from time import monotonic
from typing import Any, TypeVar

import pytest
from django.db import DatabaseError, connection, connections, transaction

from backoffice.books.refusals import NotDecided
from backoffice.books.verbs import periods
from backoffice.domain.decisions import Verb
from backoffice.fleet.models import Store
from backoffice.ingestion.batch import post
from backoffice.ingestion.sweep import process_waiting
from backoffice.ledger.models import PeriodLock
from tests.integration.books.office import decided
from tests.integration.books.test_periods import DAY, FLAG, LOCKED, OPEN_DAY, entered_on
from tests.till import Till, a_sale, at_once, codes

pytestmark = pytest.mark.usefixtures("committed_db")
PATIENCE_S = 30
Answer = TypeVar("Answer")


class Pause:
    """Somebody who stops in the middle of something, until they are told to go on."""

    def __init__(self) -> None:
        self.reached = Event()
        self.go_on = Event()

    def at(self, *points: str) -> Callable[[str], None]:
        """In the place of `failpoint`."""

        def stop(name: str) -> None:
            if name in points:
                self.stop()

        return stop

    def stop(self) -> None:
        self.reached.set()
        assert self.go_on.wait(PATIENCE_S)


def beside(pool: ThreadPoolExecutor, call: Callable[[], Answer]) -> Future[Answer]:
    """In a thread with a connection of its own."""

    def make() -> Answer:
        try:
            return call()
        finally:
            connections.close_all()

    return pool.submit(make)


def until_somebody_waits_for(store: Store) -> None:
    """For those who post for the store, or for who locks its books."""
    deadline = monotonic() + PATIENCE_S
    while monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = 2 AND objid = %s::bigint::oid",
                [store.pk],
            )
            if cursor.fetchone() != (0,):
                return
    raise AssertionError("Nobody waits.")


def lock(store: Store) -> dict[str, Any]:
    return dict(decided(Verb.LOCK, store.code, date=LOCKED).after)


def test_a_lock_waits_for_who_is_in_the_middle_of_posting(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    pause = Pause()
    monkeypatch.setattr(post, "failpoint", pause.at("process-identified"))
    till.upload(early := a_sale(1001))
    with ThreadPoolExecutor(2) as pool:
        posting = beside(pool, process_waiting)
        assert pause.reached.wait(PATIENCE_S)
        locking = beside(pool, lambda: lock(till.store))
        until_somebody_waits_for(till.store)
        assert not locking.done()
        assert not PeriodLock.objects.filter(store=till.store).exists()
        pause.go_on.set()
        posting.result(PATIENCE_S)
        locking.result(PATIENCE_S)
    monkeypatch.undo()
    assert entered_on(early["order_id"], "order") == DAY
    assert codes(till.sell(late := a_sale(1002))) == [FLAG]
    assert entered_on(late["order_id"], "order") == OPEN_DAY


def test_who_begins_to_post_while_a_lock_is_written_posts_after_it(till: Till) -> None:
    pause = Pause()
    till.upload(late := a_sale(1001))

    def lock_slowly() -> None:
        with transaction.atomic():
            lock(till.store)
            pause.stop()

    with ThreadPoolExecutor(3) as pool:
        locking = beside(pool, lock_slowly)
        assert pause.reached.wait(PATIENCE_S)
        posting = beside(pool, process_waiting)
        until_somebody_waits_for(till.store)
        closing = beside(pool, lambda: till.close(late, counted=20300))
        pause.go_on.set()
        locking.result(PATIENCE_S)
        posting.result(PATIENCE_S)
        closing.result(PATIENCE_S)
    process_waiting()
    assert entered_on(late["order_id"], "order") == OPEN_DAY
    assert entered_on(till.shift_id, "over_short", 1) == OPEN_DAY


def test_uploads_and_locks_at_the_same_moment(till: Till) -> None:
    """Whichever comes first: what has a number above the lock's stands after it, and nobody crashes."""
    others = [Till(till.store, name=f"Till {number}") for number in (2, 3)]
    for other in others:
        other.open()
    sales = [a_sale(1001) for _ in (till, *others)]
    for each, sale in zip((till, *others), sales, strict=True):
        each.upload(sale)
    at_once([process_waiting, lambda: lock(till.store), process_waiting])
    process_waiting()
    (locked,) = PeriodLock.objects.filter(store=till.store)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, business_date FROM ledger_journalentry WHERE store_id = %s AND source_kind = 'order'",
            [till.store.pk],
        )
        entries = cursor.fetchall()
    assert len(entries) == len(sales)
    for entry_id, day in entries:
        assert day == (DAY if entry_id < locked.pk else OPEN_DAY)


def test_whoever_locks_does_not_wait_for_ever(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(periods, "PATIENCE", "SET LOCAL lock_timeout = '100ms'")
    pause = Pause()
    monkeypatch.setattr(post, "failpoint", pause.at("process-written"))
    till.upload(a_sale(1001))
    with ThreadPoolExecutor(1) as pool:
        posting = beside(pool, process_waiting)
        assert pause.reached.wait(PATIENCE_S)
        try:
            with pytest.raises(NotDecided) as refused:
                lock(till.store)
        finally:
            pause.go_on.set()
        posting.result(PATIENCE_S)
    assert refused.value.code == "books-busy"
    assert not PeriodLock.objects.filter(store=till.store).exists()


def test_who_sees_the_tables_as_they_were_may_not_post(till: Till) -> None:
    insert = (
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;"
        "INSERT INTO ledger_journalentry (id, business_date, store_id, source_kind, source_id, currency, posted_at)"
        f" VALUES (nextval('ledger_entry_id_seq'), '2026-03-15', {till.store.pk}, 'order', gen_random_uuid(), 'EUR', now())"
    )
    with pytest.raises(DatabaseError, match="READ COMMITTED"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(insert)
