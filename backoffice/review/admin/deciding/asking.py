"""What can be decided about a row: which verbs, in which words, and which key presses them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Model
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from backoffice.books.held import as_sent, name_of
from backoffice.books.people import PERMISSIONS
from backoffice.books.refusals import NotDecided
from backoffice.books.verbs import RULES
from backoffice.books.verbs.shifts import ShiftRule
from backoffice.domain import json_values
from backoffice.domain.decisions import Verb
from backoffice.domain.reasons import UNREADABLE_ORDER
from backoffice.domain.states import ShiftState
from backoffice.fleet.models import Store
from backoffice.review.admin.deciding.correcting import lacks_only_values
from backoffice.review.admin.deciding.paper_form import CorrectFromPaperForm, EnterForm
from backoffice.review.admin.deciding.verb_forms import (
    BankForm,
    ChangeForm,
    CorrectForm,
    CountSafeForm,
    DecisionForm,
    DiscardForm,
    ExplainForm,
    LockForm,
    MoveForm,
    ReceivedForm,
    RecountForm,
    RetenderForm,
    UnlockForm,
)
from backoffice.sales.models import HeldItem, Order, Shift


class Asking(NamedTuple):
    """A verb in the console: what it is about, its button, the key of the button, what it asks, and what it does."""

    about: type[Model]
    button: Any
    key: str
    form: type[DecisionForm]
    does: Any


ASKINGS: Mapping[Verb, Asking] = {
    Verb.POST: Asking(
        HeldItem, _("Post as sent"), "p", DecisionForm, _("It is posted as the till sent it, by the same rules.")
    ),
    Verb.CORRECT: Asking(
        HeldItem,
        _("Correct"),
        "c",
        CorrectForm,
        _("What you change is posted in its place, by the same rules. What the till sent is kept."),
    ),
    Verb.DISCARD: Asking(
        HeldItem,
        _("Discard"),
        "d",
        DiscardForm,
        _("It goes into no book. What cannot be read is discarded by two people."),
    ),
    Verb.MOVE: Asking(
        HeldItem, _("Move"), "m", MoveForm, _("It is posted as the till sent it, to another shift of its store.")
    ),
    Verb.VOID: Asking(
        Order, _("Void"), "v", DecisionForm, _("All that it posted is taken back, once. It stays readable as voided.")
    ),
    Verb.RETENDER: Asking(
        Order,
        _("Correct its payments"),
        "t",
        RetenderForm,
        _("Say all payments as they should have been: amounts move between the methods."),
    ),
    Verb.EXPLAIN: Asking(
        Shift,
        _("Explain missing numbers"),
        "e",
        ExplainForm,
        _("They never were a sale, and nobody waits for them. One that arrives all the same is posted."),
    ),
    Verb.ENTER: Asking(
        Shift,
        _("Enter from the receipt"),
        "n",
        EnterForm,
        _(
            "It was sold, and its till cannot send it. It is posted by the same rules, marked as entered by hand, by two people."
        ),
    ),
    Verb.RECOUNT: Asking(
        Shift,
        _("Count again"),
        "r",
        RecountForm,
        _("Say what was counted. The difference of the cash is posted; earlier counts stay readable."),
    ),
    Verb.END: Asking(
        Shift,
        _("End the shift"),
        "x",
        DecisionForm,
        _("For a shift that its till will not close. Nothing was declared, and the drawer waits for its count."),
    ),
    Verb.APPROVE: Asking(
        Shift,
        _("Approve"),
        "a",
        DecisionForm,
        _("It is as it should be, or its differences are accepted. What changes the shift later supersedes it."),
    ),
    Verb.COUNT_SAFE: Asking(
        Store, _("Count the safe"), "s", CountSafeForm, _("What is over or short of the safe is posted.")
    ),
    Verb.BANK: Asking(Store, _("Bring cash to the bank"), "b", BankForm, _("Cash goes from the safe to the bank.")),
    Verb.BANK_RECEIVED: Asking(
        Store,
        _("Received by the bank"),
        "r",
        ReceivedForm,
        _("Cash that was on its way is in the bank. No more can be received than is on its way."),
    ),
    Verb.BANK_CHANGE: Asking(
        Store, _("Change from the bank"), "c", ChangeForm, _("Cash goes from the bank to the safe.")
    ),
    Verb.LOCK: Asking(
        Store, _("Lock the books"), "l", LockForm, _("Nothing is entered on this day or before it any more.")
    ),
    Verb.UNLOCK: Asking(
        Store,
        _("Open locked books"),
        "u",
        UnlockForm,
        _("The books are open again from this day on. Takes two people."),
    ),
}


def form_of(verb: Verb, row: Any) -> type[DecisionForm]:
    """What a verb asks about a row."""
    if verb is Verb.CORRECT and isinstance(row, HeldItem) and _is_typed_anew(row):
        return CorrectFromPaperForm
    return ASKINGS[verb].form


def _is_typed_anew(row: HeldItem) -> bool:
    """Whether an order is typed like a receipt, which is always a paid one: more than a value is wrong with it.

    Where it is a value, or the order is not paid, what is not touched stays as it was sent.
    """
    pointers = [reason["pointer"] for reason in row.reasons if reason["code"] == UNREADABLE_ORDER]
    if not pointers:
        return False
    sent = json_values.parse(as_sent(row).raw.decode())
    if not isinstance(sent, dict):
        return True
    moves_money = sent.get("status", "paid") == "paid" and not sent.get("adjusts")
    return moves_money and not lacks_only_values(sent, pointers)


class DecisionButton(NamedTuple):
    """A decision that a person may take about a row now; `refused` says why not, where it does not fit.

    `in_dialog` where its form opens beside the row; a large one has a page.
    """

    verb: Verb
    url: str
    text: Any
    key: str
    refused: str = ""
    in_dialog: bool = True


def subject_in_commands(row: Any) -> str:
    """What a decision is about, as commands name it."""
    if isinstance(row, HeldItem):
        return name_of(row)
    if isinstance(row, Order):
        return str(row.order_id)
    return row.code if isinstance(row, Store) else str(row.pk)


def may_decide(person: Any, verb: Verb) -> bool:
    return bool(person.is_active and person.has_perm(f"books.{PERMISSIONS[verb]}"))


def buttons_of(row: Any, *, person: Any) -> list[DecisionButton]:
    """Every decision about a row that the person may take, with why it cannot be taken where the row says so itself."""
    return [
        DecisionButton(
            verb,
            decide_url(verb, row),
            asking.button,
            asking.key,
            _refused(verb, row),
            in_dialog=not form_of(verb, row).looks,
        )
        for verb, asking in ASKINGS.items()
        if asking.about is type(row) and may_decide(person, verb) and _fits(verb, row)
    ]


def decide_url(verb: Verb, row: Any) -> str:
    """The address of the form for a verb about a row."""
    return reverse("admin:books_decision_decide", args=[verb.value, row.pk])


def _fits(verb: Verb, row: Any) -> bool:
    """Whether there is a question at all: nobody looks for a button that cannot apply to a row like this."""
    if isinstance(row, HeldItem):
        return row.decision_id is None
    if isinstance(row, Order):
        return row.status == "paid" and row.voided_by is None
    if isinstance(row, Shift):
        is_open = row.state == ShiftState.OPEN.value
        return is_open if verb is Verb.END else not is_open
    return True


def _refused(verb: Verb, row: Any) -> str:
    """Why the verb does not fit the row as it was read; empty where it may."""
    rule = RULES[verb]
    if not isinstance(rule, ShiftRule):
        return ""
    try:
        rule.check(row)
    except NotDecided as refusal:
        return refusal.detail
    return ""
