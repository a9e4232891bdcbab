"""The safe of a store: counted, and brought to the bank (ledger, "Cash")."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper

from backoffice.books.refusals import NotDecided
from backoffice.books.rules import Deed, Subject, VerbRule
from backoffice.domain.accounts import SAFE
from backoffice.domain.decisions import Verb
from backoffice.domain.posting import Posting, post_bank_deposit, post_safe_count
from backoffice.domain.scalars import MAX_MINOR
from backoffice.fleet.models import Store
from backoffice.ledger.writers import Entry, EntryOrigin, account_balance, next_entry_id, write_entries

MAX_SLIP = 64
FIRST_DAY = date(2000, 1, 1)


class SafeRule(VerbRule):
    """What the verbs about a safe share: the store is locked, so that they follow each other."""

    least = 0

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """The store, and what its safe should hold."""
        store = Store.objects.select_for_update(no_key=True).filter(code=subject).first()
        if store is None:
            raise NotDecided("unknown-store", f"There is no store {subject}.")
        amount = _amount(arguments.get("amount"), least=self.least)
        balance = account_balance(cursor, store_id=store.pk, account=SAFE, currency=store.currency)
        at_stake = self.at_stake(amount, balance=balance)
        return Subject("store", store.code, store, {"balance": balance}, store, amount=at_stake)

    def at_stake(self, amount: int, *, balance: int) -> int:
        """In minor units."""
        return amount

    def write(self, cursor: CursorWrapper, store: Store, postings: list[Posting], deed: Deed, *, day: date) -> None:
        """The entry, if it has lines, on the store's own day."""
        if postings:
            entry = Entry(next_entry_id(cursor), deed.decision_id, postings)
            origin = EntryOrigin(
                business_date=day,
                store_id=store.pk,
                terminal_id=None,
                shift_id=None,
                source_kind="safe",
                source_number=0,
                currency=store.currency,
                posted_at=deed.now,
            )
            write_entries(cursor, [entry], origin=origin)


class CountSafe(SafeRule):
    """What is more or less than it should hold is over or short."""

    verb = Verb.COUNT_SAFE

    def at_stake(self, amount: int, *, balance: int) -> int:
        """What is over or short."""
        return amount - balance

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        store: Store = subject.row
        counted, balance = deed.arguments["amount"], subject.before["balance"]
        day = _today(store, deed.now)
        self.write(cursor, store, post_safe_count(counted=counted, balance=balance), deed, day=day)
        return {"expected": balance, "counted": counted, "over_short": counted - balance, "date": day.isoformat()}


class BankSafe(SafeRule):
    """Cash that leaves the safe for the bank, with the number of its slip."""

    verb = Verb.BANK
    least = 1

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        store: Store = subject.row
        amount, slip = deed.arguments["amount"], str(deed.arguments.get("slip", "")).strip()
        if not 0 < len(slip) <= MAX_SLIP:
            raise NotDecided("slip-missing", f"A deposit has the number of its slip, at most {MAX_SLIP} characters.")
        day = _day(deed.arguments.get("date"), latest=_today(store, deed.now))
        self.write(cursor, store, post_bank_deposit(amount), deed, day=day)
        return {"amount": amount, "slip": slip, "date": day.isoformat(), "left": subject.before["balance"] - amount}


def _amount(value: Any, *, least: int) -> int:
    if type(value) is not int or not least <= value <= MAX_MINOR:
        raise NotDecided("not-an-amount", f"{value!r} is no amount of at least {least}, in minor units.")
    return value


def _today(store: Store, now: datetime) -> date:
    return now.astimezone(ZoneInfo(store.timezone)).date()


def _day(text: Any, *, latest: date) -> date:
    """A day as `2026-03-01`, not in the future. Raises NotDecided."""
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        raise NotDecided("not-a-date", f"{text!r} is no date such as 2026-03-01.") from None
    if not FIRST_DAY <= day <= latest:
        raise NotDecided("not-a-date", f"{day} is before {FIRST_DAY} or in the future.")
    return day
