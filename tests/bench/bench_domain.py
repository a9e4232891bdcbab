"""Milliseconds per stage of the rules for one batch of 500 orders: `python -m tests.bench.bench_domain`.

Each round takes a batch through all stages, as a worker does; a stage's figure is its best round. Typical batches are the
same in every round. Where all is weighed every round has a batch of its own, so that no line is ever met again.
"""

import argparse
import json
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from itertools import repeat
from typing import Any, TypeVar

from backoffice.domain import accounts, identity, orders, posting, rules, totals
from backoffice.domain.wire import envelope
from backoffice.domain.wire.members import read_order
from tests.bench.results import Run, add_json_option
from tests.bench.shop import typical_order, weighing_shop

ORDERS = 500
ROUNDS = 30
METHODS = accounts.PAYMENT_ACCOUNTS
SHIFT = rules.Shift(
    shift_id=uuid.UUID(int=1), terminal_id=1, currency="EUR", prices_include_tax=True, first_number=1,
    opened_at=datetime(2026, 3, 1, 6, tzinfo=UTC), business_date=date(2026, 3, 1),
)  # fmt: skip

T = TypeVar("T")


class Stopwatch:
    """The best time of each stage, in milliseconds."""

    def __init__(self) -> None:
        self.best_ms: dict[str, float] = defaultdict(lambda: float("inf"))

    def time(self, stage: str, work: Callable[[], T]) -> T:
        """What `work` gives."""
        began = time.perf_counter()
        result = work()
        self.best_ms[stage] = min(self.best_ms[stage], (time.perf_counter() - began) * 1000)
        return result


def measure(batches: Iterable[list[dict[str, Any]]]) -> Mapping[str, float]:
    """The size of the last body, and the milliseconds of each stage and of all together."""
    watch = Stopwatch()
    for batch in batches:
        body = json.dumps({"orders": batch}, separators=(",", ":")).encode()
        _judge(body, watch)
    spent = {**watch.best_ms, "together": sum(watch.best_ms.values())}
    return {"body_bytes": len(body), **{f"{stage}_ms": ms for stage, ms in spent.items()}}


def _judge(body: bytes, watch: Stopwatch) -> None:
    """One batch, from its bytes to its postings. None of it may be held or flagged: that would cost something else."""
    settings, circumstances = rules.StoreSettings(), rules.Circumstances()
    raws = watch.time("decode_batch", lambda: envelope.decode_batch(body, max_orders=2000).orders)
    members = watch.time("read_order", lambda: [read_order(raw) for raw in raws])
    read = [order for order in members if isinstance(order, orders.Order)]
    assert len(read) == len(raws), members[0]
    hashes = watch.time("content_hash", lambda: [identity.content_hash(order) for order in read])
    incoming = [identity.Incoming(order.order_id, order.number, each) for order, each in zip(read, hashes, strict=True)]
    watch.time(
        "identify",
        lambda: identity.identify(incoming=incoming, known={}, numbers={}, terminal_id=1, shift_id=SHIFT.shift_id),
    )
    held = watch.time("holds", lambda: [rules.holds(order, shift=SHIFT, methods=METHODS) for order in read])
    flagged = watch.time(
        "flags",
        lambda: [rules.flags(order, shift=SHIFT, settings=settings, circumstances=circumstances) for order in read],
    )
    assert not any(held), held
    assert not any(flagged), flagged
    watch.time(
        "post_order", lambda: [posting.post_order(order, prices_include_tax=True, accounts=METHODS) for order in read]
    )
    watch.time("compute_totals", lambda: totals.compute_totals(read))


def kinds() -> Iterator[tuple[str, Iterable[list[dict[str, Any]]]]]:
    """What is measured: names, and each round's batch."""
    numbers = range(1000, 1000 + ORDERS)
    yield "typical", repeat([typical_order(number) for number in numbers], ROUNDS)
    newer = [typical_order(number, table_zone="A", covers=2) for number in numbers]
    yield "fields of a newer terminal", repeat(newer, ROUNDS)
    weighed_order = weighing_shop()
    yield "all weighed", ([weighed_order(number) for number in numbers] for _ in range(ROUNDS))


def main() -> None:
    """Prints every stage of every kind."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_domain", description=__doc__)
    add_json_option(parser)
    run = Run("bench_domain", parser.parse_args())
    figures = {}
    for name, batches in kinds():
        figures[name] = measure(batches)
        print(f"{name}: {ORDERS} orders, {figures[name]['body_bytes']} bytes")
        for stage, ms in figures[name].items():
            if stage.endswith("_ms"):
                print(f"  {stage.removesuffix('_ms'):16s}{ms:8.2f} ms")
    run.write(figures, is_complete=True)


if __name__ == "__main__":
    main()
