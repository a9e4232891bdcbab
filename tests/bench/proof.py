"""How long it takes to seal a full database, to balance it, and to derive its books again.

`python -m tests.bench.proof` with the DATABASE_URL of a filled database (`tests.bench.fill`); `make bench-growth` with
`--prove` runs it at each size. Prints one JSON object.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import django

from tests.bench.results import CHECKOUT

TIMES = 24
# What it says of itself.
COST = re.compile(r"([\d,]+) orders in ([\d,.]+) s, [\d,]+ a second, with ([\d,]+) MiB at most\.")


@dataclass
class Proved:
    """What was measured: `verify_s` and `peak_mib` of `verify_books`, the trial balance of all stores and of one."""

    seal_s: float
    sealed: int
    verify_s: float
    peak_mib: float
    orders: int
    agrees: bool
    balance_ms: list[float]
    balance_of_a_store_ms: list[float]

    @property
    def orders_per_s(self) -> float:
        """How many orders were derived again in a second."""
        return self.orders / self.verify_s

    @property
    def figures(self) -> dict[str, float]:
        """For a program."""
        return {
            "seal_s": self.seal_s,
            "verify_s": self.verify_s,
            "verified_orders_per_s": self.orders_per_s,
            "verify_peak_mib": self.peak_mib,
            "trial_balance_p50_ms": statistics.median(self.balance_ms),
            "trial_balance_of_a_store_p50_ms": statistics.median(self.balance_of_a_store_ms),
        }


def prove(*, times: int = TIMES) -> Proved:
    """Seals, balances, verifies: in this order, since balances are kept with seals."""
    from backoffice.books.evidence.balance import trial_balance_at  # noqa: PLC0415 - after django.setup()
    from backoffice.books.evidence.sealer import seal  # noqa: PLC0415
    from backoffice.fleet.models import Store  # noqa: PLC0415

    began = time.perf_counter()
    sealed = seal(now=django.utils.timezone.now())
    seal_s = time.perf_counter() - began
    stores = list(Store.objects.order_by("pk"))
    whole = [_ms(lambda: trial_balance_at(store=None, at=None)) for _ in range(times)]
    chosen = [stores[place % len(stores)] for place in range(times)]
    single = [_ms(partial(trial_balance_at, store=store, at=None)) for store in chosen]
    return Proved(seal_s=seal_s, sealed=sealed, balance_ms=whole, balance_of_a_store_ms=single, **_verified())


def _verified() -> dict[str, Any]:
    """What the command says when people run it."""
    words = [sys.executable, "manage.py", "verify_books"]
    done = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    cost = COST.search(done.stderr)
    if cost is None:
        raise RuntimeError(done.stderr)
    orders, seconds, mib = (float(each.replace(",", "")) for each in cost.groups())
    return {"orders": int(orders), "verify_s": seconds, "peak_mib": mib, "agrees": done.returncode == 0}


def _ms(call: Any) -> float:
    began = time.perf_counter()
    call()
    return (time.perf_counter() - began) * 1000


def table(found: Iterable[tuple[int, Proved]]) -> list[str]:
    """The table in docs/growth.md, of sizes in orders."""
    return [
        "| orders in the tables | sealed in | `verify_books` | orders a second | memory at most | trial balance, all stores | one store |",
        "|---:|---:|---:|---:|---:|---:|---:|",
        *(row(orders, proved) for orders, proved in found),
    ]


def row(orders: int, proved: Proved) -> str:
    """One line of that table."""
    balance, of_a_store = (statistics.median(each) for each in (proved.balance_ms, proved.balance_of_a_store_ms))
    return (
        f"| {orders:,} | {proved.seal_s:,.0f} s | {proved.verify_s:,.0f} s | {proved.orders_per_s:,.0f} | "
        f"{proved.peak_mib:,.0f} MiB | {balance:,.0f} ms | {of_a_store:,.0f} ms |"
    )


def main() -> None:
    """Prints what was measured as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.proof", description=__doc__)
    parser.add_argument("--times", type=int, default=TIMES, help="that each trial balance is asked for")
    print(json.dumps(asdict(prove(times=parser.parse_args().times))))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    main()
