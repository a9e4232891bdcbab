"""What was promised to well-behaved tills, and which of it was broken."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import psycopg

from tests.bench.hostile.crowd import Told
from tests.bench.hostile.peaks import Peak
from tests.bench.hostile.restart import Restart
from tests.bench.hostile.tills import Noticed, Taken

KINDS = {"live": "live orders", "batch": "batches", "close": "closes"}
P50, P99, LONGEST = 50, 99, 100


class Limits(NamedTuple):
    """What is promised. `grown_mb` is of any one process of a role, while all attacks go on at once."""

    p99_ms: float = 1000
    feed_s: float = 2.0
    back_s: float = 2.0
    grown_mb: Mapping[str, float] = {"web": 500, "worker": 500, "postgres": 500, "valkey": 100, "beat": 50}

    def with_patience(self, factor: float) -> "Limits":
        """Limits of time, multiplied; memory does not depend on how busy the machine is."""
        return self._replace(p99_ms=self.p99_ms * factor, feed_s=self.feed_s * factor, back_s=self.back_s * factor)


class Counted(NamedTuple):
    """In the tables afterwards: of the well-behaved tills, and batches of anybody that wait or have failed."""

    posted: int
    doubled: int
    batches: int
    reconciled: int
    waiting: int
    failed: int


@dataclass
class Night:
    """One hostile storm."""

    noticed: Noticed
    told: Sequence[Told]
    peaks: Mapping[str, Peak]
    counted: Counted
    restart: Restart | None
    drained_s: float
    rest_s: float
    books: bool
    died: Sequence[str]
    limits: Limits = field(default_factory=Limits)

    def waits_ms(self, kind: str) -> list[float]:
        """Of messages that did not meet the restart of PostgreSQL."""
        return [one.waited_ms for one in self.noticed.taken if one.kind == kind and not self._meets_restart(one)]

    def met_restart(self) -> list[float]:
        """How long those were under way that did."""
        return [one.waited_ms for one in self.noticed.taken if self._meets_restart(one)]

    def feed_ms(self, name: str) -> list[float]:
        """From the acknowledgement of a live order until another till of its store could read of it in this feed."""
        found, processed_at = self.noticed.seen[name], self.noticed.processed_at
        seen = [Taken("", at, found[order_id], 0.0) for order_id, at in processed_at.items() if order_id in found]
        return [max(0.0, one.waited_ms) for one in seen if not self._meets_restart(one)]

    def failures(self) -> dict[str, list[str]]:
        """What an attacker could make the service fail at; without what failed because PostgreSQL was away."""
        found = {
            each.attack: [what for at, what in each.errors if not self._meets_restart(Taken("", at, at, 0.0))]
            for each in self.told
        }
        return {attack: errors for attack, errors in found.items() if errors}

    def _meets_restart(self, one: Taken) -> bool:
        restart = self.restart
        if restart is None:
            return False
        return one.first_at <= restart.back_at + self.limits.back_s and one.taken_at >= restart.killed_at


def mark(values: Sequence[float], share: float) -> float:
    """A percentile; 0 where there is nothing."""
    ordered = sorted(values) or [0.0]
    return ordered[min(len(ordered) - 1, int(len(ordered) * share / 100))]


COUNT = """
SELECT
    (SELECT count(DISTINCT order_id) FROM sales_order WHERE order_id = ANY(%(orders)s::uuid[])),
    (SELECT count(*) FROM (
        SELECT FROM sales_order WHERE order_id = ANY(%(orders)s::uuid[]) GROUP BY order_id HAVING count(*) > 1
        UNION ALL
        SELECT FROM ledger_journalentry WHERE source_id = ANY(%(orders)s::uuid[])
        GROUP BY source_kind, source_id, source_number HAVING count(*) > 1
    ) AS doubled),
    (SELECT count(*) FROM inbox_batch WHERE batch_id = ANY(%(batches)s::uuid[]) AND state = 'processed'),
    (SELECT count(*) FROM sales_shift WHERE shift_id = ANY(%(shifts)s::uuid[]) AND state = 'reconciled'),
    (SELECT count(*) FROM inbox_batch WHERE state = 'failed')
"""


def count(database_url: str, noticed: Noticed, *, waiting: int) -> Counted:
    """By SQL, of what the well-behaved tills were acknowledged."""
    values = {"orders": noticed.order_ids, "batches": noticed.batch_ids, "shifts": noticed.shift_ids}
    with psycopg.connect(database_url) as connection:
        row = connection.execute(COUNT, values).fetchone()
    assert row is not None
    posted, doubled, batches, reconciled, failed = row
    return Counted(posted, doubled, batches, reconciled, waiting, failed)


def broken_promises(night: Night) -> list[str]:
    """In words; none where all hold."""
    return [*_waits(night), *_losses(night), *_services(night)]


def _waits(night: Night) -> Iterator[str]:
    limits = night.limits
    for kind, name in KINDS.items():
        if (p99 := mark(night.waits_ms(kind), P99)) > limits.p99_ms:
            yield f"{name}: p99 {p99:,.0f} ms, {limits.p99_ms:,.0f} are promised"
    for name in night.noticed.seen:
        if (p99 := mark(night.feed_ms(name), P99) / 1000) > limits.feed_s:
            yield f"the feed {name}: p99 {p99:.1f} s, {limits.feed_s:g} are promised"
    if night.restart is not None and night.restart.denied_s > limits.back_s:
        yield f"PostgreSQL was said to be away {night.restart.denied_s:.1f} s after it was back"


def _losses(night: Night) -> Iterator[str]:
    noticed, counted = night.noticed, night.counted
    for what, found in (("not heard", noticed.given_up), ("refused", noticed.refused)):
        if found:
            yield f"{len(found)} messages were {what}, such as {found[0]}"
    acknowledged = len(noticed.order_ids)
    if acknowledged != noticed.sent_orders:
        yield f"{acknowledged} orders of {noticed.sent_orders} were acknowledged"
    if counted.posted != acknowledged:
        yield f"{counted.posted} orders of {acknowledged} acknowledged ones are posted"
    if counted.doubled:
        yield f"{counted.doubled} orders are posted twice"
    if counted.batches != len(noticed.batch_ids):
        yield f"{counted.batches} batches of {len(noticed.batch_ids)} are processed"
    if counted.reconciled != len(noticed.shift_ids):
        yield f"{counted.reconciled} shifts of {len(noticed.shift_ids)} are reconciled"
    if not night.books:
        yield "verify_books finds differences"


def _services(night: Night) -> Iterator[str]:
    for role, peak in night.peaks.items():
        if peak.grown_mb > night.limits.grown_mb[role]:
            yield f"a process of {role} grew by {peak.grown_mb:,.0f} MB, {night.limits.grown_mb[role]:,.0f} are allowed"
    for attack, errors in night.failures().items():
        yield f"{attack}: the service failed {len(errors)} times, such as {errors[0]}"
    if night.counted.waiting or night.counted.failed:
        yield f"{night.counted.waiting} batches of anybody still wait, {night.counted.failed} have failed"
    if night.died:
        yield f"died and started again: {', '.join(night.died)}"
