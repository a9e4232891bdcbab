"""The tables that SQL makes are those that the models read."""

from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models

# PostgreSQL's name for what a field of Django holds. Texts are `text` where SQL made the table.
TYPES = {
    "AutoField": {"int4"},
    "BigAutoField": {"int8"},
    "BigIntegerField": {"int8"},
    "IntegerField": {"int4"},
    "PositiveIntegerField": {"int4"},
    "SmallIntegerField": {"int2"},
    "CharField": {"text", "varchar"},
    "TextField": {"text"},
    "DateField": {"date"},
    "DateTimeField": {"timestamptz"},
    "DecimalField": {"numeric"},
    "JSONField": {"jsonb"},
    "UUIDField": {"uuid"},
    "BinaryField": {"bytea"},
    "BooleanField": {"bool"},
}
# A transaction id is read as a number.
OTHERWISE = {(table, "xid"): {"xid8"} for table in ("sales_posting", "ledger_journalentry", "trail_entry")}

UNMANAGED = [
    model
    for model in apps.get_models()
    if model.__module__.startswith("backoffice.") and not model._meta.managed and not model._meta.proxy
]


def columns(table: str) -> dict[str, tuple[str, bool]]:
    """Type and nullability of each column."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, udt_name, is_nullable = 'YES' FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name = %s",
            [table],
        )
        return {name: (kind, nullable) for name, kind, nullable in cursor.fetchall()}


def stored(field: Any) -> Any:
    """What a foreign key stores is what it refers to."""
    while field.is_relation:
        field = field.target_field
    return field


def test_there_are_tables_that_sql_makes():
    assert {"sales_order", "sales_orderline", "sales_payment", "ledger_journalentry", "ledger_journalline"} <= {
        model._meta.db_table for model in UNMANAGED
    }


@pytest.mark.parametrize("model", UNMANAGED, ids=lambda model: model._meta.db_table)
def test_a_table_has_the_columns_of_its_model_and_no_others(model: type[models.Model]):
    fields = {field.column: field for field in model._meta.concrete_fields if field.column}
    found = columns(model._meta.db_table)
    assert set(found) == set(fields)
    for name, field in fields.items():
        kind, nullable = found[name]
        expected = OTHERWISE.get((model._meta.db_table, name)) or TYPES[stored(field).get_internal_type()]
        assert kind in expected, name
        assert nullable == field.null, name


@pytest.mark.parametrize("model", UNMANAGED, ids=lambda model: model._meta.db_table)
def test_the_key_of_a_table_holds_the_key_of_its_model(model: type[models.Model]):
    with connection.cursor() as cursor:
        key = connection.introspection.get_primary_key_columns(cursor, model._meta.db_table)
    assert {field.column for field in model._meta.pk_fields} <= set(key or ())


def test_no_order_line_or_payment_refers_beyond_its_partition():
    """A key between the parents would cost twice as much on every insert, and no month could be detached."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint WHERE contype = 'f'"
            " AND conrelid IN (SELECT inhrelid FROM pg_inherits)"
        )
        found = cursor.fetchall()
    assert found
    for child, parent in found:
        assert child.rpartition("_")[2] == parent.rpartition("_")[2]
