"""Set-based writes of the books. The database checks what is written here: see migration 0002."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from backoffice.domain.accounts import DRAWER
from backoffice.domain.posting import Posting
from backoffice.postgres.binary import Row
from backoffice.postgres.copy import Int2, Int4, Int8, Table, write_rows
from backoffice.postgres.transactions import transaction_required


class EntryRow(NamedTuple):
    """A row of `ledger_journalentry`."""

    id: Int8
    source_id: UUID
    business_date: date
    store_id: Int4
    terminal_id: Int4 | None
    shift_id: UUID | None
    source_kind: str
    source_number: Int4
    currency: str
    posted_at: datetime


class JournalLineRow(NamedTuple):
    """A row of `ledger_journalline`; `drawer_id` is the terminal whose drawer it moved."""

    entry_id: Int8
    position: Int2
    debit: Int8
    credit: Int8
    business_date: date
    store_id: Int4
    account_id: str
    drawer_id: Int4 | None
    tax_code: str
    currency: str


JOURNAL_ENTRIES = Table("ledger_journalentry", EntryRow)
JOURNAL_LINES = Table("ledger_journalline", JournalLineRow)


class EntryOrigin(NamedTuple):
    """Where entries come from, the same for all that are written of it. A store's safe is of no terminal and no shift.

    `business_date` is the day on which they stand in the books: `domain/periods.entry_date` says which.
    """

    business_date: date
    store_id: int
    terminal_id: int | None
    shift_id: UUID | None
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


def entry_writes(entries: Sequence[Entry], *, origin: EntryOrigin) -> list[tuple[Table, list[Row]]]:
    """The rows of entries and of their lines, a chunk of each; lines of the drawer carry its terminal."""
    heads: list[Row] = []
    lines: list[Row] = []
    date, store_id, terminal_id, shift_id, source_kind, source_number, currency, posted_at = origin
    for entry_id, source_id, postings in entries:
        heads.append(
            EntryRow(
                entry_id,
                source_id,
                date,
                store_id,
                terminal_id,
                shift_id,
                source_kind,
                source_number,
                currency,
                posted_at,
            )
        )
        for position, (account, debit, credit, tax_code) in enumerate(postings):
            drawer_id = terminal_id if account == DRAWER else None
            lines.append(
                JournalLineRow(
                    entry_id, position, debit, credit, date, store_id, account, drawer_id, tax_code, currency
                )
            )
    return [(JOURNAL_ENTRIES, heads), (JOURNAL_LINES, lines)]


@transaction_required
def write_entries(cursor: CursorWrapper, entries: Sequence[Entry], *, origin: EntryOrigin) -> None:
    """Writes entries and all their lines: one statement each, since an entry must balance within its statement.

    Raises psycopg's CheckViolation (`entry_balances`, `entry_has_lines` at commit) and UniqueViolation
    (`one_entry_per_source`).
    """
    write_rows(cursor, [(table, [rows]) for table, rows in entry_writes(entries, origin=origin)])


def account_balance(cursor: CursorWrapper, *, store_id: int, account: str, currency: str) -> int:
    """Debits less credits of an account in a store's books, in minor units."""
    cursor.execute(
        "SELECT coalesce(sum(debit - credit), 0)::bigint FROM ledger_journalline"
        " WHERE store_id = %s AND account_id = %s AND currency = %s",
        [store_id, account, currency],
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def posted_lines(cursor: CursorWrapper, *, source_kinds: Sequence[str], source_id: UUID) -> list[Posting]:
    """What the entries of a source posted, in the order in which they were."""
    cursor.execute(
        "SELECT l.account_id, l.debit, l.credit, l.tax_code FROM ledger_entrysource s"
        " JOIN ledger_journalline l ON l.entry_id = s.entry_id AND l.business_date = s.business_date"
        " WHERE s.source_id = %s AND s.source_kind = ANY(%s) ORDER BY l.entry_id, l.position",
        [source_id, list(source_kinds)],
    )
    return [Posting(*row) for row in cursor.fetchall()]


def entry_count(cursor: CursorWrapper, *, source_kind: str, source_id: UUID) -> int:
    """How many entries of a kind a source has."""
    cursor.execute(
        "SELECT count(*) FROM ledger_entrysource WHERE source_kind = %s AND source_id = %s", [source_kind, source_id]
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def drawer_balance(cursor: CursorWrapper, *, terminal_id: int, after_entry_id: int) -> int:
    """What the journal lines after an entry moved in the terminal's drawer, debit positive, in minor units."""
    cursor.execute(
        "SELECT coalesce(sum(debit - credit), 0)::bigint FROM ledger_journalline WHERE drawer_id = %s AND entry_id > %s",
        [terminal_id, after_entry_id],
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def drawer_balance_of_shift(
    cursor: CursorWrapper, *, terminal_id: int, shift_id: UUID, after_entry_id: int, until: datetime
) -> int:
    """As `drawer_balance`, of the entries of one shift that were posted until then."""
    cursor.execute(
        "SELECT coalesce(sum(l.debit - l.credit), 0)::bigint FROM ledger_journalline l"
        " JOIN ledger_journalentry e ON e.id = l.entry_id AND e.business_date = l.business_date"
        " WHERE l.drawer_id = %s AND l.entry_id > %s AND e.shift_id = %s AND e.posted_at <= %s",
        [terminal_id, after_entry_id, shift_id, until],
    )
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def locked_through(cursor: CursorWrapper, *, store_id: int) -> date | None:
    """The last locked day of a store's books, None where nothing was ever locked.

    It holds until the transaction ends where this has announced that it posts for the store (`ingestion/locks.py`).
    """
    cursor.execute(
        "SELECT locked_through FROM ledger_periodlock WHERE store_id = %s ORDER BY id DESC LIMIT 1", [store_id]
    )
    row = cursor.fetchone()
    return None if row is None else row[0]


@transaction_required
def write_period_lock(cursor: CursorWrapper, *, store_id: int, through: date, decision_id: UUID) -> None:
    """Locks a store's books through a date, be it later or earlier than before. Waits for those who are posting."""
    # Its trigger gives the id, once it has waited.
    cursor.execute(
        "INSERT INTO ledger_periodlock (id, store_id, locked_through, decision_id) VALUES (0, %s, %s, %s)",
        [store_id, through, decision_id],
    )
