"""Processing: one batch becomes sales and books in one transaction, or nothing of it does (architecture, "How it works" 3).

Attempts are counted before the work, outside its transaction: a batch that kills its worker is noticed. After two
crashes it is taken order by order, after five it is `failed` and people are told; others flow past it.
"""

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

from backoffice.bulk import Update
from backoffice.domain.decoding import Envelope, decode_batch
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
UPDATE inbox_batch SET state = 'processed', processed_at = %s, last_error = '', outcomes = %s,
    results = %s, movement_outcomes = %s, movement_results = %s
WHERE batch_id = %s
"""


class Processed(NamedTuple):
    """What became of a batch, as it is stored and as its receipt tells it: counts by outcome, and notable results."""

    processed_at: datetime | None
    outcomes: dict[str, int]
    results: list[dict[str, Any]]
    movement_outcomes: dict[str, int]
    movement_results: list[dict[str, Any]]


def process_next(*, now: datetime) -> bool:
    """Processes the batch that has waited longest. False where nothing is due."""
    claim = claim_next(now=now)
    if claim is None:
        return False
    if claim.gave_up:
        _alarm(batch_id=claim.batch_id, now=now)
    else:
        process_claimed(batch_id=claim.batch_id, attempts=claim.attempts, now=now)
    return True


def process_claimed(
    *, batch_id: UUID, attempts: int, now: datetime, envelope: Envelope | None = None
) -> Processed | None:
    """Tries a batch whose attempt is counted; None where it was not processed here.

    `envelope` is the stored body as decoded, from who has it at hand. A failure is noted with the batch and does not raise: the caller's next batch is none the worse for it.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            work = lock_work(cursor, batch_id, with_body=envelope is None)
            if work is not None:
                envelope = envelope or decode_batch(work.body, max_orders=len(work.body))
                return _process(cursor, work, envelope, isolate=attempts > ISOLATE_AFTER, now=now)
        give_back(batch_id=batch_id, now=now)
    except Exception as error:
        log.exception("batch crashed", batch_id=str(batch_id), attempts=attempts)
        # A lost connection is replaced here; where PostgreSQL is away this raises and the sweepers come back later.
        state = count_failure(batch_id=batch_id, error=f"{type(error).__name__}: {error}", now=timezone.now())
        if state == BatchState.FAILED.value:
            _alarm(batch_id=batch_id, now=now)
    return None


def _alarm(*, batch_id: UUID, now: datetime) -> None:
    """Five tries crashed: people are told, and a closed shift that this batch came to cannot agree any more."""
    log.critical("batch failed: its orders count as held, a person must look", batch_id=str(batch_id))
    terminal_id, shift_id = Batch.objects.values_list("terminal_id", "shift_id").get(batch_id=batch_id)
    with transaction.atomic(), connection.cursor() as cursor:
        lock_terminal(terminal_id)
        reconcile_unsettled(cursor, terminal_id=terminal_id, shift_id=shift_id, now=now)


def _process(cursor: CursorWrapper, work: Work, envelope: Envelope, *, isolate: bool, now: datetime) -> Processed:
    """The whole work on one locked batch. `isolate` keeps whatever crashes to its own member."""
    members = read_members(envelope, terminal_id=work.terminal_id)
    decisions = decide_identities(cursor, members, work=work)
    if isolate:
        judged = _write_one_by_one(cursor, members, decisions, row_ids=work.row_ids, work=work, now=now)
        processed = _processed(judged, now=now)
        cursor.execute(*_mark(processed, work=work))
    else:
        judged = _judge(cursor, members, decisions, work=work)
        processed = _processed(judged, now=now)
        marked = _mark(processed, work=work)
        write_judged(cursor, judged, row_ids=work.row_ids, work=work, now=now, update=marked)
        look_again(cursor, judged, row_ids=work.row_ids, work=work, now=now)
    if work.settles:
        reconcile_unsettled(cursor, terminal_id=work.terminal_id, shift_id=work.shift.shift_id, now=now)
    log.info("batch processed", batch_id=str(work.batch_id), terminal=str(work.terminal_uuid), **_outcomes(judged))
    return processed


def _judge(
    cursor: CursorWrapper, members: Sequence[Member], decisions: Sequence[Decision], *, work: Work
) -> list[Judged]:
    judged = [judge(member, decision, work=work) for member, decision in zip(members, decisions, strict=True)]
    return add_history_flags(cursor, judged, work=work)


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
                judged = _judge(cursor, [member], [decision], work=work)
                write_judged(cursor, judged, row_ids=[row_id], work=work, now=now)
                look_again(cursor, judged, row_ids=[row_id], work=work, now=now)
                # What the database checks at the end of a transaction is checked for this member now.
                cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            written += judged
        except (OperationalError, psycopg.OperationalError):
            raise  # a deadlock, a time-out, a full disk: not this member's fault, so the batch waits
        except Exception as error:
            log.exception("member held after a crash", batch_id=str(work.batch_id), position=member.position)
            held = Judged(member, "held", (Reason(PROCESSING_FAILED, "", type(error).__name__),), [])
            write_judged(cursor, [held], row_ids=[row_id], work=work, now=now)
            written.append(held)
    return written


def _processed(judged: Sequence[Judged], *, now: datetime) -> Processed:
    orders = [item for item in judged if item.member.what == "order"]
    movements = [item for item in judged if item.member.what == "movement"]
    return Processed(now, _outcomes(orders), _notable(orders), _outcomes(movements), _notable(movements))


def _mark(processed: Processed, *, work: Work) -> Update:
    processed_at, *told = processed
    return Update(MARK_PROCESSED, [processed_at, *map(Jsonb, told), work.batch_id])


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
