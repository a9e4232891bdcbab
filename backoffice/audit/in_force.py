"""What a store's settings said when something was posted: those of today, with every change of the audit trail taken back.

An order and its entry stay as they were posted, whatever head office has set since. Of what was changed before the trail
began nothing is known: it counts as it first stood there.
"""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.audit.entries import Entry
from backoffice.audit.rules import Sides

# Times are taken before the terminal's lock, for which nobody waits that long.
GRACE = timedelta(minutes=1)
BEGINNING, END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

SELECT_CHANGES = """
SELECT object_id, store_id, at, what, before::text FROM trail_entry
WHERE about = %s AND what IN ('added', 'changed', 'removed') AND store_id IS NOT NULL ORDER BY at DESC, id DESC
"""
# What an entry posts depends on, besides what its shift has kept.
SELECT_METHODS = "SELECT id::text, store_id, method, account_id FROM ledger_paymentaccount"
SELECT_REASONS = "SELECT id::text, store_id, reason, account_id FROM ledger_cashreason"
SELECT_CURRENCIES = "SELECT id::text, id, 'currency', currency FROM fleet_store"


class _Columns(NamedTuple):
    """How the trail calls the things of a table, and which of their columns are a setting's key and its value."""

    about: str
    key: str
    value: str


class InForce:
    """One kind of settings of one store, from the first to today's: each a mapping, with when it came into force."""

    def __init__(self, since: list[tuple[datetime, Mapping[str, str]]]) -> None:
        self._times = [time for time, _ in since]
        self._settings = [settings for _, settings in since]

    def between(self, first: datetime, last: datetime) -> list[Mapping[str, str]]:
        """Whatever was in force at some moment from first to last, give or take a minute; one at least."""
        begin = bisect_right(self._times, _earlier(first)) - 1
        end = bisect_right(self._times, _later(last))
        return self._settings[max(begin, 0) : max(end, 1)]

    def when(
        self, entry: Entry | None, derive: Callable[[Mapping[str, str]], Sides | None], *, received_at: datetime
    ) -> Mapping[str, str]:
        """What was in force when an entry was posted.

        Just when it changed nobody can tell which of two it was: then the one by which the entry is right. What has no
        entry was posted at some time after it was `received_at`; it counts by the newest that lets it be posted.
        `derive` gives what is posted by such a mapping, None where that cannot be.
        """
        if entry is None:
            several = self.between(received_at, END)
            return next((each for each in reversed(several) if derive(each) is not None), several[-1])
        several = self.between(entry.posted_at, entry.posted_at)
        if len(several) == 1:
            return several[0]
        found = entry.sides
        return next((each for each in several if derive(each) == found), several[-1])


def load_methods(cursor: CursorWrapper) -> dict[int, InForce]:
    """By store, the accounts of payment methods."""
    return _load(cursor, SELECT_METHODS, _Columns("payment account", "method", "account_id"))


def load_reasons(cursor: CursorWrapper) -> dict[int, InForce]:
    """By store, the accounts of cash reasons."""
    return _load(cursor, SELECT_REASONS, _Columns("cash reason", "reason", "account_id"))


def load_currencies(cursor: CursorWrapper) -> dict[int, InForce]:
    """By store, its currency: `{"currency": …}`."""
    return _load(cursor, SELECT_CURRENCIES, _Columns("store", "", "currency"))


NOTHING_SET = InForce([(BEGINNING, {})])
_Rows = dict[str, tuple[str, str]]
"""By the id of a row, its key and its value."""


def _load(cursor: CursorWrapper, today: str, columns: _Columns) -> dict[int, InForce]:
    cursor.execute(today)
    rows: dict[int, _Rows] = defaultdict(dict)
    for row_id, store_id, key, value in cursor.fetchall():
        rows[store_id][row_id] = key, value
    cursor.execute(SELECT_CHANGES, [columns.about])
    since: dict[int, list[tuple[datetime, Mapping[str, str]]]] = defaultdict(list)
    known: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}

    def whole(settings: _Rows) -> Mapping[str, str]:
        """Most stores are alike: of equal settings there is one."""
        return known.setdefault(tuple(sorted(settings.values())), dict(settings.values()))

    for row_id, store_id, at, what, before in cursor.fetchall():
        if what == "changed" and not _is_of_setting(before, columns):
            continue
        since[store_id].append((at, whole(rows[store_id])))
        _take_back(rows[store_id], row_id, what, json.loads(before or "{}"), columns)
    return {
        store_id: InForce([(BEGINNING, whole(first)), *reversed(since[store_id])]) for store_id, first in rows.items()
    }


def _is_of_setting(before: str | None, columns: _Columns) -> bool:
    """Whether a change is of one of these columns: most changes of a store are of others."""
    return not {columns.key, columns.value}.isdisjoint(json.loads(before or "{}"))


def _take_back(rows: _Rows, row_id: str, what: str, before: Mapping[str, Any], columns: _Columns) -> None:
    """The rows as they were before a change."""
    if what == "added":
        rows.pop(row_id, None)
        return
    key, value = rows.get(row_id, (columns.value, ""))
    rows[row_id] = before.get(columns.key, key), before.get(columns.value, value)


def _earlier(moment: datetime) -> datetime:
    return moment if moment - BEGINNING < GRACE else moment - GRACE


def _later(moment: datetime) -> datetime:
    return moment if END - moment < GRACE else moment + GRACE
