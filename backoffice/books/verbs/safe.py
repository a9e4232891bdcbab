"""The safe of a store: counted, and brought to the bank (ledger, "Cash")."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.db.models import Q
from django.utils.translation import gettext

from backoffice.books.models import Decision
from backoffice.books.record import already_decided
from backoffice.books.refusals import NotDecided
from backoffice.books.rules import Deed, Subject, VerbRule
from backoffice.books.stores import find_store, read_day, store_today
from backoffice.domain.accounts import SAFE
from backoffice.domain.decisions import Verb
from backoffice.domain.periods import entry_date
from backoffice.domain.posting import Posting, post_bank_deposit, post_safe_count
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

MAX_SLIP = 64
MORE_THAN_IN_SAFE = "more-than-in-the-safe"
"""The remark on a deposit of more than the books know to be in the safe."""


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
        entered_on = entry_date(day, locked_through=locked_through(cursor, store_id=store.pk))
        if postings:
            entry = Entry(next_entry_id(cursor), deed.decision_id, postings)
            origin = EntryOrigin(
                business_date=entered_on,
                store_id=store.pk,
                terminal_id=None,
                shift_id=None,
                source_kind="safe",
                source_number=0,
                currency=store.currency,
                posted_at=deed.now,
            )
            write_entries(cursor, [entry], origin=origin)
        return {"date": day.isoformat(), "entry_date": entered_on.isoformat()}


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


class BankSafe(SafeRule):
    """Cash that leaves the safe for the bank, with the number of its slip: whoever asks again banks nothing twice.

    More than the books know of may be in a safe that was not counted: two people say so, and the decision has a remark.
    """

    verb = Verb.BANK
    least = 1

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """A request is about its slip, and holds while the safe is known to have as much: several may wait at once."""
        stands = super().lock(cursor, subject, arguments, person=person)
        is_there = not self.asks_for_two(arguments["amount"], balance=stands.before["balance"])
        slip = {"slip": _slip(arguments), "date": str(arguments.get("date")), "is_there": is_there}
        return stands._replace(holds_by=slip)

    def asks_for_two(self, amount: int, *, balance: int) -> bool:
        """More than there is."""
        return amount > balance

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        store: Store = subject.row
        amount, slip = deed.arguments["amount"], _slip(deed.arguments)
        if not 0 < len(slip) <= MAX_SLIP:
            raise NotDecided(
                "slip-missing",
                gettext("A deposit has the number of its slip, at most {most} characters.").format(most=MAX_SLIP),
            )
        today = store_today(store, deed.now)
        day = read_day(deed.arguments.get("date"), latest=today)
        if day.year < today.year - 1:
            raise NotDecided(
                "not-a-date",
                gettext("{day} is too long ago: a slip is of this year or of the year before.").format(day=day),
            )
        _check_not_banked(store, slip=slip, day=day)
        dates = self.write(cursor, store, post_bank_deposit(amount), deed, day=day)
        left = subject.before["balance"] - amount
        flags = [MORE_THAN_IN_SAFE] if left < 0 else []
        return {"amount": amount, "slip": slip, "left": left, "flags": flags} | dates


def _check_not_banked(store: Store, *, slip: str, day: date) -> None:
    """Raises AlreadyDecided for a slip of that day: the store is locked, so nobody else brings it meanwhile."""
    said = {"slip": slip, "date": day.isoformat()}
    deposits = Decision.objects.filter(about="store", subject=store.code, verb=Verb.BANK.value)
    banked = deposits.filter(Q(after__contains=said) | Q(answer__after__contains=said)).first()
    if banked is not None:
        raise already_decided(banked.pk)


def _slip(arguments: Mapping[str, Any]) -> str:
    return str(arguments.get("slip", "")).strip()


def _amount(value: Any, *, least: int) -> int:
    if type(value) is not int or not least <= value <= MAX_MINOR:
        raise NotDecided(
            "not-an-amount",
            gettext("{value} is no amount of at least {least}, in minor units.").format(
                value=f"{value!r}", least=least
            ),
        )
    return value
