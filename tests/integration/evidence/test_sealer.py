"""The sealer: dense numbers, each entry once, nothing passed over, nothing half, whoever runs beside it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from backoffice.books.evidence import sealer, sources
from backoffice.books.evidence.sealer import seal, seal_some
from backoffice.failpoints import POINTS, VARIABLE
from backoffice.health.backlog import oldest_unsealed_s
from backoffice.ingestion.sweep import process_waiting
from backoffice.metrics.exposition import exposition
from tests.integration.evidence.sealing import entries_in, numbers_of, rows
from tests.till import Till, a_movement, a_sale, at_once

CHECKOUT = Path(__file__).resolve().parents[3]
ITS_POINTS = [point for point in POINTS if point.startswith("seal-")]


def database_url() -> str:
    """The address of the tests' database, for other processes and connections."""
    settings = connection.settings_dict
    place = f"{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    return f"postgresql://{settings['USER']}:{settings['PASSWORD']}@{place}"


@contextmanager
def a_late_entry(till: Till) -> Iterator[psycopg.Connection[Any]]:
    """A transaction that has begun to write, and ends when the test says so; it has copied an entry of the till."""
    with psycopg.connect(database_url()) as late:
        late.execute("SELECT pg_current_xact_id()")
        yield late


def copy_an_entry(late: psycopg.Connection[Any], till: Till) -> None:
    """Writes a further entry, as an opening with another source."""
    late.execute(
        "WITH one AS (SELECT * FROM ledger_journalentry WHERE store_id = %(store)s ORDER BY id LIMIT 1),"
        " entry AS (INSERT INTO ledger_journalentry (id, business_date, store_id, terminal_id, shift_id, source_kind,"
        " source_id, source_number, currency, posted_at) SELECT nextval('ledger_entry_id_seq'), business_date, store_id,"
        " terminal_id, shift_id, 'opening', gen_random_uuid(), 0, currency, posted_at FROM one RETURNING id, business_date)"
        " INSERT INTO ledger_journalline (entry_id, position, business_date, store_id, account_id, drawer_id, tax_code,"
        " debit, credit, currency) SELECT entry.id, position, l.business_date, store_id, account_id, drawer_id, tax_code,"
        " debit, credit, currency FROM entry, ledger_journalline l WHERE l.entry_id = (SELECT id FROM one)"
        " AND l.business_date = (SELECT business_date FROM one)",
        {"store": till.store.pk},
    )


def test_every_entry_gets_the_next_number_of_its_store(till: Till) -> None:
    other = Till()
    assert other.open().status_code == 201
    till.sell(a_sale(1001), a_sale(1002), movements=[a_movement()])
    other.sell(a_sale(1001))
    seal(now=timezone.now())
    till.sell(a_sale(1003))
    seal(now=timezone.now())
    assert numbers_of(till.store.pk) == list(range(1, entries_in(till.store.pk) + 1))
    assert numbers_of(other.store.pk) == list(range(1, entries_in(other.store.pk) + 1))


def test_a_batch_is_sealed_once_with_the_first_entry_that_it_brought(till: Till) -> None:
    till.sell(a_sale(1001), a_sale(1002))
    till.sell(a_sale(1003), movements=[a_movement()])
    seal(now=timezone.now())
    assert numbers_of(till.store.pk, "batch") == [1, 2]
    kinds = [
        kind
        for (kind,) in rows(
            "SELECT kind FROM evidence_leaf WHERE store_id = %s AND kind <> 'trail' ORDER BY position", till.store.pk
        )
    ]
    assert kinds == ["entry", "batch", "entry", "entry", "batch", "entry", "entry"]


def test_sealing_again_seals_nothing(till: Till) -> None:
    till.sell(a_sale(1001))
    seal(now=timezone.now())
    before = rows("SELECT size, packed FROM evidence_installationtree")
    assert seal(now=timezone.now()) == 0
    assert rows("SELECT size, packed FROM evidence_installationtree") == before


def test_what_began_before_a_seal_and_commits_after_it_is_sealed_next(till: Till) -> None:
    till.sell(a_sale(1001))
    seal(now=timezone.now())
    sealed = len(numbers_of(till.store.pk))
    with a_late_entry(till) as late:
        till.sell(a_sale(1002))  # began later, and has ended
        copy_an_entry(late, till)
        seal(now=timezone.now())
        assert len(numbers_of(till.store.pk)) == sealed, "it waits for whoever began earlier"
        late.commit()
    seal(now=timezone.now())
    assert numbers_of(till.store.pk) == list(range(1, sealed + 3))


def test_a_transaction_that_came_to_nothing_holds_nobody_up(till: Till) -> None:
    with a_late_entry(till) as late:
        till.sell(a_sale(1001))
        late.rollback()
    seal(now=timezone.now())
    assert len(numbers_of(till.store.pk)) == entries_in(till.store.pk)


def test_several_sealers_at_once_give_each_entry_one_number(till: Till) -> None:
    till.sell(*(a_sale(number) for number in range(1001, 1041)))
    at_once([lambda: seal(now=timezone.now())] * 4)
    assert numbers_of(till.store.pk) == list(range(1, entries_in(till.store.pk) + 1))


def test_a_worker_does_not_wait_for_another_sealer(till: Till) -> None:
    till.sell(a_sale(1001))
    with psycopg.connect(database_url()) as other:
        other.execute("SELECT FROM evidence_installationtree FOR UPDATE")
        assert seal_some(now=timezone.now()) == 0
    assert seal_some(now=timezone.now()) > 0
    assert len(numbers_of(till.store.pk)) == entries_in(till.store.pk)


def test_a_worker_seals_no_more_at_once_than_a_minute_has_room_for(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    seal(now=timezone.now())
    monkeypatch.setattr(sources, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(sealer, "CHUNKS_A_MINUTE", 3)
    till.sell(*(a_sale(number) for number in range(1001, 1011)))
    seal_some(now=timezone.now())
    assert len(numbers_of(till.store.pk)) == 1 + 3 * 2
    seal_some(now=timezone.now())
    assert len(numbers_of(till.store.pk)) == entries_in(till.store.pk)


def test_a_worker_seals_little_while_batches_wait_to_be_posted(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    seal(now=timezone.now())
    monkeypatch.setattr(sources, "MOST_AT_ONCE", 2)
    monkeypatch.setattr(sealer, "CHUNKS_BESIDE_BATCHES", 3)
    monkeypatch.setattr(sealer, "PATIENCE", timedelta(0))
    till.sell(*(a_sale(number) for number in range(1001, 1011)))
    till.upload(a_sale(1011))
    seal_some(now=timezone.now())
    assert len(numbers_of(till.store.pk)) == 1 + 3 * 2
    process_waiting()
    seal_some(now=timezone.now())
    assert len(numbers_of(till.store.pk)) == entries_in(till.store.pk)


def test_many_entries_are_sealed_in_chunks_each_on_top_of_the_one_before(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal(now=timezone.now())
    monkeypatch.setattr(sources, "MOST_AT_ONCE", 3)
    till.sell(*(a_sale(number) for number in range(1001, 1011)))
    seal(now=timezone.now())
    assert numbers_of(till.store.pk) == list(range(1, entries_in(till.store.pk) + 1))
    sizes = rows("SELECT size FROM evidence_dayroot WHERE store_id = %s ORDER BY position", till.store.pk)
    assert [size for (size,) in sizes] == sorted(size for (size,) in sizes)
    assert len(sizes) > 3


def test_a_day_begins_a_new_tree_and_goes_on_with_the_numbers(till: Till) -> None:
    (newest,) = rows("SELECT coalesce(max(day), current_date) FROM evidence_leaf")[0]
    tomorrow = datetime.combine(newest, datetime.min.time(), tzinfo=UTC) + timedelta(days=1)
    seal(now=tomorrow)
    till.sell(a_sale(1001))
    seal(now=tomorrow + timedelta(days=1))
    leaves = rows(
        "SELECT day, position, kind, number FROM evidence_leaf WHERE store_id = %s AND kind <> 'trail' ORDER BY day, position",
        till.store.pk,
    )
    days = [tomorrow.date(), (tomorrow + timedelta(days=1)).date()]
    assert leaves == [(days[0], 0, "entry", 1), (days[1], 0, "batch", 1), (days[1], 1, "entry", 2)]


def test_a_clock_that_goes_back_does_not_open_a_day_again(till: Till) -> None:
    seal(now=timezone.now())
    till.sell(a_sale(1001))
    seal(now=timezone.now() - timedelta(days=400))
    days = rows("SELECT DISTINCT day FROM evidence_leaf WHERE store_id = %s", till.store.pk)
    assert [day for (day,) in days] == [rows("SELECT day FROM evidence_installationtree")[0][0]]


@pytest.mark.parametrize("point", ITS_POINTS)
def test_killed_at_any_point_it_leaves_nothing_half_and_the_next_goes_on(
    till: Till, tmp_path: Path, point: str
) -> None:
    till.sell(a_sale(1001), a_sale(1002))
    (tmp_path / point).touch()
    killed = subprocess.run(
        [sys.executable, "manage.py", "seal"],
        env={**os.environ, "DATABASE_URL": database_url(), VARIABLE: str(tmp_path)},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert killed.returncode == -9, killed.stderr
    sealed = numbers_of(till.store.pk)
    assert len(sealed) == (entries_in(till.store.pk) if point == "seal-after-commit" else 0)
    seal(now=timezone.now())
    assert numbers_of(till.store.pk) == list(range(1, entries_in(till.store.pk) + 1))


def test_in_a_new_cluster_whose_transactions_begin_again_it_goes_on(till: Till) -> None:
    """As after a dump was restored there: entries and the sealer's mark are of transactions that are still to come."""
    till.sell(a_sale(1001))
    seal(now=timezone.now())
    sealed = len(numbers_of(till.store.pk))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE evidence_sealmark SET xid = xid + 1000000 WHERE source = 'entry'")
    till.sell(a_sale(1002))
    seal(now=timezone.now())
    assert numbers_of(till.store.pk) == list(range(1, sealed + 2))


def test_everybody_sees_for_how_long_the_oldest_entry_has_waited_for_its_seal(till: Till) -> None:
    posted_at = timezone.now()
    seal(now=posted_at)
    assert oldest_unsealed_s(now=timezone.now()) == 0
    till.sell(a_sale(1001))
    till.sell(a_sale(1002))
    an_hour_later = timezone.now() + timedelta(hours=1)
    assert 3600 <= oldest_unsealed_s(now=an_hour_later) <= (an_hour_later - posted_at).total_seconds()
    assert b"backoffice_oldest_unsealed_seconds " in exposition()
    seal(now=timezone.now())
    assert oldest_unsealed_s(now=an_hour_later) == 0
