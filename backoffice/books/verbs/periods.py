"""A store's books are locked through a date, and opened again from a date on (books, "Periods")."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import OperationalError
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from django.utils.translation import gettext

from backoffice.books.periods import unfinished_shifts
from backoffice.books.refusals import NotDecided
from backoffice.books.rules import Deed, Subject, VerbRule
from backoffice.books.stores import find_store, read_day, store_today
from backoffice.domain.decisions import Verb
from backoffice.domain.periods import first_open_day
from backoffice.fleet.models import Store
from backoffice.ingestion.locks import await_postings, is_lock_wait
from backoffice.ledger.writers import locked_through, write_period_lock

# Postings take a second at most. Those that begin meanwhile wait behind a lock, so it does not wait for long.
PATIENCE = "SET LOCAL lock_timeout = '5s'"


class PeriodRule(VerbRule):
    """What both verbs share: nobody posts for the store from the moment at which its lock is looked up."""

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """The store, and through which day its books are locked."""
        store = find_store(subject)
        day = read_day(arguments.get("date"), latest=store_today(store, timezone.now()))
        cursor.execute(PATIENCE)
        try:
            await_postings(cursor, store_id=store.pk)
        except OperationalError as error:
            if not is_lock_wait(error):
                raise
            raise NotDecided(
                "books-busy", gettext("Something is being posted for this store: try again in a minute.")
            ) from None
        locked = locked_through(cursor, store_id=store.pk)
        self.check(day, locked)
        before = {"locked_through": None if locked is None else locked.isoformat()}
        return Subject("store", store.code, store, before, store)

    def check(self, day: date, locked: date | None) -> None:
        """Raises NotDecided where the verb does not fit."""

    def write(self, cursor: CursorWrapper, store: Store, deed: Deed, *, through: date) -> dict[str, Any]:
        """The lock that is in force from here on."""
        write_period_lock(cursor, store_id=store.pk, through=through, decision_id=deed.decision_id)
        return {"locked_through": through.isoformat(), "first_open_day": first_open_day(through).isoformat()}


class LockPeriod(PeriodRule):
    """Nothing is entered on or before the date any more. What comes late for it stands on the first open day.

    Shifts of the period that are not finished do not prevent it: the answer names them.
    """

    verb = Verb.LOCK

    def check(self, day: date, locked: date | None) -> None:
        """Only forward: to open a locked day takes two people."""
        if locked is not None and day <= locked:
            raise NotDecided(
                "already-locked", gettext("The books are locked through {locked} already.").format(locked=locked)
            )

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        through = date.fromisoformat(deed.arguments["date"])
        after = self.write(cursor, subject.row, deed, through=through)
        return after | {"unfinished": unfinished_shifts(subject.row, through=through)}


class UnlockPeriod(PeriodRule):
    """The books are open from the date on; whatever is before it stays locked. Always two people."""

    verb = Verb.UNLOCK

    def check(self, day: date, locked: date | None) -> None:
        """Only a day that is locked is opened."""
        if locked is None:
            raise NotDecided("not-locked", gettext("The books of this store are not locked."))
        if day > locked:
            raise NotDecided(
                "not-locked",
                gettext("The books are locked through {locked}: {day} is open.").format(locked=locked, day=day),
            )

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        opened = date.fromisoformat(deed.arguments["date"])
        return self.write(cursor, subject.row, deed, through=opened - timedelta(days=1))
