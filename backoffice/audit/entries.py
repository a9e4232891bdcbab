"""Journal entries as they are in the tables, found by what they were posted for."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from typing import NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.audit.rules import DRAWER, Sides

SELECT_SOURCES = """
SELECT source_kind, source_id::text, source_number, entry_id, business_date FROM ledger_entrysource
WHERE source_kind = ANY(%s) AND source_id = ANY(%s::uuid[])
"""

SELECT_ENTRIES = """
SELECT id, posted_at, business_date, store_id, terminal_id, shift_id::text, source_kind, source_id::text, source_number, currency
FROM ledger_journalentry WHERE id = ANY(%s) AND business_date = ANY(%s)
"""

SELECT_LINES = """
SELECT entry_id, business_date, account_id, tax_code, store_id, currency, drawer_id, debit, credit
FROM ledger_journalline WHERE entry_id = ANY(%s) AND business_date = ANY(%s)
"""


NEVER = datetime.max.replace(tzinfo=UTC)


class Head(NamedTuple):
    """An entry without its number and lines: where it belongs, and what it was posted for. A safe's is of no terminal."""

    business_date: date
    store_id: int
    terminal_id: int | None
    shift_id: str | None
    source_kind: str
    source_id: str
    source_number: int
    currency: str


class Side(NamedTuple):
    """What the lines of an entry are summed by."""

    business_date: date
    account: str
    tax_code: str
    store_id: int
    currency: str
    drawer_id: int | None


class Entry(NamedTuple):
    """One entry; `lines` are its debits and credits per side, in minor units. `id` is 0 for a derived entry.

    `posted_at` is when it was posted; of a derived one, never.
    """

    id: int
    posted_at: datetime
    head: Head
    lines: Mapping[Side, tuple[int, int]]

    @property
    def sides(self) -> Sides:
        """Its debits and credits by account and tax code alone."""
        return {(side.account, side.tax_code): amounts for side, amounts in self.lines.items()}


Source = tuple[str, str, int]
"""(kind, identifier, number)"""


def derived(head: Head, sides: Sides) -> Entry:
    """The entry that should have been posted."""
    lines = {
        Side(
            head.business_date,
            account,
            code,
            head.store_id,
            head.currency,
            head.terminal_id if account == DRAWER else None,
        ): amounts
        for (account, code), amounts in sides.items()
    }
    return Entry(0, NEVER, head, lines)


def load_entries(cursor: CursorWrapper, kinds: Collection[str], source_ids: Collection[str]) -> dict[Source, Entry]:
    """The entries of these sources, found through `ledger_entrysource`."""
    cursor.execute(SELECT_SOURCES, [list(kinds), list(source_ids)])
    sources = cursor.fetchall()
    if not sources:
        return {}
    key = [[row[3] for row in sources], list({row[4] for row in sources})]
    cursor.execute(SELECT_LINES, key)
    lines: dict[int, dict[Side, tuple[int, int]]] = defaultdict(dict)
    for entry_id, *where, debit, credit in cursor.fetchall():
        side = Side(*where)
        debits, credits_ = lines[entry_id].get(side, (0, 0))
        lines[entry_id][side] = (debits + debit, credits_ + credit)
    cursor.execute(SELECT_ENTRIES, key)
    found = {row[0]: Entry(row[0], row[1], Head(*row[2:]), lines[row[0]]) for row in cursor.fetchall()}
    return {
        (kind, source_id, number): found[entry_id]
        for kind, source_id, number, entry_id, _ in sources
        if entry_id in found
    }
