"""Stores, tills and shifts as they are in the tables: how shifts were opened and declared is taken on trust."""

import json
from datetime import date
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.audit.in_force import NOTHING_SET, InForce, load_currencies, load_methods, load_reasons

SELECT_STORES = "SELECT id, code, name, currency FROM fleet_store ORDER BY code"

SELECT_TILLS = """
SELECT t.id, t.store_id, s.code, t.name FROM fleet_terminal t JOIN fleet_store s ON s.id = t.store_id
ORDER BY s.code, t.id
"""

SELECT_SHIFTS = """
SELECT shift_id::text, store_id, terminal_id, number, state, business_date, currency, prices_include_tax, opening_float,
    opening_entry_id, drawer_at_opening, declared, computed, expected_cash, over_short, recounted, drawer_counts,
    awaits_count, moved_to_safe, flags IS NULL, ended_by IS NOT NULL
FROM sales_shift s WHERE terminal_id = %s AND NOT EXISTS (
    SELECT FROM sales_detachedmonth d WHERE s.business_date BETWEEN d.first_day AND d.last_day AND d.detached_at > s.received_at
) ORDER BY opening_entry_id
"""


class AuditedStore(NamedTuple):
    """A store, with the accounts to which its payment methods and cash reasons were mapped when, and its currencies."""

    id: int
    code: str
    name: str
    currency: str
    methods: InForce
    reasons: InForce
    currencies: InForce


class AuditedTill(NamedTuple):
    id: int
    store_id: int
    store_code: str
    name: str


class AuditedShift(NamedTuple):
    """One shift, with money in minor units. `declared` and `computed` have the shapes of protocol §6.

    `drawer_at_opening` is what its opening left in the drawer's account where that was not its float, `recounted` head
    office's last count, and `moved_to_safe` what its counts moved in all, where its close said what stays. `is_of_before`
    if the version before opened it, which knew nothing of what a close left. `is_ended` if head office ended it: nothing was
    declared then.
    """

    shift_id: str
    store_id: int
    terminal_id: int
    number: int
    state: str
    business_date: date
    currency: str
    inclusive: bool
    opening_float: int
    opening_entry_id: int
    drawer_at_opening: int | None
    declared: Any
    computed: Any
    expected_cash: int | None
    over_short: int | None
    recounted: int | None
    drawer_counts: int
    awaits_count: bool
    moved_to_safe: int | None
    is_of_before: bool
    is_ended: bool

    @property
    def is_closed(self) -> bool:
        """Whether its drawer was closed, by its terminal or by head office."""
        return self.declared is not None or self.is_ended

    @property
    def is_settled(self) -> bool:
        """Whether everything declared has arrived and was reconciled."""
        return self.state in {"reconciled", "discrepant", "approved"}

    @property
    def counted(self) -> int | None:
        """The count that stands, head office's before the terminal's; None while there is none."""
        return self.counted_at_close if self.recounted is None else self.recounted

    @property
    def counted_at_close(self) -> int | None:
        """The cash that the terminal counted; None until the shift is declared, and after a blind close."""
        return None if self.declared is None else self.declared["cash_counted"]

    @property
    def float_left(self) -> int | None:
        """What its close left in the drawer; None if it said nothing."""
        return None if self.declared is None else self.declared.get("float_left")

    @property
    def counts_at_close(self) -> int:
        """How many of `drawer_counts` were made at the close: closes that did not know `float_left` were not numbered."""
        return int(self.counted_at_close is not None and "float_left" in self.declared)


def load_stores(cursor: CursorWrapper) -> dict[int, AuditedStore]:
    """Every store by its id, in the order of codes."""
    settings = [load(cursor) for load in (load_methods, load_reasons, load_currencies)]
    cursor.execute(SELECT_STORES)
    rows = cursor.fetchall()
    return {row[0]: AuditedStore._make((*row, *(each.get(row[0], NOTHING_SET) for each in settings))) for row in rows}


def load_tills(cursor: CursorWrapper) -> list[AuditedTill]:
    """Every terminal, store by store."""
    cursor.execute(SELECT_TILLS)
    return [AuditedTill(*row) for row in cursor.fetchall()]


def load_shifts(cursor: CursorWrapper, till: AuditedTill) -> list[AuditedShift]:
    """The shifts of a terminal in the order in which we received their openings, without those of detached months."""
    cursor.execute(SELECT_SHIFTS, [till.id])
    shifts = [AuditedShift(*row) for row in cursor.fetchall()]
    return [shift._replace(declared=_parsed(shift.declared), computed=_parsed(shift.computed)) for shift in shifts]


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)
