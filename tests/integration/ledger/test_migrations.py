"""Migrations go back to nothing and forth again, on a database of their own."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder

SCRATCH = "scratch"
# One depends on the next: this is the order in which they may go.
APPS = ["review", "ledger", "inbox", "sales", "fleet"]


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


def has_migrations(app: str) -> bool:
    return any(name == app for name, _ in MigrationRecorder(connection).applied_migrations())


def test_no_model_waits_for_a_migration(db: None):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
