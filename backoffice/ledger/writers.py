"""Set-based writes of the books. The database checks what is written here: see migration 0002."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db.backends.utils import CursorWrapper

COPY_ENTRIES = """
COPY ledger_journalentry (id, business_date, store_id, terminal_id, shift_id, source_kind, source_id, source_number,
    currency, posted_at) FROM STDIN (FORMAT BINARY)
"""
ENTRY_TYPES = ["int8", "date", "int4", "int4", "uuid", "text", "uuid", "int4", "text", "timestamptz"]

COPY_LINES = """
COPY ledger_journalline (entry_id, position, business_date, store_id, account_id, drawer_id, tax_code, debit, credit,
    currency) FROM STDIN (FORMAT BINARY)
"""
LINE_TYPES = ["int8", "int2", "date", "int4", "text", "int4", "text", "int8", "int8", "text"]


class EntryRow(NamedTuple):
    """A row of `ledger_journalentry`."""

    id: int
    business_date: date
    store_id: int
    terminal_id: int
    shift_id: UUID
    source_kind: str
    source_id: UUID
    source_number: int
    currency: str
    posted_at: datetime


class LineRow(NamedTuple):
    """A row of `ledger_journalline`; minor units."""

    entry_id: int
    position: int
    business_date: date
    store_id: int
    account_id: str
    drawer_id: int | None
    tax_code: str
    debit: int
    credit: int
    currency: str


def next_entry_ids(cursor: CursorWrapper, count: int) -> list[int]:
    """`count` ids for journal entries, in ascending order."""
    cursor.execute("SELECT nextval('ledger_entry_id_seq') FROM generate_series(1, %s)", [count])
    return [row[0] for row in cursor.fetchall()]


def write_entries(cursor: CursorWrapper, *, entries: Sequence[EntryRow], lines: Sequence[LineRow]) -> None:
    """Writes entries and all their lines: one statement each, since an entry must balance within its statement.

    Raises psycopg's CheckViolation (`entry_balances`, `entry_has_lines` at commit) and UniqueViolation
    (`one_entry_per_source`).
    """
    if not entries:
        return
    with cursor.copy(COPY_ENTRIES) as copy:
        copy.set_types(ENTRY_TYPES)
        for entry in entries:
            copy.write_row(entry)
    with cursor.copy(COPY_LINES) as copy:
        copy.set_types(LINE_TYPES)
        for line in lines:
            copy.write_row(line)


def drawer_balance(cursor: CursorWrapper, *, terminal_id: int, after_entry_id: int) -> int:
    """What the journal lines after an entry moved in the terminal's drawer, debit positive, in minor units."""
    cursor.execute(
        "SELECT coalesce(sum(debit - credit), 0)::bigint FROM ledger_journalline WHERE drawer_id = %s AND entry_id > %s",
        [terminal_id, after_entry_id],
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0
