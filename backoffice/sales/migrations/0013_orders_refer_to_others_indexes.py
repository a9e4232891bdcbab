"""The indexes by which it is found what adjusts an order, and which lines give it back. Made partition by partition without
holding up traffic; few rows are in them.
"""

from typing import Any

from django.db import migrations
from psycopg import sql

# Name, table, column.
INDEXES = [
    ("sales_order_adjusts", "sales_order", "adjusts"),
    ("sales_orderline_returns", "sales_orderline", "refund_of"),
]
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1"
IS_BROKEN = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
ON_PARENT = "CREATE INDEX IF NOT EXISTS {name} ON ONLY {table} ({column}) WHERE {column} IS NOT NULL"
ON_PARTITION = "CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} ({column}) WHERE {column} IS NOT NULL"


def make(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '3s'")
        for name, table, column in INDEXES:
            words = {"name": sql.Identifier(name), "table": sql.Identifier(table), "column": sql.Identifier(column)}
            cursor.execute(sql.SQL(ON_PARENT).format(**words))
            cursor.execute(PARTITIONS, [table])
            for (partition,) in cursor.fetchall():
                _make_on(cursor, partition, parent=name, column=column)
        cursor.execute("RESET lock_timeout")


def _make_on(cursor: Any, partition: str, *, parent: str, column: str) -> None:
    own = f"{partition}_{parent.rpartition('_')[2]}"
    cursor.execute(IS_BROKEN, [own])
    if cursor.fetchone() == (True,):  # an earlier try was interrupted
        cursor.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(own)))
    words = {"name": sql.Identifier(own), "table": sql.Identifier(partition), "column": sql.Identifier(column)}
    cursor.execute(sql.SQL(ON_PARTITION).format(**words))
    cursor.execute(sql.SQL("ALTER INDEX {} ATTACH PARTITION {}").format(sql.Identifier(parent), sql.Identifier(own)))


def drop(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '3s'")
        for name, _, _ in INDEXES:
            cursor.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(sql.Identifier(name)))
        cursor.execute("RESET lock_timeout")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sales", "0012_orders_refer_to_others")]

    operations = [migrations.RunPython(make, drop)]
