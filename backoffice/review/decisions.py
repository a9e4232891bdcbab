"""Decisions as pages show them: who, what, why, and who agreed."""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from backoffice.books.models import Decision, DecisionAnswer
from backoffice.review.decision_words import reason_titles, unnamed_reason
from backoffice.review.words import Label

DECISIONS_SHOWN = 100

STANDINGS = {
    "done": Label(_("Done"), "green"),
    "waiting": Label(_("Waits for a second person"), "amber"),
    "agreed": Label(_("Agreed"), "green"),
    "declined": Label(_("Declined"), "red"),
    "withdrawn": Label(_("Withdrawn"), "grey"),
}


def decisions_of(*, about: str, subject: object, besides: Collection[UUID | None] = ()) -> list[Any]:
    """The decisions about something and those named besides, the first first, each with its people and its reason as `why`.

    Two statements, however many there are.
    """
    wanted = Q(about=about, subject=str(subject)) | Q(pk__in=[each for each in besides if each is not None])
    found = Decision.objects.filter(wanted).select_related("person", "store", "answer__person")
    return with_reasons(found.order_by("asked_at", "id")[:DECISIONS_SHOWN])


def with_reasons(decisions: Iterable[Decision]) -> list[Any]:
    """The same, each with its reason in words as `why`, and where it stands. One statement."""
    listed: list[Any] = list(decisions)
    titles = reason_titles(listed) if listed else {}
    for each in listed:
        each.why = titles.get((each.verb, each.reason)) or unnamed_reason(each.reason)
        each.standing = standing_of(each)
    return listed


def waiting_requests(decisions: QuerySet[Decision]) -> QuerySet[Decision]:
    """Those among decisions that wait for a second person: nobody has answered them."""
    return decisions.filter(needs_second_person=True, answer__isnull=True)


def read_decision(decision_id: UUID | None) -> Any:
    """One decision with its people and its reason; None if there is none."""
    if decision_id is None:
        return None
    found = Decision.objects.select_related("person", "store", "answer__person").filter(pk=decision_id)
    return next(iter(with_reasons(found)), None)


def took_effect(decision: Decision) -> bool:
    """Whether it did what it says: at once, or when another person agreed."""
    answer = answer_of(decision)
    return not decision.needs_second_person if answer is None else answer.answer == "agreed"


def effective_at(decision: Decision) -> datetime:
    """When it took effect: of what a second person agreed to, then."""
    answer = answer_of(decision)
    return decision.asked_at if answer is None else answer.answered_at


def answer_of(decision: Decision) -> DecisionAnswer | None:
    """What became of a request; None if nobody has answered, or nobody had to."""
    return getattr(decision, "answer", None)


def standing_of(decision: Decision) -> Label:
    """Where a decision stands, in a word."""
    answer = answer_of(decision)
    if answer is not None:
        return STANDINGS[answer.answer]
    return STANDINGS["waiting" if decision.needs_second_person else "done"]
