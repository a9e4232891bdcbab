"""A batch that crashed before is posted member by member, and whatever crashes is held alone."""

from collections.abc import Sequence
from datetime import datetime

import psycopg
import structlog
from django.db import OperationalError, connection, transaction
from django.db.backends.utils import CursorWrapper

from backoffice.domain.identity import Recognition
from backoffice.domain.reasons import PROCESSING_FAILED, Reason
from backoffice.inbox.claims import Claim
from backoffice.inbox.processed import Processed, mark_processed
from backoffice.ingestion.batch.bodies import read_batches
from backoffice.ingestion.batch.lock import LockedBatch
from backoffice.ingestion.batch.members import Judged, JudgedBatch, Member
from backoffice.ingestion.batch.post import (
    add_flags_of_others,
    as_processed,
    finish,
    judge_batch,
    lock_and_recognise,
)
from backoffice.ingestion.batch.refunds import lock_originals, look_again_at_refunds
from backoffice.ingestion.batch.write import write_judged
from backoffice.postgres.pipeline import pipelined

log = structlog.get_logger(__name__)


def post_one_by_one(claim: Claim, *, now: datetime) -> list[tuple[LockedBatch, Processed]]:
    """As `post_batches`, for one batch: a member that crashes is held, for a reason that the rules do not know of."""
    done: list[tuple[JudgedBatch, Processed]] = []
    read = read_batches([claim])
    with transaction.atomic(), connection.cursor() as cursor:
        recognised = lock_and_recognise(cursor, read)
        for batch, members, recognitions in recognised:
            pairs = zip(members, recognitions, strict=True)
            items = [_post_or_hold(cursor, batch, member, recognition, now=now) for member, recognition in pairs]
            done.append((JudgedBatch(batch, items), as_processed(items, now=now)))
        with pipelined():
            mark_processed(cursor, {judged.batch.batch_id: processed for judged, processed in done})
        finish(cursor, recognised, [judged for judged, _ in done], now=now)
    return [(judged.batch, processed) for judged, processed in done]


def _post_or_hold(
    cursor: CursorWrapper, batch: LockedBatch, member: Member, recognition: Recognition, *, now: datetime
) -> Judged:
    try:
        with transaction.atomic():
            return _post(cursor, batch, member, recognition, now=now)
    except (OperationalError, psycopg.OperationalError):
        raise  # a deadlock, a time-out, a full disk: not this member's fault, so the batch waits
    except Exception as error:
        ids = {"batch_id": str(batch.batch_id), "terminal": str(batch.terminal_uuid)}
        log.exception("member held after a crash", **ids, position=member.position)
        held = Judged(member, "held", (Reason(PROCESSING_FAILED, "", type(error).__name__),))
        write_judged(cursor, [JudgedBatch(batch, [held])], now=now)
        return held


def _post(
    cursor: CursorWrapper, batch: LockedBatch, member: Member, recognition: Recognition, *, now: datetime
) -> Judged:
    lock_originals(cursor, [member])
    alone: Sequence[JudgedBatch] = [add_flags_of_others(cursor, judge_batch(batch, [member], [recognition]))]
    write_judged(cursor, alone, now=now)
    look_again_at_refunds(cursor, alone, now=now)
    # What the database checks at the end of a transaction is checked for this member now.
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return alone[0].judged[0]
