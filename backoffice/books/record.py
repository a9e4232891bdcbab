"""What was decided before, read for those who come second."""

from uuid import UUID

from django.utils.translation import gettext

from backoffice.books.models import Decision
from backoffice.books.refusals import AlreadyDecided
from backoffice.books.verb_words import VERB_WORDS
from backoffice.languages.moments import written_moment


def already_decided(decision_id: UUID) -> AlreadyDecided:
    """The error that says who was first, and when."""
    decision = Decision.objects.select_related("person", "store").filter(pk=decision_id).first()
    if decision is None:
        return AlreadyDecided(gettext("Already decided."))
    answer = getattr(decision, "answer", None)
    at = decision.asked_at if answer is None else answer.answered_at
    return AlreadyDecided(
        gettext("Already decided by {person} on {at}: {verb}.").format(
            person=decision.person,
            at=written_moment(at, decision.store.timezone),
            verb=VERB_WORDS.get(decision.verb, decision.verb),
        )
    )
