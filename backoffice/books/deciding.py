"""The life of a decision (books, "Decisions"): decided at once, or asked, then agreed, declined or withdrawn.

Each is one transaction with everything that it posts. What cannot be done cannot be asked for either: a request is tried,
and what it wrote is taken back.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils.translation import gettext, gettext_noop

from backoffice.books.cards import without_cards
from backoffice.books.models import Decision, DecisionAnswer
from backoffice.books.people import check_right, check_store, check_typed_note, usable_reason
from backoffice.books.record import already_decided
from backoffice.books.refusals import AlreadyDecided, NotDecided
from backoffice.books.rules import Deed, Subject, VerbRule
from backoffice.books.verbs import RULES
from backoffice.domain.decisions import DecisionState, Verb, needs_second_person
from backoffice.failpoints import failpoint
from backoffice.languages.moments import written_moment
from backoffice.postgres.transactions import transaction_required

# Whoever answers takes turns. By a lock of its own: a row's needs the right to change the row, which nobody has.
LOCK_DECISION = "SELECT pg_advisory_xact_lock(hashtextextended(%s::uuid::text, 0))"


ALREADY = {
    "agreed": gettext_noop("Already agreed by {person} on {at}."),
    "declined": gettext_noop("Already declined by {person} on {at}."),
    "withdrawn": gettext_noop("Already withdrawn by {person} on {at}."),
}


class Proposal(NamedTuple):
    """What a person wants decided. `arguments` are the verb's own; `agreed_by` is there and agrees at once."""

    verb: Verb
    subject: str
    person: User
    reason: str
    note: str = ""
    arguments: Mapping[str, Any] = {}
    agreed_by: User | None = None
    address: str | None = None
    request_id: UUID | None = None


class DecisionReport(NamedTuple):
    """Where a decision stands. `after` is what became of it, empty while it waits."""

    decision_id: UUID
    verb: str
    subject: str
    state: DecisionState
    request_id: UUID
    after: Mapping[str, Any]


def decide(proposal: Proposal, *, now: datetime) -> DecisionReport:
    """Decides, or asks for a second person where it takes one. Raises NotDecided: then nothing has changed."""
    verb, rule = proposal.verb, RULES[proposal.verb]
    kept = without_cards(proposal.note, proposal.arguments)
    proposal = proposal._replace(note=kept.note, arguments=kept.arguments)
    check_right(proposal.person, verb)
    if proposal.agreed_by is not None:
        _check_other(proposal.agreed_by, asked_by=proposal.person, verb=verb)
    reason = usable_reason(verb, proposal.reason, person=proposal.person, note=proposal.note)
    with transaction.atomic(), connection.cursor() as cursor:
        subject = rule.lock(cursor, proposal.subject, proposal.arguments, person=proposal.person)
        check_store(proposal.person, subject.store.pk)
        if proposal.agreed_by is not None:
            check_store(proposal.agreed_by, subject.store.pk)
        failpoint("decide-locked")
        takes_two = proposal.agreed_by is not None or needs_second_person(
            verb,
            amount=subject.amount,
            above=subject.store.second_person_above,
            reason_asks=reason.needs_second_person,
            asks=subject.asks_for_two,
        )
        deed = Deed(uuid4(), proposal.arguments, proposal.note, now)
        if takes_two and proposal.agreed_by is None:
            _check_not_asked(verb, subject)
            _rehearse(cursor, rule, subject, deed)
            failpoint("decide-tried")
            after = None
        else:
            after = rule.act(cursor, subject, deed)
            failpoint("decide-acted")
        decision = _write_decision(proposal, subject, deed, takes_two=takes_two, after=after)
        if proposal.agreed_by is not None:
            _write_answer(decision, "agreed", person=proposal.agreed_by, address=proposal.address, after=after, now=now)
        failpoint("decide-written")
    failpoint("decide-after-commit")
    return _report(decision, DecisionState.WAITING if after is None else DecisionState.DONE, after)


def decide_each(proposals: Sequence[Proposal], *, now: datetime) -> Iterator[DecisionReport | NotDecided]:
    """Decides each on its own, under one request id: what is refused is answered in its place, and stops no other."""
    request_id = uuid4()
    for proposal in proposals:
        try:
            yield decide(proposal._replace(request_id=request_id), now=now)
        except NotDecided as refusal:
            yield refusal


def agree(decision_id: UUID, *, person: User, address: str | None = None, now: datetime) -> DecisionReport:
    """Another person agrees, and it takes effect.

    Raises NotDecided: to their own, without the right or the store, where whoever asked has lost either, once answered, or
    where what it is about has changed since.
    """
    with _waiting(decision_id) as (cursor, decision):
        verb = Verb(decision.verb)
        _check_other(person, asked_by=decision.person, verb=verb)
        check_store(person, decision.store_id)
        _check_may_still(decision)
        subject = RULES[verb].lock(cursor, decision.subject, decision.arguments, person=None)
        if subject.fingerprint != bytes(decision.fingerprint):
            raise NotDecided(
                "changed-since",
                gettext("{subject} has changed since it was asked: it must be asked again.").format(
                    subject=decision.subject
                ),
            )
        after = RULES[verb].act(cursor, subject, Deed(decision.id, decision.arguments, decision.note, now))
        failpoint("answer-acted")
        _write_answer(decision, "agreed", person=person, address=address, after=after, now=now)
    return _report(decision, DecisionState.DONE, after)


def decline(decision_id: UUID, *, person: User, note: str, address: str | None = None, now: datetime) -> DecisionReport:
    """Another person with the right declines, with a note. Raises NotDecided."""
    note = _kept_note(note)
    with _waiting(decision_id) as (_, decision):
        verb = Verb(decision.verb)
        _check_other(person, asked_by=decision.person, verb=verb)
        check_store(person, decision.store_id)
        if not note.strip():
            raise NotDecided("note-missing", gettext("Whoever declines says why, in a note."))
        _write_answer(decision, "declined", person=person, address=address, note=note, now=now)
    return _report(decision, DecisionState.DECLINED, None)


def withdraw(
    decision_id: UUID, *, person: User, note: str = "", address: str | None = None, now: datetime
) -> DecisionReport:
    """Whoever asked takes it back. Raises NotDecided."""
    note = _kept_note(note)
    with _waiting(decision_id) as (_, decision):
        if decision.person_id != person.pk:
            raise NotDecided(
                "not-allowed", gettext("Only {person} can withdraw what {person} asked.").format(person=decision.person)
            )
        _write_answer(decision, "withdrawn", person=person, address=address, note=note, now=now)
    return _report(decision, DecisionState.WITHDRAWN, None)


@contextmanager
def _waiting(decision_id: UUID) -> Iterator[tuple[CursorWrapper, Decision]]:
    """A transaction with a request that nobody has answered, locked, so that nobody else can meanwhile."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK_DECISION, [decision_id])
        decision = Decision.objects.select_related("person", "store").filter(pk=decision_id).first()
        if decision is None:
            raise NotDecided(
                "unknown-decision", gettext("There is no decision {decision_id}.").format(decision_id=decision_id)
            )
        answer = DecisionAnswer.objects.filter(pk=decision_id).select_related("person").first()
        if answer is not None:
            at = written_moment(answer.answered_at, decision.store.timezone)
            raise AlreadyDecided(gettext(ALREADY[answer.answer]).format(person=answer.person, at=at))
        if not decision.needs_second_person:
            raise already_decided(decision.pk)
        failpoint("answer-locked")
        yield cursor, decision
        failpoint("answer-written")
    failpoint("answer-after-commit")


def _kept_note(note: str) -> str:
    """The note of an answer, without card data. Raises NotDecided."""
    check_typed_note(note)
    return without_cards(note, {}).note


def _rehearse(cursor: CursorWrapper, rule: VerbRule, subject: Subject, deed: Deed) -> None:
    """Raises NotDecided where it could not be done. Nothing of it stays."""
    with transaction.atomic():
        rule.act(cursor, subject, deed)
        transaction.set_rollback(True)


def _check_other(person: User, *, asked_by: User, verb: Verb) -> None:
    if person.pk == asked_by.pk:
        raise NotDecided("own-request", gettext("Nobody agrees to what they asked for themselves."))
    check_right(person, verb)


def _check_may_still(decision: Decision) -> None:
    """Raises NotDecided where whoever asked has lost the right or the store: what they asked is nobody's wish any more."""
    person, verb = decision.person, Verb(decision.verb)
    try:
        check_right(person, verb)
        check_store(person, decision.store_id)
    except NotDecided:
        detail = gettext(
            "{person}, who asked for it, may not decide this any more ({verb}): it must be asked again."
        ).format(person=person, verb=verb)
        raise NotDecided("not-allowed", detail) from None


def _check_not_asked(verb: Verb, subject: Subject) -> None:
    """The same is asked once at a time. What has changed since may be asked again: nobody can agree to it any more."""
    waiting = Decision.objects.filter(
        about=subject.about, subject=subject.name, verb=verb.value, needs_second_person=True, answer__isnull=True
    )
    asked = waiting.filter(fingerprint=subject.fingerprint).select_related("person").first()
    if asked is not None:
        raise NotDecided(
            "already-asked",
            gettext("Already asked by {person} on {at}: decision {id} waits.").format(
                person=asked.person, at=written_moment(asked.asked_at, subject.store.timezone), id=asked.id
            ),
        )


@transaction_required
def _write_decision(
    proposal: Proposal, subject: Subject, deed: Deed, *, takes_two: bool, after: Mapping[str, Any] | None
) -> Decision:
    return Decision.objects.create(
        id=deed.decision_id,
        verb=proposal.verb.value,
        about=subject.about,
        subject=subject.name,
        store=subject.store,
        shift_id=subject.shift_id,
        person=proposal.person,
        asked_at=deed.now,
        address=proposal.address,
        reason=proposal.reason,
        note=proposal.note,
        arguments=dict(proposal.arguments),
        before=dict(subject.before),
        after=None if takes_two else after,
        amount=subject.amount,
        request_id=proposal.request_id or uuid4(),
        needs_second_person=takes_two,
        fingerprint=subject.fingerprint,
    )


@transaction_required
def _write_answer(
    decision: Decision,
    answer: str,
    *,
    person: User,
    address: str | None,
    now: datetime,
    note: str = "",
    after: Mapping[str, Any] | None = None,
) -> None:
    DecisionAnswer.objects.create(
        decision=decision, answer=answer, person=person, answered_at=now, address=address, note=note, after=after
    )


def _report(decision: Decision, state: DecisionState, after: Mapping[str, Any] | None) -> DecisionReport:
    return DecisionReport(decision.id, decision.verb, decision.subject, state, decision.request_id, dict(after or {}))
