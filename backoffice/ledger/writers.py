"""Set-based writes of the books. The database checks what is written here: see migration 0002."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from backoffice.bulk import Table, write_rows

ENTRIES = Table(
    "ledger_journalentry",
    {
        "id": "int8",
        "business_date": "date",
        "store_id": "int4",
        "terminal_id": "int4",
        "shift_id": "uuid",
        "source_kind": "text",
        "source_id": "uuid",
        "source_number": "int4",
        "currency": "text",
        "posted_at": "timestamptz",
    },
)
LINES = Table(
    "ledger_journalline",
    {
        "entry_id": "int8",
        "position": "int2",
        "business_date": "date",
        "store_id": "int4",
        "account_id": "text",
        "drawer_id": "int4",
        "tax_code": "text",
        "debit": "int8",
        "credit": "int8",
        "currency": "text",
    },
)


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


def next_entry_id(cursor: CursorWrapper) -> int:
    """An id for a journal entry. Orders and movements take theirs from the same sequence, with their identity."""
    cursor.execute("SELECT nextval('ledger_entry_id_seq')")
    row = cursor.fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    return int(row[0])


def write_entries(cursor: CursorWrapper, *, entries: Sequence[EntryRow], lines: Sequence[LineRow]) -> None:
    """Writes entries and all their lines: one statement each, since an entry must balance within its statement.

    Raises psycopg's CheckViolation (`entry_balances`, `entry_has_lines` at commit) and UniqueViolation
    (`one_entry_per_source`).
    """
    write_rows(cursor, [(ENTRIES, entries), (LINES, lines)])


def drawer_balance(cursor: CursorWrapper, *, terminal_id: int, after_entry_id: int) -> int:
    """What the journal lines after an entry moved in the terminal's drawer, debit positive, in minor units."""
    cursor.execute(
        "SELECT coalesce(sum(debit - credit), 0)::bigint FROM ledger_journalline WHERE drawer_id = %s AND entry_id > %s",
        [terminal_id, after_entry_id],
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0
