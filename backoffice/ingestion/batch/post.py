"""Processing: one batch becomes sales and books in one transaction, or nothing of it does (architecture, "How it works" 3).

Attempts are counted before the work, outside its transaction: a batch that kills its worker is noticed. After two
crashes it is taken order by order, after five it is `failed` and people are told; others flow past it.
"""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
import structlog
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from psycopg.types.json import Jsonb

from backoffice import metrics
from backoffice.domain.identity import Decision
from backoffice.domain.reasons import PROCESSING_FAILED, Reason, reasons_json
from backoffice.domain.states import BatchState
from backoffice.domain.wire.envelope import Envelope, decode_batch
from backoffice.failpoints import failpoint
from backoffice.inbox.claims import ISOLATE_AFTER, claim_next, count_failure, give_back
from backoffice.inbox.models import Batch
from backoffice.ingestion.batch.history import add_history_flags, can_be_found, lock_refunded, look_again, looks_for
from backoffice.ingestion.batch.identities import decide_identities
from backoffice.ingestion.batch.lock import Work, lock_works
from backoffice.ingestion.batch.members import Judged, Member, judge, member_number, member_order_id, read_members
from backoffice.ingestion.batch.write import JudgedBatch, write_judged
from backoffice.ingestion.locks import lock_terminal
from backoffice.ingestion.reconcile import reconcile_unsettled
from backoffice.postgres.copying import Update, pipelined

log = structlog.get_logger(__name__)

# So many first tries share a transaction: what a transaction costs is shared by small batches.
TOGETHER = 16

MARK_PROCESSED = """
UPDATE inbox_batch SET state = 'processed', processed_at = %s, last_error = '', outcomes = %s, results = %s,
    movement_outcomes = %s, movement_results = %s
WHERE batch_id = %s
"""


class Processed(NamedTuple):
    """What became of a batch, as it is stored and as its receipt tells it: counts by outcome, and notable results."""

    processed_at: datetime | None
    outcomes: dict[str, int]
    results: list[dict[str, Any]]
    movement_outcomes: dict[str, int]
    movement_results: list[dict[str, Any]]


class Attempt(NamedTuple):
    """A batch to be tried; `number` counts this try. `envelope` is its body as decoded, from who has it at hand.

    `request_id` names the request that brought it, where that still waits.
    """

    batch_id: UUID
    number: int
    envelope: Envelope | None = None
    request_id: str | None = None


def process_next(*, now: datetime, most: int = 1) -> int:
    """Processes the batch that has waited longest, together with up to `most` in all if they allow. How many were tried."""
    claims = claim_next(now=now, most=most)
    if claims:
        failpoint("process-claimed")
    for claim in claims:
        if claim.attempts > 1:
            metrics.batches_retried.inc()
        if claim.gave_up:
            _alarm(batch_id=claim.batch_id, now=now)
    process_claimed([Attempt(claim.batch_id, claim.attempts) for claim in claims if not claim.gave_up], now=now)
    if claims:
        failpoint("process-after-commit")
    return len(claims)


def process_claimed(attempts: Sequence[Attempt], *, now: datetime) -> dict[UUID, Processed]:
    """Tries batches whose attempt is counted; those that were processed here.

    They share one transaction first, and have one each where that fails. A failure is noted with the batch and does not
    raise, unless PostgreSQL is away: other batches are none the worse for it.
    """
    if len(attempts) > 1:
        try:
            processed = _try(attempts, now=now)
        except Exception as error:  # whoever is at fault fails again alone
            batch_ids = " ".join(str(attempt.batch_id) for attempt in attempts[:TOGETHER])
            log.warning("batches are tried one by one", batch_ids=batch_ids, error=type(error).__name__, exc_info=True)
        else:
            _give_back(attempts, processed, now=now)
            return processed
    processed = {}
    for attempt in attempts:
        try:
            processed |= _process_alone(attempt, now=now)
        except Exception:
            if not connection.is_usable():
                raise  # PostgreSQL is away: the sweepers come back later
            log.exception("batch left to another try", **_ids(attempt))
    return processed


def _give_back(attempts: Sequence[Attempt], processed: dict[UUID, Processed], *, now: datetime) -> None:
    left = [attempt.batch_id for attempt in attempts if attempt.batch_id not in processed]
    if left:
        give_back(left, now=now)


def _process_alone(attempt: Attempt, *, now: datetime) -> dict[UUID, Processed]:
    batch_id = attempt.batch_id
    try:
        processed = _try([attempt], now=now)
    except Exception as error:
        log.exception("batch crashed", **_ids(attempt), attempts=attempt.number)
        # A lost connection is replaced here; where PostgreSQL is away this raises.
        state = count_failure(batch_id=batch_id, error=f"{type(error).__name__}: {error}", now=timezone.now())
        if state == BatchState.FAILED.value:
            _alarm(batch_id=batch_id, now=now)
        return {}
    _give_back([attempt], processed, now=now)
    return processed


def _ids(attempt: Attempt) -> dict[str, str | None]:
    """What a line of the log names a batch by. Its terminal is left out where the connection was lost with the try."""
    ids = {"batch_id": str(attempt.batch_id), "request_id": attempt.request_id}
    if connection.is_usable():
        terminal = Batch.objects.values_list("terminal__uuid", flat=True).get(batch_id=attempt.batch_id)
        ids["terminal"] = str(terminal)
    return ids


def _try(attempts: Sequence[Attempt], *, now: datetime) -> dict[UUID, Processed]:
    """All of the batches that can be locked, or none."""
    envelopes = {attempt.batch_id: attempt.envelope for attempt in attempts if attempt.envelope is not None}
    with_bodies = len(envelopes) < len(attempts)
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        works = lock_works(cursor, [attempt.batch_id for attempt in attempts], with_bodies=with_bodies)
        batches = [(work, envelopes.get(work.batch_id) or _decode(work)) for work in works]
        isolate = len(attempts) == 1 and attempts[0].number > ISOLATE_AFTER
        processed = _process(cursor, batches, isolate=isolate, now=now) if batches else {}
    requests = {attempt.batch_id: attempt.request_id for attempt in attempts}
    for work in works:
        _tell(work, processed[work.batch_id], request_id=requests[work.batch_id], began=began)
    return processed


def _tell(work: Work, processed: Processed, *, request_id: str | None, began: float) -> None:
    """What is told of a batch once it is processed for good. All ids stand here: many batches may have been at work."""
    seconds = time.perf_counter() - began
    outcomes = dict(Counter(processed.outcomes) + Counter(processed.movement_outcomes))
    metrics.count_processed(outcomes=outcomes, seconds=seconds, since_receipt=timezone.now() - work.received_at)
    ids = {"batch_id": str(work.batch_id), "terminal": str(work.terminal_uuid), "request_id": request_id}
    log.info("batch processed", **ids, **outcomes, ms=round(seconds * 1000, 1))


def _decode(work: Work) -> Envelope:
    return decode_batch(work.body, max_orders=len(work.body), is_checked=True)


def _alarm(*, batch_id: UUID, now: datetime) -> None:
    """Five tries crashed: people are told, and a closed shift that this batch came to cannot agree any more."""
    metrics.batches_failed.inc()
    named = Batch.objects.values_list("terminal_id", "terminal__uuid", "shift_id")
    terminal_id, terminal, shift_id = named.get(batch_id=batch_id)
    ids = {"batch_id": str(batch_id), "terminal": str(terminal)}
    log.critical("batch failed: its orders count as held, a person must look", **ids)
    with transaction.atomic(), connection.cursor() as cursor:
        lock_terminal(terminal_id)
        reconcile_unsettled(cursor, terminal_id=terminal_id, shift_id=shift_id, now=now)


def _process(
    cursor: CursorWrapper, batches: Sequence[tuple[Work, Envelope]], *, isolate: bool, now: datetime
) -> dict[UUID, Processed]:
    """The whole work on locked batches. `isolate` keeps whatever crashes to its own member."""
    failpoint("process-locked")
    read = [(work, read_members(envelope, terminal_id=work.terminal_id)) for work, envelope in batches]
    decided = decide_identities(cursor, read)
    failpoint("process-identified")
    todo = [(work, members, decisions) for (work, members), decisions in zip(read, decided, strict=True)]
    done = _write_one_by_one(cursor, *todo[0], now=now) if isolate else _write_together(cursor, todo, now=now)
    for work, _ in batches:
        if work.settles:
            reconcile_unsettled(cursor, terminal_id=work.terminal_id, shift_id=work.shift.shift_id, now=now)
    failpoint("process-before-commit")
    return done


def _write_together(
    cursor: CursorWrapper, todo: Sequence[tuple[Work, Sequence[Member], Sequence[Decision]]], *, now: datetime
) -> dict[UUID, Processed]:
    """Everything in one go, unless a batch looks for what another before it brought: that is written first."""
    lock_refunded(cursor, (member for _, members, _ in todo for member in members))
    waiting: list[JudgedBatch] = []
    findable: set[UUID | str] = set()
    every: list[JudgedBatch] = []
    for work, members, decisions in todo:
        judged = [judge(member, decision, work=work) for member, decision in zip(members, decisions, strict=True)]
        if waiting:
            findable |= can_be_found(waiting[-1].judged)
            if not findable.isdisjoint(looks_for(judged)):
                write_judged(cursor, waiting, now=now)
                waiting, findable = [], set()
        batch = JudgedBatch(work, add_history_flags(cursor, judged, work=work), work.row_ids)
        waiting.append(batch)
        every.append(batch)
    processed = {batch.work.batch_id: _processed(batch.judged, now=now) for batch in every}
    marks = [_mark(batch_id, told) for batch_id, told in processed.items()]
    failpoint("process-before-writes")
    write_judged(cursor, waiting, now=now, update=marks.pop())
    if marks:
        with pipelined():
            for mark in marks:
                cursor.execute(*mark)
    failpoint("process-written")
    look_again(cursor, every, now=now)
    failpoint("process-looked-again")
    return processed


def _write_one_by_one(
    cursor: CursorWrapper, work: Work, members: Sequence[Member], decisions: Sequence[Decision], *, now: datetime
) -> dict[UUID, Processed]:
    """Whatever crashes is held alone, for a reason that the rules do not know of."""
    written: list[Judged] = []
    for member, decision, row_id in zip(members, decisions, work.row_ids, strict=True):
        try:
            with transaction.atomic():
                lock_refunded(cursor, [member])
                judged = add_history_flags(cursor, [judge(member, decision, work=work)], work=work)
                write_judged(cursor, [JudgedBatch(work, judged, [row_id])], now=now)
                look_again(cursor, [JudgedBatch(work, judged, [row_id])], now=now)
                # What the database checks at the end of a transaction is checked for this member now.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            written += judged
        except (OperationalError, psycopg.OperationalError):
            raise  # a deadlock, a time-out, a full disk: not this member's fault, so the batch waits
        except Exception as error:
            ids = {"batch_id": str(work.batch_id), "terminal": str(work.terminal_uuid)}
            log.exception("member held after a crash", **ids, position=member.position)
            held = Judged(member, "held", (Reason(PROCESSING_FAILED, "", type(error).__name__),), [])
            write_judged(cursor, [JudgedBatch(work, [held], [row_id])], now=now)
            written.append(held)
    processed = _processed(written, now=now)
    cursor.execute(*_mark(work.batch_id, processed))
    return {work.batch_id: processed}


def _processed(judged: Sequence[Judged], *, now: datetime) -> Processed:
    orders = [item for item in judged if item.member.what == "order"]
    movements = [item for item in judged if item.member.what == "movement"]
    return Processed(now, _outcomes(orders), _notable(orders), _outcomes(movements), _notable(movements))


def _mark(batch_id: UUID, processed: Processed) -> Update:
    processed_at, *told = processed
    return Update(MARK_PROCESSED, [processed_at, *map(Jsonb, told), batch_id])


def _notable(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """What a receipt tells of a batch: whatever is not plainly posted."""
    return [_result(item) for item in judged if item.outcome != "posted" or item.reasons]


def _outcomes(judged: Sequence[Judged]) -> dict[str, int]:
    return dict(Counter(item.outcome for item in judged))


def _result(item: Judged) -> dict[str, Any]:
    order_id = member_order_id(item.member)
    result: dict[str, Any] = {"index": item.member.position}
    if item.member.what == "order":
        result |= {"order_id": None if order_id is None else str(order_id), "number": member_number(item.member)}
    else:
        result |= {"movement_id": None if order_id is None else str(order_id)}
    return result | {"outcome": item.outcome, "reasons": reasons_json(item.reasons)}
