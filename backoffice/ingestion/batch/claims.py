"""Running the claims: which batches this process tries, how often, and who is told when that fails.

Attempts are counted before the work, outside its transaction, so that a batch that kills its worker is noticed. After
two crashes it is taken order by order; after five it is `failed` and people are told. Others flow past it (ADR 9). A try
that waited for a lock in vain is not counted.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.utils import timezone

from backoffice import metrics
from backoffice.domain.states import BatchState
from backoffice.failpoints import failpoint
from backoffice.inbox.claims import (
    BATCHES_TOGETHER,
    ISOLATE_AFTER,
    Claim,
    claim_next,
    count_failure,
    give_back,
    put_off,
)
from backoffice.inbox.models import Batch
from backoffice.inbox.processed import Processed
from backoffice.ingestion.batch.isolate import post_one_by_one
from backoffice.ingestion.batch.lock import LockedBatch
from backoffice.ingestion.batch.post import post_batches
from backoffice.ingestion.locks import is_lock_wait, lock_terminal
from backoffice.ingestion.reconcile import reconcile_unsettled

log = structlog.get_logger(__name__)


def process_next(*, now: datetime, most: int = 1) -> int:
    """Claims the batch that has waited longest, with up to `most` in all if they allow, and processes them.

    Returns how many were claimed.
    """
    claims = claim_next(now=now, most=most)
    if claims:
        failpoint("process-claimed")
    for claim in claims:
        if claim.attempts > 1:
            metrics.batches_retried.inc()
        if claim.gave_up:
            _alarm(batch_id=claim.batch_id, now=now)
    process_claimed([claim for claim in claims if not claim.gave_up], now=now)
    if claims:
        failpoint("process-after-commit")
    return len(claims)


def process_claimed(claims: Sequence[Claim], *, now: datetime) -> dict[UUID, Processed]:
    """Processes batches whose attempt is counted; those that were processed here.

    They share one transaction first, and have one each where that fails. A failure is noted with the batch and does not
    raise, unless PostgreSQL is away: other batches are none the worse for it.
    """
    if len(claims) > 1:
        try:
            processed = _post(claims, now=now)
        except Exception as error:  # whoever is at fault fails again alone
            batch_ids = " ".join(str(claim.batch_id) for claim in claims[:BATCHES_TOGETHER])
            log.warning("batches are tried one by one", batch_ids=batch_ids, error=type(error).__name__, exc_info=True)
        else:
            _give_back_others(claims, processed, now=now)
            return processed
    processed = {}
    for claim in claims:
        try:
            processed |= _process_alone(claim, now=now)
        except Exception:
            if not connection.is_usable():
                raise  # PostgreSQL is away: the sweepers come back later
            log.exception("batch left to another try", **_ids(claim))
    return processed


def _process_alone(claim: Claim, *, now: datetime) -> dict[UUID, Processed]:
    try:
        processed = _post([claim], now=now)
    except Exception as error:
        if is_lock_wait(error):
            # Somebody else's transaction was in the way, which says nothing about this batch.
            log.warning("batch waited for a lock in vain", **_ids(claim), error=type(error.__cause__ or error).__name__)
            put_off(batch_id=claim.batch_id, error=f"{type(error).__name__}: {error}", now=timezone.now())
            return {}
        log.exception("batch crashed", **_ids(claim), attempts=claim.attempts)
        # A lost connection is replaced here; where PostgreSQL is away this raises.
        state = count_failure(batch_id=claim.batch_id, error=f"{type(error).__name__}: {error}", now=timezone.now())
        if state == BatchState.FAILED.value:
            _alarm(batch_id=claim.batch_id, now=now)
        return {}
    _give_back_others([claim], processed, now=now)
    return processed


def _post(claims: Sequence[Claim], *, now: datetime) -> dict[UUID, Processed]:
    """Posts what can be locked, and reports it."""
    began = time.perf_counter()
    if len(claims) == 1 and claims[0].attempts > ISOLATE_AFTER:
        posted = post_one_by_one(claims[0], now=now)
    else:
        posted = post_batches(claims, now=now)
    requests = {claim.batch_id: claim.request_id for claim in claims}
    for batch, processed in posted:
        _report(batch, processed, request_id=requests[batch.batch_id], began=began)
    return {batch.batch_id: processed for batch, processed in posted}


def _give_back_others(claims: Sequence[Claim], processed: Mapping[UUID, Processed], *, now: datetime) -> None:
    left = [claim.batch_id for claim in claims if claim.batch_id not in processed]
    if left:
        give_back(left, now=now)


def _report(batch: LockedBatch, processed: Processed, *, request_id: str | None, began: float) -> None:
    """Metrics and a line in the log, once a batch is processed for good. The line has all ids: many may be at work."""
    seconds = time.perf_counter() - began
    outcomes = dict(Counter(processed.outcomes) + Counter(processed.movement_outcomes))
    metrics.count_processed(outcomes=outcomes, seconds=seconds, since_receipt=timezone.now() - batch.received_at)
    ids = {"batch_id": str(batch.batch_id), "terminal": str(batch.terminal_uuid), "request_id": request_id}
    log.info("batch processed", **ids, **outcomes, ms=round(seconds * 1000, 1))


def _alarm(*, batch_id: UUID, now: datetime) -> None:
    """Five tries crashed: people are told, and a closed shift that this batch came to cannot agree any more."""
    metrics.batches_failed.inc()
    named = Batch.objects.values_list("terminal_id", "terminal__uuid", "shift_id")
    terminal_id, terminal, shift_id = named.get(batch_id=batch_id)
    ids = {"batch_id": str(batch_id), "terminal": str(terminal)}
    log.critical("batch failed: its orders count as held, a person must look", **ids)
    with transaction.atomic(), connection.cursor() as cursor:
        lock_terminal(terminal_id)
        reconcile_unsettled(cursor, terminal_id=terminal_id, shift_id=shift_id, batch_id=batch_id, now=now)


def _ids(claim: Claim) -> dict[str, str | None]:
    """What a line of the log names a batch by. Its terminal is left out where the connection was lost with the try."""
    ids = {"batch_id": str(claim.batch_id), "request_id": claim.request_id}
    if connection.is_usable():
        terminal = Batch.objects.values_list("terminal__uuid", flat=True).get(batch_id=claim.batch_id)
        ids["terminal"] = str(terminal)
    return ids
