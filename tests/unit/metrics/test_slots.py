"""Processes that count together: no two share a file, and what a dead one counted goes on with its successor."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backoffice.metrics.slots import Slots
from tests.conftest import CHECKOUT

COUNT = """
import os, sys
from backoffice import metrics
from backoffice.metrics import exposition
metrics.count_accepted(orders=int(sys.argv[1]))
if len(sys.argv) > 2 and os.fork() == 0:
    metrics.count_accepted(orders=int(sys.argv[2]))
    print("child", metrics.slots.number(), flush=True)
    sys.stdin.read()
    os._exit(0)
if len(sys.argv) > 2:
    os.wait()
print("parent", metrics.slots.number(), flush=True)
sys.stdin.read()
"""
SUM = """
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
import os
registry = CollectorRegistry()
MultiProcessCollector(registry, path=os.environ["METRICS_DIR"])
print(registry.get_sample_value("backoffice_orders_accepted_total"))
"""


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "METRICS_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "backoffice.settings"}


@contextmanager
def counting(folder: Path, *orders: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that counted so many orders, and with a second number a child that counted those; what it said first."""
    process = subprocess.Popen(
        [sys.executable, "-c", COUNT, *map(str, orders)],
        env=environment(folder),
        cwd=CHECKOUT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate(timeout=20)


def total(folder: Path) -> float:
    done = subprocess.run(
        [sys.executable, "-c", SUM], env=environment(folder), capture_output=True, text=True, check=True, timeout=60
    )
    return float(done.stdout)


def test_living_processes_count_apart_and_a_dead_ones_counts_stay(tmp_path: Path) -> None:
    with counting(tmp_path, 1) as (first, said_first), counting(tmp_path, 10) as (_, said_second):
        assert {said_first, said_second} == {"parent 0", "parent 1"}
        assert total(tmp_path) == 11
        first.send_signal(signal.SIGKILL)
        first.wait(20)
        with counting(tmp_path, 100) as (_, said_third):
            assert said_third == "parent 0"
            assert total(tmp_path) == 111
    assert len(list(tmp_path.glob("counter_*.db"))) == 2


def test_a_forked_child_counts_apart_from_its_parent(tmp_path: Path) -> None:
    with counting(tmp_path, 1, 10) as (_, said):
        assert said == "child 1"
        assert total(tmp_path) == 11


def test_a_folder_that_cannot_be_used_is_no_reason_not_to_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert Slots.usable(str(tmp_path / "file")) is None
    assert Slots.usable(None) is None
    assert Slots.usable(str(tmp_path / "new")) is not None
