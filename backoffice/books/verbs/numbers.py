"""Missing numbers: either they never were a sale, or the sale is entered from its paper receipt."""

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext

from backoffice.books.cards import flags_of_typed
from backoffice.books.held import opened
from backoffice.books.refusals import NotDecided
from backoffice.books.rules import Deed, Subject, VerbRule
from backoffice.books.shifts import lock_shift
from backoffice.domain.decisions import Verb
from backoffice.domain.reasons import ENTERED_BY_HAND, Reason
from backoffice.domain.states import ShiftState
from backoffice.ingestion.batch.decided import CannotPost, DecidedUpload, post_entered
from backoffice.ingestion.detaching import is_detached_shift
from backoffice.ingestion.figures import shift_figures
from backoffice.ingestion.reconcile import in_the_tables, reconcile_shift
from backoffice.sales.models import ExplainedNumbers, Identity, Shift

RANGE = re.compile(r"(\d{1,16})(?:-(\d{1,16}))?")
BY_HAND = Reason(ENTERED_BY_HAND, "", "From its paper receipt")


class ExplainNumbers(VerbRule):
    """A range of a closed shift's missing numbers never was a sale. What arrives all the same is posted as ever."""

    verb = Verb.EXPLAIN

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """The shift, and whether all of the range is missing there."""
        shift = lock_shift(subject)
        if Shift.objects.filter(is_detached_shift(), pk=shift.pk).exists():
            raise NotDecided(
                "month-detached", gettext("Its month was detached: what is missing in it cannot be told now.")
            )
        first, last = _range(arguments.get("numbers"))
        missing = shift_figures(cursor, shift).missing_numbers
        if not any(begin <= first and last <= end for begin, end in missing):
            ranges = ", ".join(f"{begin}-{end}" for begin, end in missing) or gettext("no number")
            raise NotDecided(
                "not-missing",
                gettext("Not all of {first}-{last} is missing in this shift: {ranges} is.").format(
                    first=first, last=last, ranges=ranges
                ),
            )
        before = {"first": first, "last": last, "is_missing": True}
        return Subject("shift", str(shift.pk), shift.store, before, shift, shift_id=shift.pk)

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        shift: Shift = subject.row
        first, last = _range(deed.arguments.get("numbers"))
        ExplainedNumbers.objects.create(
            decision_id=deed.decision_id, terminal_id=shift.terminal_id, shift=shift, first=first, last=last
        )
        waiting = Shift.objects.filter(
            terminal_id=shift.terminal_id, state=ShiftState.CLOSING.value, awaits_number__range=(first, last)
        )
        for each in in_the_tables(waiting):
            reconcile_shift(cursor, each, now=deed.now)
        shift.refresh_from_db()
        if shift.state == ShiftState.CLOSING.value:
            reconcile_shift(cursor, shift, now=deed.now)
        return {"numbers": [first, last], "state": shift.state}


def _range(text: Any) -> tuple[int, int]:
    """`1021` or `1021-1023`, inclusive. Raises NotDecided."""
    found = RANGE.fullmatch(str(text))
    if found is None:
        raise NotDecided(
            "not-numbers", gettext("{text} is no number and no range such as 1021-1023.").format(text=f"{text!r}")
        )
    first, last = int(found[1]), int(found[2] or found[1])
    if not 1 <= first <= last:
        raise NotDecided("not-numbers", gettext("{text} is no range of numbers.").format(text=text))
    return first, last


class EnterOrder(VerbRule):
    """The whole order from its paper receipt, by the rules of an upload, and flagged."""

    verb = Verb.ENTER

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """The shift, and whether the order's number is free."""
        shift = lock_shift(subject)
        wanted = arguments.get("order")
        if not isinstance(wanted, dict):
            raise NotDecided("cannot-be-posted", gettext("The order must be a JSON object."))
        number, total = wanted.get("number"), wanted.get("total")
        is_used = type(number) is int and _is_used(shift, number)
        before = {"shift_id": str(shift.pk), "number": number, "is_used": is_used}
        amount = total if type(total) is int else None
        return Subject("shift", str(shift.pk), shift.store, before, shift, amount=amount, shift_id=shift.pk)

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        shift: Shift = subject.row
        wanted = {"order_id": str(uuid4()), **deed.arguments["order"]}
        upload = opened(json.dumps(wanted).encode(), what="order")
        decided = DecidedUpload(
            deed.decision_id,
            shift.terminal_id,
            shift.pk,
            upload,
            card_flags=flags_of_typed(deed.arguments, what="order"),
            flags=(BY_HAND,),
        )
        try:
            judged = post_entered(cursor, decided, now=deed.now)
        except CannotPost as error:
            raise NotDecided("cannot-be-posted", gettext("The rules do not post it."), error.reasons) from None
        return {"order_id": str(judged.member.incoming.item_id), "number": judged.member.number}


def _is_used(shift: Shift, number: int) -> bool:
    return Identity.objects.filter(terminal_id=shift.terminal_id, number=number).exists()
