"""The state of PostgreSQL: whether what is answered 2xx is durable, and whether the tables fit the code."""

from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

OLDEST_SUPPORTED = 15
# With any of them off, a crash can lose what was answered 2xx.
MUST_BE_ON = ("fsync", "synchronous_commit", "full_page_writes")

# Tables whose rows nobody may change, found by the trigger that refuses it (deploy/postgres/grants.sql does the same).
# Partitions are listed by the name of their parent. Seals have the same guard, and the same rights go with it.
CHANGEABLE_BOOKS = """
SELECT DISTINCT coalesce(parent.relname, c.relname) AS name
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class parent ON parent.oid = i.inhparent
WHERE t.tgfoid = 'ledger_refuse_change'::regproc AND starts_with(c.relname, 'ledger_')
    AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
ORDER BY name
"""

# The months of a partitioned table, from the bounds of its partitions; the default partition has none.
MONTHS = """
SELECT parent.relname, array_agg((regexp_match(pg_get_expr(leaf.relpartbound, leaf.oid), 'FROM \\(''([0-9-]+)'))[1]::date)
FROM pg_partitioned_table p
JOIN pg_class parent ON parent.oid = p.partrelid AND p.partdefid <> 0
JOIN pg_inherits i ON i.inhparent = parent.oid AND i.inhrelid <> p.partdefid
JOIN pg_class leaf ON leaf.oid = i.inhrelid
GROUP BY parent.relname ORDER BY parent.relname
"""
MOST_ROWS_COUNTED = 1000


def unapplied_migrations() -> int:
    """How many of this code's migrations the database has not applied."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def unsafe_settings() -> list[str]:
    """The settings that must be on, and are off."""
    return [
        row[0]
        for row in _rows("SELECT name FROM pg_settings WHERE name = ANY(%s) AND setting = 'off'", [list(MUST_BE_ON)])
    ]


def version() -> int:
    """The server's major version, such as 18."""
    return int(_rows("SELECT current_setting('server_version_num')::int / 10000")[0][0])


def role() -> tuple[str, bool]:
    """The role we are logged in as, and whether it is a superuser."""
    name, is_superuser = _rows("SELECT current_user::text, rolsuper FROM pg_roles WHERE rolname = current_user")[0]
    return name, is_superuser


def changeable_books() -> list[str]:
    """Tables of the ledger in which only triggers keep our role from changing, deleting or truncating rows."""
    return [row[0] for row in _rows(CHANGEABLE_BOOKS)]


def missing_months(*, today: date, ahead: int) -> list[str]:
    """Months without a partition of their own, as `table YYYY-MM`, from the current month to `ahead` months later."""
    months = _months()
    wanted = [_month_after(today, number) for number in range(ahead + 1)]
    return [f"{table} {month:%Y-%m}" for table in sorted(months) for month in wanted if month not in months[table]]


def rows_without_month() -> dict[str, int]:
    """For each partitioned table, how many rows are in its default partition, counted up to 1 000.

    They are found by their dates, which fall in none of the months: our role has rights on the parent table only.
    """
    counts = {}
    for table, months in _months().items():
        outside, dates = _outside(months)
        # The table's name comes from the catalogue, the condition from `_outside`; the dates are parameters.
        statement = f"SELECT count(*) FROM (SELECT FROM {connection.ops.quote_name(table)} WHERE {outside} LIMIT {MOST_ROWS_COUNTED}) AS found"  # noqa: S608  # nosec B608
        counts[table] = int(_rows(statement, dates)[0][0])
    return counts


def clock_difference() -> timedelta:
    """The database's clock minus ours, as exactly as the round trip allows."""
    before = timezone.now()
    theirs: datetime = _rows("SELECT clock_timestamp()")[0][0]
    after = timezone.now()
    return theirs - (before + (after - before) / 2)


def _months() -> dict[str, list[date]]:
    return {table: sorted(months) for table, months in _rows(MONTHS)}


def _outside(months: list[date]) -> tuple[str, list[date]]:
    """A condition on `business_date` that holds outside all of these months, and its parameters."""
    edges: list[date] = []  # beginnings and ends, in turn, of months in a row
    for month in months:
        if edges and edges[-1] == month:
            edges[-1] = _month_after(month, 1)
        else:
            edges += [month, _month_after(month, 1)]
    if not edges:
        return "TRUE", []
    gaps = ["business_date >= %s AND business_date < %s"] * (len(edges) // 2 - 1)
    return " OR ".join(["business_date < %s", *gaps, "business_date >= %s"]), edges


def _month_after(day: date, number: int) -> date:
    """The first day of the month that is `number` months after that of `day`."""
    months = day.year * 12 + day.month - 1 + number
    return date(months // 12, months % 12 + 1, 1)


def _rows(statement: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found
