"""Processing: one batch becomes sales and books in one transaction, or nothing of it does (architecture, "How it works" 3).

Attempts are counted before the work, outside its transaction: a batch that kills its worker is noticed. After two
crashes it is taken order by order, after five it is `failed` and people are told; others flow past it.
"""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import structlog
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone
from psycopg.types.json import Jsonb
from structlog.contextvars import bind_contextvars

from backoffice import metrics
from backoffice.domain.decoding import decode_batch
from backoffice.domain.identity import Decision
from backoffice.domain.reasons import PROCESSING_FAILED, Reason, reasons_json
from backoffice.domain.states import BatchState
from backoffice.inbox.claims import ISOLATE_AFTER, claim_next, count_failure, give_back
from backoffice.inbox.models import Batch
from backoffice.ingestion.bookkeeping import write_judged
from backoffice.ingestion.history import add_history_flags, look_again
from backoffice.ingestion.identities import decide_identities
from backoffice.ingestion.locks import lock_terminal
from backoffice.ingestion.members import Judged, Member, judge, member_number, member_order_id, read_members
from backoffice.ingestion.reconcile import reconcile_unsettled
from backoffice.ingestion.work import Work, lock_work

log = structlog.get_logger(__name__)

MARK_PROCESSED = """
UPDATE inbox_batch SET state = 'processed', processed_at = %(now)s, last_error = '', outcomes = %(outcomes)s,
    results = %(results)s, movement_outcomes = %(movement_outcomes)s, movement_results = %(movement_results)s
WHERE batch_id = %(batch_id)s
"""


def process_next(*, now: datetime) -> bool:
    """Processes the batch that has waited longest. False where nothing is due."""
    claim = claim_next(now=now)
    if claim is None:
        return False
    if claim.attempts > 1:
        metrics.batches_retried.inc()
    if claim.gave_up:
        _alarm(batch_id=claim.batch_id, now=now)
    else:
        process_claimed(batch_id=claim.batch_id, attempts=claim.attempts, now=now)
    return True


def process_claimed(*, batch_id: UUID, attempts: int, now: datetime) -> bool:
    """Tries a batch whose attempt is counted. True where it is processed now, by whomever.

    A failure is noted with the batch and does not raise: the caller's next batch is none the worse for it.
    """
    bind_contextvars(batch_id=str(batch_id))
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            work = lock_work(cursor, batch_id)
            if work is not None:
                _process(cursor, work, isolate=attempts > ISOLATE_AFTER, now=now)
                return True
        give_back(batch_id=batch_id, now=now)
    except Exception as error:
        log.exception("batch crashed", attempts=attempts)
        # A lost connection is replaced here; where PostgreSQL is away this raises and the sweepers come back later.
        state = count_failure(batch_id=batch_id, error=f"{type(error).__name__}: {error}", now=timezone.now())
        if state == BatchState.FAILED.value:
            _alarm(batch_id=batch_id, now=now)
    return False


def _alarm(*, batch_id: UUID, now: datetime) -> None:
    """Five tries crashed: people are told, and a closed shift that this batch came to cannot agree any more."""
    metrics.batches_failed.inc()
    log.critical("batch failed: its orders count as held, a person must look", batch_id=str(batch_id))
    terminal_id, shift_id = Batch.objects.values_list("terminal_id", "shift_id").get(batch_id=batch_id)
    with transaction.atomic(), connection.cursor() as cursor:
        lock_terminal(terminal_id)
        reconcile_unsettled(cursor, terminal_id=terminal_id, shift_id=shift_id, now=now)


def _process(cursor: CursorWrapper, work: Work, *, isolate: bool, now: datetime) -> None:
    """The whole work on one locked batch. `isolate` keeps whatever crashes to its own member."""
    began = time.perf_counter()
    bind_contextvars(terminal=str(work.terminal_uuid))
    envelope = decode_batch(work.body, max_orders=len(work.body))
    members = read_members(envelope, terminal_id=work.terminal_id)
    decisions = decide_identities(cursor, members, work=work)
    if isolate:
        judged = _write_one_by_one(cursor, members, decisions, row_ids=work.row_ids, work=work, now=now)
    else:
        judged = _judge_and_write(cursor, members, decisions, row_ids=work.row_ids, work=work, now=now)
    _mark_processed(cursor, judged, work=work, now=now)
    if work.settles:
        reconcile_unsettled(cursor, terminal_id=work.terminal_id, shift_id=work.shift.shift_id, now=now)
    transaction.on_commit(partial(_tell, work=work, outcomes=_outcomes(judged), began=began))


def _tell(*, work: Work, outcomes: dict[str, int], began: float) -> None:
    """What is told of a batch once it is processed for good."""
    seconds = time.perf_counter() - began
    metrics.count_processed(outcomes=outcomes, seconds=seconds, since_receipt=timezone.now() - work.received_at)
    log.info("batch processed", **outcomes, ms=round(seconds * 1000, 1))


def _judge_and_write(
    cursor: CursorWrapper,
    members: Sequence[Member],
    decisions: Sequence[Decision],
    *,
    row_ids: Sequence[int],
    work: Work,
    now: datetime,
) -> list[Judged]:
    judged = [judge(member, decision, work=work) for member, decision in zip(members, decisions, strict=True)]
    judged = add_history_flags(cursor, judged, work=work)
    write_judged(cursor, judged, row_ids=row_ids, work=work, now=now)
    look_again(cursor, judged, row_ids=row_ids, work=work, now=now)
    return judged


def _write_one_by_one(
    cursor: CursorWrapper,
    members: Sequence[Member],
    decisions: Sequence[Decision],
    *,
    row_ids: Sequence[int],
    work: Work,
    now: datetime,
) -> list[Judged]:
    """Whatever crashes is held alone, for a reason that the rules do not know of."""
    written: list[Judged] = []
    for member, decision, row_id in zip(members, decisions, row_ids, strict=True):
        try:
            with transaction.atomic():
                written += _judge_and_write(cursor, [member], [decision], row_ids=[row_id], work=work, now=now)
                # What the database checks at the end of a transaction is checked for this member now.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        except (OperationalError, psycopg.OperationalError):
            raise  # a deadlock, a time-out, a full disk: not this member's fault, so the batch waits
        except Exception as error:
            log.exception("member held after a crash", batch_id=str(work.batch_id), position=member.position)
            held = Judged(member, "held", (Reason(PROCESSING_FAILED, "", type(error).__name__),), [])
            write_judged(cursor, [held], row_ids=[row_id], work=work, now=now)
            written.append(held)
    return written


def _mark_processed(cursor: CursorWrapper, judged: Sequence[Judged], *, work: Work, now: datetime) -> None:
    orders = [item for item in judged if item.member.what == "order"]
    movements = [item for item in judged if item.member.what == "movement"]
    marked: dict[str, Any] = {
        "batch_id": work.batch_id,
        "now": now,
        "outcomes": Jsonb(_outcomes(orders)),
        "results": Jsonb(_notable(orders)),
        "movement_outcomes": Jsonb(_outcomes(movements)),
        "movement_results": Jsonb(_notable(movements)),
    }
    cursor.execute(MARK_PROCESSED, marked)


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
