"""Decisions as pages show them: who, what, why, and who agreed."""

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from backoffice.books.models import Decision, DecisionAnswer
from backoffice.review.words import Label

STANDINGS = {
    "done": Label("Done", "green"),
    "waiting": Label("Waits for a second person", "amber"),
    "agreed": Label("Agreed", "green"),
    "declined": Label("Declined", "red"),
    "withdrawn": Label("Withdrawn", "grey"),
}


def read_decision(decision_id: UUID | None) -> Decision | None:
    """One decision with its people; None if there is none."""
    if decision_id is None:
        return None
    return Decision.objects.select_related("person", "store", "answer__person").filter(pk=decision_id).first()


def corrections_of(order_id: UUID) -> list[Decision]:
    """The decisions that corrected how an order was paid, in the order in which they took effect."""
    about = Decision.objects.filter(about="order", subject=str(order_id), verb="retender")
    done = about.filter(Q(needs_second_person=False) | Q(answer__answer="agreed"))
    return sorted(done.select_related("person", "store", "answer__person"), key=effective_at)


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
