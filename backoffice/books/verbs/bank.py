"""Between the safe of a store and its bank: cash that leaves, cash that the bank has, and change (ledger, "Cash")."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.db.models import Q
from django.utils.translation import gettext

from backoffice.books.deposits import cash_on_its_way
from backoffice.books.models import Decision
from backoffice.books.record import already_decided
from backoffice.books.refusals import NotDecided
from backoffice.books.rules import Deed, Subject
from backoffice.books.stores import read_day, store_today
from backoffice.books.verbs.safe import SafeRule, entered_on
from backoffice.domain.decisions import Verb
from backoffice.domain.posting import post_bank_change, post_bank_deposit, post_bank_receipt
from backoffice.domain.reasons import Reason
from backoffice.fleet.models import Store

MAX_SLIP = 64
MORE_THAN_IN_SAFE = "more-than-in-the-safe"
"""The remark on a deposit of more than the books know to be in the safe."""
MORE_THAN_ON_ITS_WAY = "more-than-on-its-way"


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
        slip = _named_by(arguments) | {"is_there": is_there}
        return stands._replace(holds_by=slip)

    def asks_for_two(self, amount: int, *, balance: int) -> bool:
        """More than there is."""
        return amount > balance

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        store: Store = subject.row
        amount, (slip, day) = deed.arguments["amount"], _new_slip(store, self.verb, deed)
        dates = self.write(cursor, store, post_bank_deposit(amount), deed, day=day)
        left = subject.before["balance"] - amount
        flags = [MORE_THAN_IN_SAFE] if left < 0 else []
        said = {"amount": amount, "currency": store.currency, "slip": slip}
        return said | {"left": left, "flags": flags} | dates


class ReceiveDeposit(SafeRule):
    """Cash that the bank has, by the number of its slip and the day of the bank: never more than is on its way to it."""

    verb = Verb.BANK_RECEIVED
    least = 1

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """A request is about its slip and the day, and holds while as much is on its way."""
        stands = super().lock(cursor, subject, arguments, person=person)
        on_its_way = cash_on_its_way(cursor, store=stands.store)
        is_there = arguments["amount"] <= on_its_way
        slip = _named_by(arguments) | {"is_there": is_there}
        return stands._replace(before={"on_its_way": on_its_way}, holds_by=slip)

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        store: Store = subject.row
        amount, (slip, day) = deed.arguments["amount"], _new_slip(store, self.verb, deed)
        _check_on_its_way(cursor, store, amount=amount, day=day)
        dates = self.write(cursor, store, post_bank_receipt(amount), deed, day=day)
        said = {"amount": amount, "currency": store.currency, "slip": slip}
        return said | {"on_its_way": subject.before["on_its_way"] - amount} | dates


class FetchChange(SafeRule):
    """Change from the bank into the safe. It may have a slip: by that, two of the same amount on one day are told apart."""

    verb = Verb.BANK_CHANGE
    least = 1

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """A request is about its amount, its day and its slip, whatever is in the safe: several may wait at once."""
        stands = super().lock(cursor, subject, arguments, person=person)
        return stands._replace(holds_by=_named_by(arguments) | {"amount": arguments["amount"]})

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        store: Store = subject.row
        amount, slip = deed.arguments["amount"], _slip(deed.arguments)
        day = _day(store, deed.arguments, deed.now)
        said = {"amount": amount, "slip": slip}
        _check_first(store, self.verb, said | {"date": day.isoformat()})
        dates = self.write(cursor, store, post_bank_change(amount), deed, day=day)
        return said | {"left": subject.before["balance"] + amount} | dates


def _named_by(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What a request is about: its slip and its day, as they were given."""
    return {"slip": _slip(arguments), "date": str(arguments.get("date"))}


def _new_slip(store: Store, verb: Verb, deed: Deed) -> tuple[str, date]:
    """The slip and the day of cash that goes by a slip. Raises NotDecided; AlreadyDecided where the same was said before."""
    slip, day = _slip(deed.arguments, is_needed=True), _day(store, deed.arguments, deed.now)
    _check_first(store, verb, {"slip": slip, "date": day.isoformat()})
    return slip, day


def _check_on_its_way(cursor: CursorWrapper, store: Store, *, amount: int, day: date) -> None:
    """Raises NotDecided for more than is on its way when it would be entered, or on any day since."""
    on_its_way = cash_on_its_way(cursor, store=store, since=entered_on(cursor, store, day))
    if amount > on_its_way:
        detail = f"{amount} is more than {max(on_its_way, 0)}"
        raise NotDecided(
            MORE_THAN_ON_ITS_WAY,
            gettext(
                "On {day} less than this was on its way to the bank, and the bank receives no more than that."
            ).format(day=day),
            [Reason(MORE_THAN_ON_ITS_WAY, "/amount", detail)],
        )


def _check_first(store: Store, verb: Verb, said: Mapping[str, Any]) -> None:
    """Raises AlreadyDecided where the same was said before: the store is locked, so nobody else says it meanwhile."""
    known = Decision.objects.filter(about="store", subject=store.code, verb=verb.value)
    first = known.filter(Q(after__contains=said) | Q(answer__after__contains=said)).first()
    if first is not None:
        raise already_decided(first.pk)


def _day(store: Store, arguments: Mapping[str, Any], now: datetime) -> date:
    """The day of a slip. Raises NotDecided."""
    today = store_today(store, now)
    day = read_day(arguments.get("date"), latest=today)
    if day.year < today.year - 1:
        raise NotDecided(
            "not-a-date",
            gettext("{day} is too long ago: a slip is of this year or of the year before.").format(day=day),
        )
    return day


def _slip(arguments: Mapping[str, Any], *, is_needed: bool = False) -> str:
    """The number of a slip, "" where there is none. Raises NotDecided for one too long, and where it is needed."""
    slip = str(arguments.get("slip", "")).strip()
    if len(slip) > MAX_SLIP or (is_needed and not slip):
        raise NotDecided(
            "slip-missing",
            gettext("A deposit has the number of its slip, at most {most} characters.").format(most=MAX_SLIP),
        )
    return slip
