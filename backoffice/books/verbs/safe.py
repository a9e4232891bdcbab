"""The safe of a store: what all verbs about it share, and its count (ledger, "Cash"). See also `bank`."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext

from backoffice.books.refusals import NotDecided
from backoffice.books.rules import Deed, Subject, VerbRule
from backoffice.books.stores import find_store, store_today
from backoffice.domain.accounts import SAFE
from backoffice.domain.decisions import Verb
from backoffice.domain.periods import entry_date
from backoffice.domain.posting import Posting, post_safe_count
from backoffice.domain.scalars import MAX_MINOR
from backoffice.fleet.models import Store
from backoffice.ingestion.locks import announce_posting
from backoffice.ledger.writers import (
    Entry,
    EntryOrigin,
    account_balance,
    locked_through,
    next_entry_id,
    write_entries,
)


class SafeRule(VerbRule):
    """What the verbs about a safe share: the store is locked, so that they follow each other."""

    least = 0

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """The store, and what its safe should hold."""
        announce_posting(cursor, store_id=find_store(subject).pk)
        store = Store.objects.select_for_update(no_key=True).get(code=subject)
        amount = _amount(arguments.get("amount"), least=self.least)
        balance = account_balance(cursor, store_id=store.pk, account=SAFE, currency=store.currency)
        at_stake = self.at_stake(amount, balance=balance)
        stands = Subject("store", store.code, store, {"balance": balance}, store, amount=at_stake)
        return stands._replace(asks_for_two=self.asks_for_two(amount, balance=balance))

    def at_stake(self, amount: int, *, balance: int) -> int:
        """In minor units."""
        return amount

    def asks_for_two(self, amount: int, *, balance: int) -> bool:
        """Whether it takes two people, whatever the store says."""
        return False

    def write(
        self, cursor: CursorWrapper, store: Store, postings: list[Posting], deed: Deed, *, day: date
    ) -> dict[str, Any]:
        """The entry, if it has lines, on the store's own day or the first that is open; both days, for the record."""
        enters_on = entered_on(cursor, store, day)
        if postings:
            entry = Entry(next_entry_id(cursor), deed.decision_id, postings)
            origin = EntryOrigin(
                business_date=enters_on,
                store_id=store.pk,
                terminal_id=None,
                shift_id=None,
                source_kind="safe",
                source_number=0,
                currency=store.currency,
                posted_at=deed.now,
            )
            write_entries(cursor, [entry], origin=origin)
        return {"date": day.isoformat(), "entry_date": enters_on.isoformat()}


class CountSafe(SafeRule):
    """What is more or less than it should hold is over or short."""

    verb = Verb.COUNT_SAFE

    def at_stake(self, amount: int, *, balance: int) -> int:
        """What is over or short."""
        return amount - balance

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        store: Store = subject.row
        counted, balance = deed.arguments["amount"], subject.before["balance"]
        postings = post_safe_count(counted=counted, balance=balance)
        dates = self.write(cursor, store, postings, deed, day=store_today(store, deed.now))
        return {"expected": balance, "counted": counted, "over_short": counted - balance} | dates


def entered_on(cursor: CursorWrapper, store: Store, day: date) -> date:
    """The day on which something of this day is entered: itself, or the first that is open."""
    return entry_date(day, locked_through=locked_through(cursor, store_id=store.pk))


def _amount(value: Any, *, least: int) -> int:
    if type(value) is not int or not least <= value <= MAX_MINOR:
        raise NotDecided(
            "not-an-amount",
            gettext("{value} is no amount of at least {least}, in minor units.").format(
                value=f"{value!r}", least=least
            ),
        )
    return value
