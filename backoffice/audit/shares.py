"""An audit in shares: terminals, and the seals of stores, over one process or several that see the same snapshot."""

import os
import resource
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from typing import NamedTuple

import django
from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.audit.batches import count_orders
from backoffice.audit.detached import Detached
from backoffice.audit.fleet import AuditedStore, AuditedTill, load_tills
from backoffice.audit.gathered import Gathered
from backoffice.audit.periods import LockedPeriods
from backoffice.audit.seals import SealCheck, count_leaves
from backoffice.audit.snapshot import no_search_for_cycles, one_snapshot
from backoffice.audit.tills import audit_till

# Below this, starting a process takes longer than it saves. In records.
WORTH_A_PROCESS = 20_000
# What a sealed record takes beside an order.
SEAL_COST = 0.2
LOOK_EVERY_S = 0.25
KIB = 1024

Progress = Callable[[int, int], None]
"""Called with how many records (orders and seals) were checked so far, and how many there are."""


class Share(NamedTuple):
    """What one process checks: terminals, and by their ids the stores whose seals."""

    tills: list[AuditedTill]
    sealed_stores: list[int]


class Work(NamedTuple):
    """All there is to check: orders by terminal, and leaves by store."""

    tills: Sequence[AuditedTill]
    orders: Mapping[int, int]
    leaves: Mapping[int, int]

    @property
    def records(self) -> int:
        """Orders and leaves."""
        return sum(self.orders.values()) + sum(self.leaves.values())


class Context(NamedTuple):
    """What every share needs to know."""

    stores: dict[int, AuditedStore]
    detached: Detached
    periods: LockedPeriods


def load_work(cursor: CursorWrapper) -> Work:
    """Counts what there is to do."""
    return Work(load_tills(cursor), count_orders(cursor), count_leaves(cursor))


def divide(work: Work, processes: int) -> list[Share]:
    """Shares that take about as long as each other: what is largest first, always to whom has least."""
    shares = [Share([], []) for _ in range(max(1, min(processes, work.records // WORTH_A_PROCESS)))]
    costs = [0.0] * len(shares)
    parts: list[tuple[float, AuditedTill | int]] = [(work.orders.get(till.id, 0), till) for till in work.tills]
    parts += [(leaves * SEAL_COST, store_id) for store_id, leaves in work.leaves.items()]
    for cost, part in sorted(parts, key=lambda each: -each[0]):
        least = costs.index(min(costs))
        costs[least] += cost
        if isinstance(part, AuditedTill):
            shares[least].tills.append(part)
        else:
            shares[least].sealed_stores.append(part)
    return shares


def take_share(cursor: CursorWrapper, share: Share, context: Context, *, passed: Callable[[int], None]) -> Gathered:
    """Checks a share. `passed` is told of each handful of records that was checked."""
    gathered = Gathered()
    for till in share.tills:
        audit_till(
            cursor,
            till,
            context.stores,
            context.detached,
            periods=context.periods,
            gathered=gathered,
            passed=passed,
        )
    seals = SealCheck(cursor, gathered.findings, stores=context.stores, detached=context.detached, passed=passed)
    for store_id in share.sealed_stores:
        seals.check_store(store_id)
    gathered.peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
    return gathered


def take_shares(
    cursor: CursorWrapper, shares: Sequence[Share], context: Context, *, total: int, progress: Progress
) -> Gathered:
    """Checks all shares: one of them here, several each in a process of its own, which reads in our snapshot."""
    if len(shares) == 1:
        return take_share(cursor, shares[0], context, passed=_Passed(progress, total))
    cursor.execute("SELECT pg_export_snapshot()")
    (snapshot,) = cursor.fetchone() or ("",)
    gathered = Gathered()
    for found in _in_processes(snapshot, shares, context, total=total, progress=progress):
        gathered.merge(found)
    gathered.peak_bytes += resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * KIB
    return gathered


class _Passed:
    """Adds up what was checked in this process, and tells it."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0

    def __call__(self, records: int) -> None:
        self._done += records
        self._progress(self._done, self._total)


def _in_processes(
    snapshot: str, shares: Sequence[Share], context: Context, *, total: int, progress: Progress
) -> Iterator[Gathered]:
    spawn = get_context("spawn")
    done = spawn.Value("q", 0)
    with ProcessPoolExecutor(len(shares), spawn, initializer=_begin, initargs=(done,)) as pool:
        futures = [pool.submit(_take_in_snapshot, snapshot, share, context) for share in shares]
        waiting = set(futures)
        while waiting:
            ended, waiting = wait(waiting, timeout=LOOK_EVERY_S, return_when=FIRST_EXCEPTION)
            progress(done.value, total)
            for future in ended:
                if future.exception() is not None:
                    pool.shutdown(wait=False, cancel_futures=True)
                yield future.result()


_done: "Synchronized[int] | None" = None


def _begin(done: "Synchronized[int]") -> None:
    global _done  # noqa: PLW0603 - one for each process of the pool
    _done = done
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()


def _take_in_snapshot(snapshot: str, share: Share, context: Context) -> Gathered:
    with one_snapshot(snapshot), connection.cursor() as cursor, no_search_for_cycles():
        return take_share(cursor, share, context, passed=_tell)


def _tell(records: int) -> None:
    assert _done is not None  # noqa: S101 - the pool began with it
    with _done.get_lock():
        _done.value += records
