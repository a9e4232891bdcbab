"""Fills a database with two years of sales, straight into the tables and as the product would have written them.

`python -m tests.bench.fill --orders 1000000` with the DATABASE_URL of a migrated database. What is told (bodies, hashes,
shifts) is made by `history`; orders, lines, payments, identities and journal follow from it in a few statements a month.
Faster as a superuser: guards and foreign keys are then left out, and the register of sources, which a trigger would
write, is written here.
"""

import argparse
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from multiprocessing import get_context
from typing import NamedTuple

import django
import msgspec
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

TAXES = msgspec.json.Encoder(enc_hook=str).encode  # rates keep their spelling, as the product writes them
MONTHS = 24
PROCESSES = 2

SHAPE_TABLES = """
CREATE TEMPORARY TABLE filled_shape (shape int PRIMARY KEY, kind text, status text, type text, cashier text, tax bigint, total bigint, tip bigint, posts boolean);
CREATE TEMPORARY TABLE filled_line (shape int, position smallint, sku text, name text, quantity numeric, unit_price numeric, amount bigint, taxes jsonb);
CREATE TEMPORARY TABLE filled_payment (shape int, position smallint, method text, amount bigint, tendered bigint, change bigint, referred boolean);
CREATE TEMPORARY TABLE filled_posting (shape int, position smallint, account text, tax_code text, debit bigint, credit bigint);
CREATE TEMPORARY TABLE filled_batch (first_id bigint, first_number bigint, orders int, store_id int, terminal_id int, shift_id uuid, batch_id uuid, business_date date, opened_at timestamptz, received_at timestamptz, posted_at timestamptz, ids bytea, hashes bytea)
"""

# In the order in which keys allow; the tables of one month are written by one transaction.
EXPAND = """
CREATE TEMPORARY TABLE filled_order AS
SELECT b.first_id + p AS id, b.first_number + p AS number, p AS position, ((b.first_number + p) % {shapes})::int AS shape,
    encode(substr(b.ids, 16 * p + 1, 16), 'hex')::uuid AS order_id, substr(b.hashes, 33 * p + 1, 33) AS content_hash,
    b.opened_at + p * interval '{every} seconds' AS opened_at, b.store_id, b.terminal_id, b.shift_id, b.batch_id,
    b.business_date, b.received_at, b.posted_at
FROM filled_batch b CROSS JOIN LATERAL generate_series(0, b.orders - 1) AS p;
ANALYZE filled_order;
INSERT INTO sales_identity (item_id, version, terminal_id, shift_id, number, content_hash, hash_version, batch_id,
    business_date, row_id)
SELECT order_id, 0, terminal_id, shift_id, number, content_hash, 2, batch_id, business_date, id FROM filled_order;
INSERT INTO sales_order (id, business_date, store_id, terminal_id, shift_id, batch_id, position, order_id, number, mode, kind,
    status, type, opened_at, closed_at, cashier, printed_to, note, currency, tax, rounding, total, tip, received_at, posted_at)
SELECT o.id, o.business_date, o.store_id, o.terminal_id, o.shift_id, o.batch_id, o.position, o.order_id, o.number, 'offline',
    s.kind, s.status, s.type, o.opened_at, o.opened_at + interval '{takes} seconds', s.cashier, 'local', '', 'EUR', s.tax, 0,
    s.total, s.tip, o.received_at, o.posted_at
FROM filled_order o JOIN filled_shape s USING (shape);
INSERT INTO sales_orderline (order_id, position, business_date, kind, sku, name, quantity, unit_price, discount, amount, taxes)
SELECT o.id, l.position, o.business_date, 'item', l.sku, l.name, l.quantity, l.unit_price, 0, l.amount, l.taxes
FROM filled_order o JOIN filled_line l USING (shape);
INSERT INTO sales_payment (order_id, position, business_date, method, amount, tendered, change, reference, store_id, card_closed_at)
SELECT o.id, p.position, o.business_date, p.method, p.amount, p.tendered, p.change,
    CASE WHEN p.referred THEN o.terminal_id || '-' || o.number ELSE '' END, o.store_id,
    CASE WHEN p.referred AND p.method IN ('card', 'wallet') AND s.status = 'paid' THEN o.opened_at + interval '{takes} seconds' END
FROM filled_order o JOIN filled_payment p USING (shape) JOIN filled_shape s USING (shape);
INSERT INTO sales_posting (store_id, first_id, last_id, batch_id, business_date)
SELECT store_id, first_id, first_id + orders - 1, batch_id, business_date FROM filled_batch;
INSERT INTO ledger_journalentry (id, business_date, store_id, terminal_id, shift_id, source_kind, source_id, source_number, currency, posted_at)
SELECT o.id, o.business_date, o.store_id, o.terminal_id, o.shift_id, 'order', o.order_id, 0, 'EUR', o.posted_at
FROM filled_order o JOIN filled_shape s USING (shape) WHERE s.posts;
INSERT INTO ledger_journalline (entry_id, position, business_date, store_id, account_id, drawer_id, tax_code, debit, credit, currency)
SELECT o.id, p.position, o.business_date, o.store_id, p.account, CASE WHEN p.account = '1000' THEN o.terminal_id END, p.tax_code,
    p.debit, p.credit, 'EUR'
FROM filled_order o JOIN filled_posting p USING (shape)
"""
REGISTER_ORDERS = """
INSERT INTO ledger_entrysource (source_kind, source_id, source_number, entry_id, business_date)
SELECT 'order', o.order_id, 0, o.id, o.business_date FROM filled_order o JOIN filled_shape s USING (shape) WHERE s.posts
"""
REGISTER_DRAWERS = """
INSERT INTO ledger_entrysource (source_kind, source_id, source_number, entry_id, business_date)
SELECT * FROM unnest(%s::text[], %s::uuid[], %s::int[], %s::bigint[], %s::date[])
"""


class Place(NamedTuple):
    """A terminal's place in the plan."""

    place: int
    terminal_id: int
    store_id: int


@dataclass(frozen=True)
class Plan:
    """Every terminal works on every one of `days`; a shift's ids follow from its day and its terminal's place."""

    places: list[Place]
    days: list[date]
    first_id: int
    seed: int

    @property
    def orders(self) -> int:
        """How many orders that makes."""
        from tests.bench.history import ORDERS_PER_SHIFT  # noqa: PLC0415 - after django.setup()

        return len(self.places) * len(self.days) * ORDERS_PER_SHIFT


def fill(*, orders: int, today: date, code: str, processes: int = PROCESSES, seed: int = 4) -> Plan:
    """Writes about so many orders of `MONTHS` months until yesterday, at stores of their own; what was planned."""
    from tests.bench.fleet import enrol  # noqa: PLC0415
    from tests.bench.history import IDS_PER_SHIFT, ORDERS_PER_SHIFT  # noqa: PLC0415

    month = today.year * 12 + today.month - MONTHS
    first = date(month // 12, month % 12 + 1, 1)
    span = (today - first).days
    shifts = max(1, orders // ORDERS_PER_SHIFT)
    terminals = max(4, round(shifts / span))
    worked = min(span, max(1, round(shifts / terminals)))
    days = [first + timedelta(days=place * span // worked) for place in range(worked)]
    places = [
        Place(place, enrolled.terminal_id, enrolled.store_id)
        for place, enrolled in enumerate(enrol(terminals=terminals, code=code, now=datetime.now(UTC)))
    ]
    _set_up_before(days[0], store_ids={place.store_id for place in places})
    with connection.cursor() as cursor:
        for ahead in range(MONTHS):
            day = date((month + ahead) // 12, (month + ahead) % 12 + 1, 1)
            cursor.execute("SELECT sales_create_month(%s), ledger_create_month(%s)", [day, day])
        ids = len(places) * len(days) * IDS_PER_SHIFT
        cursor.execute("SELECT setval('ledger_entry_id_seq', nextval('ledger_entry_id_seq') + %s)", [ids])
        row = cursor.fetchone()
    plan = Plan(places, days, row[0] - ids, seed)
    if processes == 1:
        write_share(plan, plan.places)
    else:
        # A process for each share: what it keeps for its session is its own.
        with ProcessPoolExecutor(
            processes, get_context("spawn"), initializer=django.setup, max_tasks_per_child=1
        ) as pool:
            list(
                pool.map(write_share, [plan] * processes, [plan.places[start::processes] for start in range(processes)])
            )
    return plan


def write_share(plan: Plan, places: Sequence[Place]) -> None:
    """Writes the shifts of some of the plan's terminals, month by month, a transaction each."""
    from tests.bench.history import IDS_PER_SHIFT, Drawer, Past, make_shapes  # noqa: PLC0415

    shapes = make_shapes()
    past = Past(shapes, seed=plan.seed)
    drawers = [Drawer(place.place, place.terminal_id, place.store_id) for place in places]
    positions = {day: place for place, day in enumerate(plan.days)}
    with connection.cursor() as cursor:
        guarded = not _without_guards(cursor)
        _write_shapes(cursor, shapes)
        for _, days in groupby(plan.days, key=lambda day: (day.year, day.month)):
            told = [
                past.tell(
                    drawer,
                    day,
                    first_id=plan.first_id + (positions[day] * len(plan.places) + drawer.place) * IDS_PER_SHIFT,
                )
                for day in days
                for drawer in drawers
            ]
            with transaction.atomic():
                _write_month(cursor, told, guarded=guarded)


def _set_up_before(day: date, *, store_ids: set[int]) -> None:
    """The stores were set up before their first sale, as the audit trail has it: what they set counts from then on."""
    at = datetime.combine(day, datetime.min.time(), tzinfo=UTC) - timedelta(days=1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE trail_entry DISABLE TRIGGER USER")
        cursor.execute("UPDATE trail_entry SET at = %s WHERE store_id = ANY(%s)", [at, list(store_ids)])
        cursor.execute("ALTER TABLE trail_entry ENABLE TRIGGER USER")


def _without_guards(cursor: CursorWrapper) -> bool:
    cursor.execute("SELECT current_setting('is_superuser') = 'on'")
    allowed = bool((cursor.fetchone() or (False,))[0])
    if allowed:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
    return allowed


def _write_shapes(cursor: CursorWrapper, shapes: Sequence) -> None:
    rows: dict[str, list[tuple]] = {"shape": [], "line": [], "payment": [], "posting": []}
    for key, (_, order, postings) in enumerate(shapes):
        tax = sum(tax.amount for line in order.lines for tax in line.taxes)
        rows["shape"].append(
            (key, order.kind, order.status, order.type, order.cashier, tax, order.total, order.tip, bool(postings))
        )
        rows["line"] += [
            (
                key,
                place,
                one.sku,
                one.name,
                str(one.quantity),
                str(one.unit_price),
                one.amount,
                TAXES(one.taxes).decode(),
            )
            for place, one in enumerate(order.lines)
        ]
        rows["payment"] += [
            (key, place, one.method, one.amount, one.tendered_minor, one.change_minor, one.method == "card")
            for place, one in enumerate(order.payments)
        ]
        rows["posting"] += [
            (key, place, one.account, one.tax_code, one.debit, one.credit) for place, one in enumerate(postings)
        ]
    for statement in SHAPE_TABLES.split(";"):
        cursor.execute(statement)
    for name, table in rows.items():
        with cursor.copy(f"COPY filled_{name} FROM STDIN") as copy:
            for row in table:
                copy.write_row(row)
        cursor.execute(f"ANALYZE filled_{name}")


def _write_month(cursor: CursorWrapper, told: Sequence, *, guarded: bool) -> None:
    from backoffice.inbox.models import Batch  # noqa: PLC0415
    from backoffice.sales.models import Shift  # noqa: PLC0415
    from tests.bench.history import EVERY, SHAPES, TAKES  # noqa: PLC0415

    Shift.objects.bulk_create([one.shift for one in told], batch_size=1000)
    Batch.objects.bulk_create([one.batch for one in told], batch_size=1000)
    cursor.execute("TRUNCATE filled_batch")
    with cursor.copy("COPY filled_batch FROM STDIN") as copy:
        for one in told:
            shift, batch = one.shift, one.batch
            copy.write_row(
                (one.first_id, one.first_number, batch.order_count, shift.store_id, shift.terminal_id, shift.shift_id,
                 batch.batch_id, shift.business_date, shift.opened_at, batch.received_at, batch.processed_at, one.ids,
                 one.hashes)
            )  # fmt: skip
    expand = EXPAND.format(shapes=SHAPES, every=int(EVERY.total_seconds()), takes=int(TAKES.total_seconds()))
    for statement in expand.split(";"):
        cursor.execute(statement)
    _write_drawers(cursor, told, guarded=guarded)
    if not guarded:
        cursor.execute(REGISTER_ORDERS)
    cursor.execute("DROP TABLE filled_order")


def _write_drawers(cursor: CursorWrapper, told: Sequence, *, guarded: bool) -> None:
    """The entries that open shifts and post what was over or short."""
    from backoffice.ledger.writers import JOURNAL_ENTRIES, JOURNAL_LINES, Entry, EntryOrigin, entry_writes  # noqa: PLC0415
    from backoffice.postgres.copy import write_rows  # noqa: PLC0415

    rows: dict = {JOURNAL_ENTRIES: [], JOURNAL_LINES: []}
    keys = []
    for one in told:
        shift = one.shift
        for entry_id, kind, number, postings in one.entries:
            posted_at = shift.opened_at if kind == "opening" else shift.reconciled_at
            origin = EntryOrigin(
                shift.business_date, shift.store_id, shift.terminal_id, shift.shift_id, kind, number, shift.currency,
                posted_at,
            )  # fmt: skip
            for table, more in entry_writes([Entry(entry_id, shift.shift_id, postings)], origin=origin):
                rows[table] += more
            keys.append((kind, shift.shift_id, number, entry_id, shift.business_date))
    write_rows(cursor, [(table, [those]) for table, those in rows.items()])
    if not guarded:
        cursor.execute(REGISTER_DRAWERS, [list(column) for column in zip(*keys, strict=True)])


def growing_tables() -> list[str]:
    """Every table that holds a row per order or upload, month by month where it is partitioned."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.oid::regclass::text FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid"
            " WHERE c.relkind = 'r' AND (i.inhparent IN ('sales_order'::regclass, 'sales_orderline'::regclass,"
            " 'sales_payment'::regclass, 'ledger_journalentry'::regclass, 'ledger_journalline'::regclass)"
            " OR c.oid IN ('sales_identity'::regclass, 'sales_shift'::regclass, 'sales_posting'::regclass,"
            " 'inbox_batch'::regclass, 'ledger_entrysource'::regclass, 'sales_cashmovement'::regclass)) ORDER BY 1"
        )
        return [row[0] for row in cursor.fetchall()]


def tidy(tables: Sequence[str]) -> None:
    """What autovacuum would have done in the meantime."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"VACUUM (ANALYZE) {table}")


def shares(tables: Sequence[str]) -> Iterator[Sequence[str]]:
    """For as many processes as there are."""
    return (tables[start::PROCESSES] for start in range(PROCESSES))


def main() -> None:
    """Prints what was done as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fill", description=__doc__)
    parser.add_argument("--orders", type=int, required=True)
    parser.add_argument("--code", default="FILL", help="what the stores' codes begin with")
    options = parser.parse_args()
    began = time.perf_counter()
    plan = fill(orders=options.orders, today=datetime.now(UTC).date(), code=options.code)
    filled = time.perf_counter()
    tables = growing_tables()
    with ProcessPoolExecutor(PROCESSES, get_context("spawn"), initializer=django.setup) as pool:
        list(pool.map(tidy, shares(tables)))
    with connection.cursor() as cursor:
        for parent in ("sales_order", "sales_orderline", "sales_payment", "ledger_journalentry", "ledger_journalline"):
            cursor.execute(f"ANALYZE {'ONLY ' if connection.pg_version >= 180000 else ''}{parent}")
        cursor.execute("CHECKPOINT")
        cursor.execute("SELECT pg_database_size(current_database())")
        row = cursor.fetchone() or (0,)
    said = {
        "orders": plan.orders,
        "fill_s": round(filled - began, 1),
        "tidy_s": round(time.perf_counter() - filled, 1),
        "bytes": row[0],
    }
    print(json.dumps(said))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    main()
