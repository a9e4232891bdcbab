"""A shift is counted again, ended where its terminal never closed it, and approved."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext, gettext_noop

from backoffice.books.payments import read_amounts
from backoffice.books.record import already_decided
from backoffice.books.refusals import NotDecided
from backoffice.books.rules import Deed, Subject, VerbRule
from backoffice.books.shifts import lock_shift
from backoffice.domain.decisions import Verb
from backoffice.domain.states import ShiftState, check_shift_transition
from backoffice.ingestion.drawers import CannotCount, end_shift, write_count
from backoffice.ingestion.figures import ShiftFigures, shift_figures
from backoffice.ingestion.reconcile import counted_cash
from backoffice.ledger.models import PaymentAccount
from backoffice.sales.models import Shift

# As its state reads within a sentence.
STATES = {
    "open": gettext_noop("open"),
    "closing": gettext_noop("closing"),
    "reconciled": gettext_noop("reconciled"),
    "discrepant": gettext_noop("discrepant"),
    "approved": gettext_noop("approved"),
}


class ShiftRule(VerbRule):
    """What the verbs about a shift share."""

    def lock(
        self, cursor: CursorWrapper, subject: str, arguments: Mapping[str, Any], *, person: User | None
    ) -> Subject:
        """The shift, with its terminal locked, as it stands."""
        shift = lock_shift(subject)
        self.check(shift)
        figures = shift_figures(cursor, shift)
        stands = Subject("shift", str(shift.pk), shift.store, _before(shift, figures), shift, shift_id=shift.pk)
        return self.weigh(stands, figures, arguments)

    def check(self, shift: Shift) -> None:
        """Raises NotDecided where the verb does not fit."""

    def weigh(self, subject: Subject, figures: ShiftFigures, arguments: Mapping[str, Any]) -> Subject:
        """With what is at stake."""
        return subject


def _before(shift: Shift, figures: ShiftFigures) -> dict[str, Any]:
    return {
        "state": shift.state,
        "counted": counted_cash(shift),
        "methods": shift.recounted_methods,
        "expected": figures.expected_cash,
        "order_count": figures.computed.order_count,
        "payments": dict(figures.computed.payments),
        "differences": shift.differences,
        "held": figures.held,
    }


class RecountShift(ShiftRule):
    """Amounts by payment method, as often as needed: each count stands before those it follows."""

    verb = Verb.RECOUNT

    def check(self, shift: Shift) -> None:
        """Only a drawer that is closed can be counted."""
        if shift.state == ShiftState.OPEN.value:
            raise NotDecided("shift-open", gettext("The shift is open: close it, or end it first."))

    def weigh(self, subject: Subject, figures: ShiftFigures, arguments: Mapping[str, Any]) -> Subject:
        """By how much the drawer's count moves."""
        cash, _ = _counts(subject.row, arguments)
        stood = counted_cash(subject.row)
        before = figures.expected_cash if stood is None else stood
        return subject._replace(amount=None if cash is None else cash - before)

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        cash, methods = _counts(subject.row, deed.arguments)
        try:
            shift = write_count(cursor, shift_id=subject.row.pk, counted=cash, methods=methods, now=deed.now)
        except CannotCount:
            raise NotDecided(
                "cannot-count", gettext("Its month was detached: its drawer cannot be counted now.")
            ) from None
        return {"state": shift.state, "over_short": shift.over_short, "differences": shift.differences}


def _counts(shift: Shift, arguments: Mapping[str, Any]) -> tuple[int | None, dict[str, int]]:
    """The cash, None where it was not counted, and the other methods. Raises NotDecided, place by place."""
    known = set(PaymentAccount.objects.filter(store=shift.store_id).values_list("method", flat=True)) | {"cash"}
    counts = read_amounts(arguments.get("counts"), known=known, name="counts")
    if not counts:
        raise NotDecided("cannot-be-posted", gettext("Nothing was counted."))
    cash = counts.pop("cash", None)
    if cash is not None and cash < 0:
        raise NotDecided("cannot-be-posted", gettext("A drawer holds nothing or more."))
    return cash, counts


class EndShift(ShiftRule):
    """What its terminal will not close any more. Nothing was declared; the drawer waits for its count."""

    verb = Verb.END

    def check(self, shift: Shift) -> None:
        """Only an open one is ended."""
        if shift.ended_by is not None:
            raise already_decided(shift.ended_by)
        if shift.state != ShiftState.OPEN.value:
            raise NotDecided(
                "shift-closed",
                gettext("Its terminal has closed it: it is {state}.").format(state=gettext(STATES[shift.state])),
            )

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        shift: Shift = subject.row
        end_shift(cursor, shift, ended_by=deed.decision_id, now=deed.now)
        return {"state": shift.state, "z_number": shift.z_number}


class ApproveShift(ShiftRule):
    """It is as it should be, or its differences are accepted. Whatever changes it later supersedes that."""

    verb = Verb.APPROVE

    def check(self, shift: Shift) -> None:
        """Only what has settled, and is counted."""
        if shift.approval_id is not None:
            raise already_decided(shift.approval_id)
        if shift.state not in {ShiftState.RECONCILED.value, ShiftState.DISCREPANT.value}:
            raise NotDecided(
                "not-settled",
                gettext("The shift is {state}: something is still missing.").format(state=gettext(STATES[shift.state])),
            )
        if any(difference["what"] == "cash.count" for difference in shift.differences):
            raise NotDecided("not-counted", gettext("Its drawer was not counted yet."))

    def weigh(self, subject: Subject, figures: ShiftFigures, arguments: Mapping[str, Any]) -> Subject:
        """The largest difference, and two people where over or short is more than the store tolerates."""
        shift: Shift = subject.row
        if figures.held:
            raise NotDecided(
                "held",
                gettext("{held} of its orders and cash movements are held: decide them first.").format(
                    held=figures.held
                ),
            )
        amounts = [abs(each["difference"]) for each in shift.differences if each["what"] != "order_count"]
        beyond = any(each["what"].startswith("cash.") for each in shift.differences)
        return subject._replace(amount=max([*amounts, abs(shift.over_short or 0)]), asks_for_two=beyond)

    def act(self, cursor: CursorWrapper, subject: Subject, deed: Deed) -> dict[str, Any]:
        shift: Shift = subject.row
        if shift.differences and not deed.note.strip():
            raise NotDecided("note-missing", gettext("A shift with differences is approved with a note."))
        check_shift_transition(present=ShiftState(shift.state), wanted=ShiftState.APPROVED)
        shift.state = ShiftState.APPROVED.value
        shift.approval_id = deed.decision_id
        shift.save(update_fields=["state", "approval_id"])
        return {"state": shift.state, "differences": shift.differences}
