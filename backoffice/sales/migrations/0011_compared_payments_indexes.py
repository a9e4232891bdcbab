"""The indexes by which a card reference is found in its store. Made partition by partition without holding up traffic.

The index of before, `sales_payment_references`, stays for the version before, and may go one version later.
"""

from typing import Any

from django.db import migrations
from psycopg import sql

# Name, columns, condition. The second is of rows from before there were stores: new months have nothing in it.
INDEXES = [
    ("sales_payment_compared", "store_id, reference, card_closed_at", "card_closed_at IS NOT NULL"),
    ("sales_payment_storeless", "reference", "store_id IS NULL AND reference <> '' AND method IN ('card', 'wallet')"),
]
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'sales_payment'::regclass ORDER BY 1"
IS_BROKEN = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
ON_PARENT = "CREATE INDEX IF NOT EXISTS {name} ON ONLY sales_payment ({columns}) WHERE {condition}"
ON_PARTITION = "CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {partition} ({columns}) WHERE {condition}"


def make(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '3s'")
        for name, columns, condition in INDEXES:
            words = {"columns": sql.SQL(columns), "condition": sql.SQL(condition)}
            cursor.execute(sql.SQL(ON_PARENT).format(name=sql.Identifier(name), **words))
            cursor.execute(PARTITIONS)
            for (partition,) in cursor.fetchall():
                _make_on(cursor, partition, parent=name, words=words)
        cursor.execute("RESET lock_timeout")


def _make_on(cursor: Any, partition: str, *, parent: str, words: dict[str, sql.SQL]) -> None:
    own = f"{partition}_{parent.rpartition('_')[2]}"
    cursor.execute(IS_BROKEN, [own])
    if cursor.fetchone() == (True,):  # an earlier try was interrupted
        cursor.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(own)))
    name = sql.Identifier(own)
    cursor.execute(sql.SQL(ON_PARTITION).format(name=name, partition=sql.Identifier(partition), **words))
    cursor.execute(sql.SQL("ALTER INDEX {} ATTACH PARTITION {}").format(sql.Identifier(parent), name))


def drop(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '3s'")
        for name, _, _ in INDEXES:
            cursor.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(sql.Identifier(name)))
        cursor.execute("RESET lock_timeout")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sales", "0010_compared_payments")]

    operations = [migrations.RunPython(make, drop)]
