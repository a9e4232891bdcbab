"""Migrations go back to nothing and forth again, on a database of their own."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder

SCRATCH = "scratch"
# One depends on the next: this is the order in which they may go.
APPS = ["evidence", "trail", "books", "review", "ledger", "inbox", "sales", "fleet"]
OUT_OF_BOUNDS = """
INSERT INTO fleet_store (uuid, code, name, timezone, currency, prices_include_tax, created_at, max_order_total,
    min_refund_total, refund_days, rounding_step, order_types)
VALUES (gen_random_uuid(), 'OLD', 'Old', 'Europe/Paris', 'EUR', true, now(), 1000000000000000, -1, 2147483647, 2147483647,
    ARRAY(SELECT 't' || place FROM generate_series(1, 70) AS place)),
    (gen_random_uuid(), 'NONE', 'None', 'Europe/Paris', 'EUR', true, now(), NULL, NULL, NULL, NULL, NULL),
    (gen_random_uuid(), 'ONE', 'One', 'Europe/Paris', 'EUR', true, now(), 10000000000000, NULL, 0, 0, '{}')
"""
SELECT_SETTINGS = """
SELECT max_order_total, min_refund_total, refund_days, rounding_step, cardinality(order_types) FROM fleet_store ORDER BY id
"""


@pytest.fixture
def scratch(committed_db: None) -> Iterator[str]:
    """An empty database on the tests' server, dropped afterwards."""
    name = "scratch_of_migrations"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
    connections.databases[SCRATCH] = {**connections.databases["default"], "NAME": name}
    try:
        yield SCRATCH
    finally:
        connections[SCRATCH].close()
        del connections.databases[SCRATCH]
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name}")


def tables_of(alias: str) -> set[str]:
    prefixes = tuple(f"{app}_" for app in APPS)
    with connections[alias].cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S', 'i')"
            " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        )
        return {name for (name,) in cursor.fetchall() if name.startswith(prefixes)}


def test_migrations_go_to_zero_and_back(scratch: str):
    migrated = [app for app in APPS if apps.get_app_config(app).models_module and has_migrations(app)]
    assert {"ledger", "inbox", "sales", "fleet"} <= set(migrated)
    call_command("migrate", database=scratch, verbosity=0)
    there = tables_of(scratch)
    assert there
    for app in migrated:
        call_command("migrate", app, "zero", database=scratch, verbosity=0)
    assert tables_of(scratch) == set()
    call_command("migrate", database=scratch, verbosity=0)
    assert tables_of(scratch) == there


def test_settings_of_before_are_brought_to_their_bounds(scratch: str):
    call_command("migrate", "fleet", "0003", database=scratch, verbosity=0)
    with connections[scratch].cursor() as cursor:
        cursor.execute(OUT_OF_BOUNDS)
        call_command("migrate", "fleet", database=scratch, verbosity=0)
        cursor.execute(SELECT_SETTINGS)
        old, unset, one = cursor.fetchall()
    assert old == (10**12, 0, 3650, 1_000_000, 64)
    assert unset == (None,) * 5
    assert one == (10**12, None, 0, 0, 0)


def has_migrations(app: str) -> bool:
    return any(name == app for name, _ in MigrationRecorder(connection).applied_migrations())


def test_no_model_waits_for_a_migration(db: None):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
