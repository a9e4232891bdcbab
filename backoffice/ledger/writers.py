"""Set-based writes of the books. The database checks what is written here: see migration 0002."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from backoffice.domain.accounts import DRAWER
from backoffice.domain.posting import Posting
from backoffice.postgres.copying import Row, Shared, Table, write_rows

ENTRIES = Table(
    "ledger_journalentry",
    {
        "id": "int8",
        "source_id": "uuid",
        "business_date": "date",
        "store_id": "int4",
        "terminal_id": "int4",
        "shift_id": "uuid",
        "source_kind": "text",
        "source_number": "int4",
        "currency": "text",
        "posted_at": "timestamptz",
    },
    own=2,
)
LINES = Table(
    "ledger_journalline",
    {
        "entry_id": "int8",
        "position": "int2",
        "debit": "int8",
        "credit": "int8",
        "business_date": "date",
        "store_id": "int4",
        "account_id": "text",
        "drawer_id": "int4",
        "tax_code": "text",
        "currency": "text",
    },
    own=4,
)


class Origin(NamedTuple):
    """Where entries come from, the same for all that are written of it."""

    business_date: date
    store_id: int
    terminal_id: int
    shift_id: UUID
    source_kind: str
    source_number: int
    currency: str
    posted_at: datetime


class Entry(NamedTuple):
    """An entry to be written: its id, what it is the entry of, and its lines."""

    id: int
    source_id: UUID
    postings: Sequence[Posting]


def next_entry_id(cursor: CursorWrapper) -> int:
    """An id for a journal entry. Orders and movements take theirs from the same sequence, with their identity."""
    cursor.execute("SELECT nextval('ledger_entry_id_seq')")
    row = cursor.fetchone()
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    return int(row[0])


def entry_writes(entries: Sequence[Entry], *, origin: Origin) -> list[tuple[Table, list[Row]]]:
    """The rows of entries and of their lines; those of the drawer carry its terminal."""
    heads: list[Row] = []
    lines: list[Row] = []
    of_origin = Shared(origin)
    of_account: dict[tuple[str, str], Shared] = {}
    for entry_id, source_id, postings in entries:
        heads.append((entry_id, source_id, of_origin))
        for position, (account, debit, credit, tax_code) in enumerate(postings):
            shared = of_account.get((account, tax_code))
            if shared is None:
                drawer_id = origin.terminal_id if account == DRAWER else None
                shared = of_account[account, tax_code] = Shared(
                    (origin.business_date, origin.store_id, account, drawer_id, tax_code, origin.currency)
                )
            lines.append((entry_id, position, debit, credit, shared))
    return [(ENTRIES, heads), (LINES, lines)]


def write_entries(cursor: CursorWrapper, entries: Sequence[Entry], *, origin: Origin) -> None:
    """Writes entries and all their lines: one statement each, since an entry must balance within its statement.

    Raises psycopg's CheckViolation (`entry_balances`, `entry_has_lines` at commit) and UniqueViolation
    (`one_entry_per_source`).
    """
    write_rows(cursor, entry_writes(entries, origin=origin))


def drawer_balance(cursor: CursorWrapper, *, terminal_id: int, after_entry_id: int) -> int:
    """What the journal lines after an entry moved in the terminal's drawer, debit positive, in minor units."""
    cursor.execute(
        "SELECT coalesce(sum(debit - credit), 0)::bigint FROM ledger_journalline WHERE drawer_id = %s AND entry_id > %s",
        [terminal_id, after_entry_id],
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0
