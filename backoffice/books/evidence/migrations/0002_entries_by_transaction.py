"""The index by which the sealer finds what is not sealed. Made partition by partition without holding up traffic."""

from typing import Any

from django.db import migrations
from psycopg import sql

NAME, COLUMNS = "ledger_entry_by_xid", sql.SQL("xid, id")
PARTITIONS = (
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'ledger_journalentry'::regclass ORDER BY 1"
)
IS_BROKEN = "SELECT NOT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)"
ON_PARENT = "CREATE INDEX IF NOT EXISTS {name} ON ONLY ledger_journalentry ({columns})"
ON_PARTITION = "CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {partition} ({columns})"


def make(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '3s'")
        cursor.execute(sql.SQL(ON_PARENT).format(name=sql.Identifier(NAME), columns=COLUMNS))
        cursor.execute(PARTITIONS)
        for (partition,) in cursor.fetchall():
            own = f"{partition}_by_xid"
            cursor.execute(IS_BROKEN, [own])
            if cursor.fetchone() == (True,):  # an earlier try was interrupted
                cursor.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(own)))
            name = sql.Identifier(own)
            cursor.execute(
                sql.SQL(ON_PARTITION).format(name=name, partition=sql.Identifier(partition), columns=COLUMNS)
            )
            cursor.execute(
                sql.SQL("ALTER INDEX {} ATTACH PARTITION {}").format(sql.Identifier(NAME), name)
            )
        cursor.execute("RESET lock_timeout")


def drop(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '3s'")
        cursor.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(sql.Identifier(NAME)))
        cursor.execute("RESET lock_timeout")


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("evidence", "0001_initial")]

    operations = [migrations.RunPython(make, drop)]
