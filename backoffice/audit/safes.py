"""The safe of each store, as head office counted it, banked from it, and put change into it; and what the bank received (ledger, "Cash").

What a count found in the account, and a receipt on its way, is taken on trust, as the decision has it: closings of that
moment may have come before or after.
"""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from backoffice.audit.detached import Detached
from backoffice.audit.entries import Entry, Head, derived, load_entries
from backoffice.audit.findings import Findings
from backoffice.audit.fleet import AuditedStore
from backoffice.audit.ledger import Ledger
from backoffice.audit.periods import LockedPeriods
from backoffice.audit.rules import BANK, OVER_SHORT, SAFE, TO_THE_BANK, Sides, transfer

SELECT_SAFES = """
SELECT d.id::text, d.verb, d.store_id, d.arguments::text, d.before::text, coalesce(a.after, d.after)::text
FROM books_decision d LEFT JOIN books_decisionanswer a ON a.decision_id = d.id
WHERE d.about = 'store' AND d.verb IN ('count-safe', 'bank', 'bank-received', 'bank-change') AND (NOT d.needs_second_person OR a.answer = 'agreed') ORDER BY d.asked_at
"""


class SafeDecision(NamedTuple):
    """A decision about a safe: its own day, and that on which it says that its entry stands."""

    id: str
    verb: str
    store_id: int
    amount: int
    balance: int
    on_its_way: int
    day: date
    entered_on: date

    @property
    def sides(self) -> Sides:
        """What it posts."""
        ways = {"bank": (TO_THE_BANK, SAFE), "bank-received": (BANK, TO_THE_BANK), "bank-change": (SAFE, BANK)}
        if self.verb in ways:
            return transfer(self.amount, *ways[self.verb])
        return transfer(self.amount - self.balance, SAFE, OVER_SHORT)


def check_safes(
    cursor: CursorWrapper,
    stores: Mapping[int, AuditedStore],
    detached: Detached,
    *,
    periods: LockedPeriods,
    ledger: Ledger,
    findings: Findings,
) -> None:
    """Each of these decisions must have the entry that it says, and no safe another; the bank has no more than was on its way."""
    cursor.execute(SELECT_SAFES)
    decisions = [_read(row) for row in cursor.fetchall()]
    entries = load_entries(cursor, ["safe"], [decision.id for decision in decisions])
    for decision in decisions:
        if detached.covers(decision.entered_on):
            continue
        store = stores[decision.store_id]
        found = entries.get(("safe", decision.id, 0))
        day = decision.day if found is None else periods.entry_date(store.id, decision.day, found.id)
        currency = _currency_then(store, found)
        head = Head(day, store.id, None, None, "safe", decision.id, 0, currency)
        where = f"safe, by the decision {decision.id} ({decision.verb})"
        ledger.check(derived(head, decision.sides), found, store=store.code, where=where)
        if decision.verb == "bank-received" and decision.amount > decision.on_its_way:
            most = f"at most {decision.on_its_way}"
            findings.add(store.code, where, "received by the bank", expected=most, found=decision.amount)


def _currency_then(store: AuditedStore, found: Entry | None) -> str:
    """The store's currency when the entry was posted; where it changed just then, the entry's own if that is one of them."""
    if found is None:
        return store.currency
    several = [
        each.get("currency", store.currency) for each in store.currencies.between(found.posted_at, found.posted_at)
    ]
    return found.head.currency if found.head.currency in several else several[-1]


def _read(row: tuple[Any, ...]) -> SafeDecision:
    decision_id, verb, store_id, *texts = row
    arguments, before, after = (json.loads(text or "{}") for text in texts)
    day = date.fromisoformat(after.get("date", "0001-01-01"))
    entered_on = date.fromisoformat(after.get("entry_date", day.isoformat()))
    amount, balance = arguments.get("amount", 0), before.get("balance", 0)
    on_its_way = before.get("on_its_way", 0)
    return SafeDecision(decision_id, verb, store_id, amount, balance, on_its_way, day, entered_on)
