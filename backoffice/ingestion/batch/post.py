"""Posting: claimed batches become sales and books in one transaction, or nothing of them does (ADR 9 and 13)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from backoffice.domain.identity import Recognition
from backoffice.domain.reasons import reasons_json
from backoffice.failpoints import failpoint
from backoffice.inbox.claims import Claim
from backoffice.inbox.processed import Processed
from backoffice.ingestion.batch.bodies import read_batches
from backoffice.ingestion.batch.identities import recognise
from backoffice.ingestion.batch.lock import LockedBatch, lock_batches
from backoffice.ingestion.batch.members import Judged, JudgedBatch, Member, ReadMember, judge, number_members
from backoffice.ingestion.batch.refunds import find_refund_flags, lock_originals, look_again_at_refunds
from backoffice.ingestion.batch.same_card import find_same_card_flags, look_again_at_cards
from backoffice.ingestion.batch.write import write_judged
from backoffice.ingestion.reconcile import reconcile_unsettled, supersede_approvals
from backoffice.postgres.transactions import transaction_required

Recognised = tuple[LockedBatch, Sequence[Member], Sequence[Recognition]]
"""A batch, its members, and what each of them is known as."""


def post_batches(claims: Sequence[Claim], *, now: datetime) -> list[tuple[LockedBatch, Processed]]:
    """Posts those of the claimed batches that can be locked, together: read, lock, recognise, judge and write, reconcile.

    Card references are looked at last, since their lock keeps the whole store waiting until the commit. Raises whatever
    goes wrong, and nothing is written then.
    """
    read = read_batches(claims)
    with transaction.atomic(), connection.cursor() as cursor:
        recognised = lock_and_recognise(cursor, read)
        judged = judge_and_write(cursor, recognised, now=now)
        finish(cursor, recognised, [batch for batch, _ in judged], now=now)
    return [(batch.batch, processed) for batch, processed in judged]


@transaction_required
def lock_and_recognise(cursor: CursorWrapper, read: Mapping[UUID, Sequence[ReadMember]]) -> list[Recognised]:
    """The batches that can be locked, with their members recognised."""
    batches = lock_batches(cursor, read)
    failpoint("process-locked")
    numbered = [(batch, number_members(batch, read[batch.batch_id])) for batch in batches]
    recognitions = recognise(cursor, numbered) if numbered else []
    failpoint("process-identified")
    return [(batch, members, recognised) for (batch, members), recognised in zip(numbered, recognitions, strict=True)]


@transaction_required
def judge_and_write(
    cursor: CursorWrapper, batches: Sequence[Recognised], *, now: datetime
) -> list[tuple[JudgedBatch, Processed]]:
    """Everything in one go, unless a batch looks for what another before it brought: that is written first."""
    lock_originals(cursor, (member for _, members, _ in batches for member in members))
    every: list[JudgedBatch] = []
    unwritten: list[JudgedBatch] = []
    findable: set[UUID | str] = set()
    for batch, members, recognitions in batches:
        judged = judge_batch(batch, members, recognitions)
        if not findable.isdisjoint(_looked_for(judged)):
            write_judged(cursor, unwritten, now=now)
            unwritten, findable = [], set()
        judged = add_flags_of_others(cursor, judged)
        unwritten.append(judged)
        every.append(judged)
        findable |= _findable(judged)
    processed = {judged.batch.batch_id: as_processed(judged.judged, now=now) for judged in every}
    failpoint("process-before-writes")
    write_judged(cursor, unwritten, now=now, processed=processed)
    failpoint("process-written")
    look_again_at_refunds(cursor, every, now=now)
    failpoint("process-looked-again")
    return [(judged, processed[judged.batch.batch_id]) for judged in every]


def judge_batch(batch: LockedBatch, members: Sequence[Member], recognitions: Sequence[Recognition]) -> JudgedBatch:
    """What the rules say of each member by itself."""
    pairs = zip(members, recognitions, strict=True)
    return JudgedBatch(batch, [judge(member, recognition, batch=batch) for member, recognition in pairs])


@transaction_required
def add_flags_of_others(cursor: CursorWrapper, judged: JudgedBatch) -> JudgedBatch:
    """Adds to posted orders the flags that other orders decide. Call it before they are written."""
    (refunds, awaited), cards = find_refund_flags(cursor, judged), find_same_card_flags(cursor, judged)
    if not refunds and not cards:
        return judged
    more = {order_id: refunds.get(order_id, ()) + cards.get(order_id, ()) for order_id in {*refunds, *cards}}
    items = [
        item._replace(reasons=item.reasons + more.get(item.member.incoming.item_id, ()))
        if item.outcome == "posted"
        else item
        for item in judged.judged
    ]
    return JudgedBatch(judged.batch, items, awaited)


def _looked_for(judged: JudgedBatch) -> set[UUID | str]:
    """What `add_flags_of_others` looks for among orders that are written: those that are named, and card references."""
    named: set[UUID | str] = {order_id for _, _, order_ids in judged.naming for order_id in order_ids}
    return named.union(*(references for _, _, references in judged.paid_by_card))


def _findable(judged: JudgedBatch) -> set[UUID | str]:
    """What others that look would find once this batch is written."""
    return _looked_for(judged) | {order.order_id for _, order in judged.posted_orders}


@transaction_required
def finish(
    cursor: CursorWrapper, recognised: Sequence[Recognised], judged: Sequence[JudgedBatch], *, now: datetime
) -> None:
    """What comes last, however batches were written: their shifts, then card references, whose lock is held least."""
    reconcile_shifts(cursor, recognised, now=now)
    look_again_at_cards(cursor, judged)
    failpoint("process-before-commit")


@transaction_required
def reconcile_shifts(cursor: CursorWrapper, batches: Sequence[Recognised], *, now: datetime) -> None:
    """Reconciles the closed shifts that may have waited for these batches, or were approved without them, each once."""
    done: set[UUID] = set()
    for batch, members, recognitions in batches:
        if batch.has_explained:
            pairs = zip(members, recognitions, strict=True)
            taken = [member.incoming.number for member, recognition in pairs if recognition.takes_number]
            numbers = [number for number in taken if number is not None]
            supersede_approvals(cursor, terminal_id=batch.terminal_id, numbers=numbers, done=done, now=now)
        if batch.a_shift_waits:
            reconcile_unsettled(
                cursor,
                terminal_id=batch.terminal_id,
                shift_id=batch.shift.shift_id,
                batch_id=batch.batch_id,
                numbers=[member.number for member in members if member.number is not None],
                done=done,
                now=now,
            )


def as_processed(judged: Sequence[Judged], *, now: datetime) -> Processed:
    """What is kept of a batch: outcomes counted, and each result that is not plainly posted."""
    orders = [item for item in judged if item.member.what == "order"]
    movements = [item for item in judged if item.member.what == "movement"]
    return Processed(now, _outcomes(orders), _notable(orders), _outcomes(movements), _notable(movements))


def _outcomes(judged: Sequence[Judged]) -> dict[str, int]:
    return dict(Counter(item.outcome for item in judged))


def _notable(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    return [_result(item) for item in judged if item.outcome != "posted" or item.reasons]


def _result(item: Judged) -> dict[str, Any]:
    member = item.member
    identifier = None if member.item_id is None else str(member.item_id)
    if member.what == "order":
        named: dict[str, Any] = {"order_id": identifier, "number": member.number}
    else:
        named = {"movement_id": identifier}
    return {"index": member.position, **named, "outcome": item.outcome, "reasons": reasons_json(item.reasons)}
