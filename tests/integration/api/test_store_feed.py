"""`GET /store/orders`: every posted paid order of the store once, none skipped (protocol §8)."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, connections

from backoffice.fleet.models import Store
from backoffice.ingestion.batch import post
from backoffice.ingestion.feed import Position, write_cursor
from backoffice.ingestion.horizon import ANNOUNCE_END
from backoffice.ingestion.sweep import process_waiting
from tests.integration.ingestion.test_lost_connections import a_connection
from tests.till import Till, a_sale, a_store, at_once

pytestmark = pytest.mark.usefixtures("committed_db")


def page(till: Till, after: str = "", **query: Any) -> dict[str, Any]:
    words = "&".join(f"{name}={value}" for name, value in ({"after": after} | query).items())
    answer = till.send("GET", f"store/orders?{words}")
    assert answer.status_code == 200, answer.content
    assert int(answer["Retry-After"]) <= 2
    return answer.json()


def follow(till: Till, after: str = "", **query: Any) -> tuple[list[dict[str, Any]], str]:
    """Everything from a cursor on, and the cursor behind it."""
    seen: list[dict[str, Any]] = []
    while True:
        answer = page(till, after, **query)
        seen += answer["orders"]
        after = answer["next"]
        if not answer["more"]:
            return seen, after


def an_open_till(store: Store, name: str = "Till 1") -> Till:
    till = Till(store, name=name)
    till.open()
    return till


def test_it_shows_what_an_order_is_and_who_sold_it() -> None:
    till = an_open_till(a_store())
    order = a_sale(1001)
    receipt = till.sell(order)
    (seen,), _ = follow(till)
    assert seen == {
        "order_id": order["order_id"],
        "number": 1001,
        "terminal": str(till.terminal.uuid),
        "terminal_id": str(till.terminal.uuid),
        "terminal_name": "Till 1",
        "kind": "sale",
        "total": 240,
        "mode": "offline",
        "closed_at": "2026-03-01T09:01:00Z",
        "posted_at": receipt["processed_at"],
    }


def test_a_terminal_sees_the_others_of_its_store_and_of_no_other() -> None:
    store = a_store()
    first, second, stranger = an_open_till(store), an_open_till(store, "Till 2"), an_open_till(a_store())
    for till in (first, second, stranger):
        till.sell(a_sale(1001))
    seen = follow(first)[0]
    assert [order["terminal"] for order in seen] == [str(first.terminal.uuid), str(second.terminal.uuid)]
    assert [order["terminal_id"] for order in seen] == [order["terminal"] for order in seen]
    assert [order["terminal_name"] for order in seen] == ["Till 1", "Till 2"]


def test_only_posted_paid_orders_are_there() -> None:
    till = an_open_till(a_store())
    voided, wrong = a_sale(1002, status="voided"), a_sale(1003, total=999)
    till.sell(a_sale(1001), voided, wrong, a_sale(1004))
    assert [order["number"] for order in follow(till)[0]] == [1001, 1004]


@pytest.mark.parametrize("limit", [1, 3, 7, 1000, 99999, 0, "all"])
def test_pages_of_any_size_show_each_order_once_and_in_order(limit: Any) -> None:
    till = an_open_till(a_store())
    for first in range(1001, 1021, 5):
        till.sell(*[a_sale(number) for number in range(first, first + 5)])
    seen, cursor = follow(till, limit=limit)
    assert [order["number"] for order in seen] == list(range(1001, 1021))
    assert page(till, cursor) == {"orders": [], "next": cursor, "more": False}


def test_a_cursor_is_opaque_and_always_there() -> None:
    till = an_open_till(a_store())
    assert re.fullmatch("[A-Za-z0-9_-]+", page(till)["next"])
    till.sell(a_sale(1001))
    assert re.fullmatch("[A-Za-z0-9_-]+", page(till)["next"])


def test_a_cursor_from_before_a_restore_is_400_so_that_the_terminal_begins_anew() -> None:
    till = Till()
    future = write_cursor(Position(2**40, 1))
    assert till.send("GET", f"store/orders?after={future}").status_code == 400


@pytest.mark.parametrize("cursor", ["x", "!!", "0", "MS4y.", "é", "LTEuMQ", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5LjE"])
def test_a_cursor_that_the_service_did_not_issue_is_400(cursor: str) -> None:
    answer = Till().send("GET", f"store/orders?after={cursor}")
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("/cursor-invalid")


def test_an_order_whose_transaction_commits_late_is_not_passed_over() -> None:
    store = a_store()
    slow, quick = an_open_till(store), an_open_till(store, "Till 2")
    late = a_sale(1001)
    settings = connection.settings_dict
    url = f"postgresql://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    with psycopg.connect(url) as holder:
        # Holding its identity keeps the slow till's transaction open in the middle of its work.
        holder.execute(
            "INSERT INTO sales_identity (item_id, version, terminal_id, shift_id, content_hash, batch_id, business_date,"
            " row_id) VALUES (%s, 0, 0, %s, '', %s, '2026-03-01', 0)",
            [late["order_id"], uuid4(), uuid4()],
        )
        slow.upload(late)
        worker = threading.Thread(target=_process_and_hang_up)
        worker.start()
        _wait_until_blocked(url)
        quick.sell(*[a_sale(number) for number in range(1001, 1004)])
        early, cursor = follow(quick)
        holder.rollback()
        worker.join(timeout=30)
    rest, _ = follow(quick, cursor)
    numbers = [(order["terminal"], order["number"]) for order in early + rest]
    mine, other = str(slow.terminal.uuid), str(quick.terminal.uuid)
    assert sorted(numbers) == sorted([(mine, 1001), (other, 1001), (other, 1002), (other, 1003)])


ANNOUNCE_STORE = "SELECT pg_advisory_xact_lock_shared(2, %s::integer)"


@contextmanager
def a_batch_at_work(till: Till, *orders: dict[str, Any]) -> Iterator[str]:
    """A worker in the middle of what a batch takes. Gives the batch's id; ends it on leaving."""
    entered, go_on = threading.Event(), threading.Event()
    write_judged = post.write_judged

    def slowly(cursor: Any, batches: Any, **facts: Any) -> None:
        write_judged(cursor, batches, **facts)
        if any(judged.batch.terminal_id == till.terminal.pk for judged in batches) and not entered.is_set():
            entered.set()
            assert go_on.wait(30)

    batch_id = till.upload(*orders).json()["batch_id"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(post, "write_judged", slowly)
        worker = threading.Thread(target=_process_and_hang_up)
        worker.start()
        try:
            assert entered.wait(30)
            yield batch_id
        finally:
            go_on.set()
            worker.join(timeout=30)


def test_a_batch_does_not_hold_back_the_feeds_of_other_stores() -> None:
    other, large = an_open_till(a_store()), an_open_till(a_store())
    beside = an_open_till(large.store, "Till 2")
    with a_batch_at_work(large, a_sale(1001)):
        other.sell(a_sale(1001), a_sale(1002))
        beside.sell(a_sale(1001))
        seen, cursor = follow(other)
        assert [order["number"] for order in seen] == [1001, 1002]
        assert follow(beside)[0] == []  # of its own store nothing is passed over
        other.sell(a_sale(1003))
        more, cursor = follow(other, cursor)
        assert [order["number"] for order in more] == [1003]
    assert {order["terminal"] for order in follow(beside)[0]} == {str(large.terminal.uuid), str(beside.terminal.uuid)}
    assert follow(other, cursor)[0] == []


@pytest.mark.parametrize("announced", ["nothing", "not yet all"])
def test_who_has_not_announced_all_of_its_stores_is_waited_for(announced: str) -> None:
    till, elsewhere = an_open_till(a_store()), a_store()
    with a_connection() as stranger:
        stranger.execute("SELECT pg_current_xact_id()")
        if announced == "not yet all":
            stranger.execute(ANNOUNCE_STORE, [elsewhere.pk])
        till.sell(a_sale(1001))
        assert follow(till)[0] == []
        stranger.execute(ANNOUNCE_STORE, [elsewhere.pk])
        stranger.execute(ANNOUNCE_END)
        assert len(follow(till)[0]) == 1
        stranger.rollback()


def test_an_order_is_seen_within_two_seconds_where_nothing_is_stuck() -> None:
    store = a_store()
    seller, reader = an_open_till(store), an_open_till(store, "Till 2")
    cursor = page(reader)["next"]
    for number in range(1001, 1011):
        answer = seller.upload(a_sale(number, mode="online"), Prefer="wait=5")
        assert answer.json()["state"] == "processed"
        deadline = time.monotonic() + 2
        while not (seen := page(reader, cursor))["orders"]:
            assert time.monotonic() < deadline, number
        assert [order["number"] for order in seen["orders"]] == [number]
        cursor = seen["next"]


def test_a_long_writing_transaction_holds_the_feed_back_until_it_ends() -> None:
    till = an_open_till(a_store())
    settings = connection.settings_dict
    url = f"postgresql://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    with psycopg.connect(url) as writer:
        writer.execute("SELECT pg_current_xact_id()")
        assert till.sell(a_sale(1001))["outcomes"]["posted"] == 1
        assert page(till)["orders"] == []
        writer.rollback()
    assert [order["number"] for order in page(till)["orders"]] == [1001]


def test_a_reader_beside_many_writers_sees_each_order_once() -> None:
    store = a_store()
    tills = [an_open_till(store, f"Till {number}") for number in range(6)]
    for till in tills:
        for first in range(1001, 1041, 4):
            till.upload(*[a_sale(number) for number in range(first, first + 4)])
    seen: list[dict[str, Any]] = []
    done = threading.Event()

    def read() -> None:
        cursor = ""
        while True:
            last_look = done.is_set()
            orders, cursor = follow(tills[0], cursor, limit=7)
            seen.extend(orders)
            if last_look:
                return

    def write() -> None:
        process_waiting()

    reader = threading.Thread(target=lambda: (read(), connections.close_all()))
    reader.start()
    at_once([write] * 4)
    process_waiting()
    done.set()
    reader.join(timeout=60)
    assert not reader.is_alive()
    assert len(seen) == 6 * 40
    assert len({order["order_id"] for order in seen}) == 6 * 40


def _process_and_hang_up() -> None:
    process_waiting()
    connections.close_all()


def _wait_until_blocked(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as watcher:
        for _ in range(20_000):
            (blocked,) = watcher.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
                " AND query LIKE '%INSERT INTO sales_identity%'"
            ).fetchone()
            if blocked:
                return
    raise AssertionError("nobody waits for the identity that is held")
