"""The chaos run in small, with a fixed seed; and the same against a queue that is known to lose and to double."""

import re
import subprocess
import sys
from pathlib import Path

from tests.faults.fleet import Day
from tests.faults.naive import NaiveService, naive_processes
from tests.faults.run import Plan, report, run
from tests.faults.schedule import Action, Moment

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def test_a_dozen_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    options = ["--seed=4", "--kills=12", "--orders=4000", "--terminals=4", "--batch=100", "--wal-mb=0"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults", *options, "--duration-limit=8", "--folder", str(tmp_path / "run")],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| orders acknowledged | 4,000 |" in done.stdout
    assert "| **kills of the service's processes** | **12** |" in done.stdout
    # People were at work meanwhile, on what was held and on what was posted.
    assert re.search(r"decided: (post|correct|discard|move) ", done.stdout), done.stdout
    assert re.search(r"decided: (void|retender) ", done.stdout), done.stdout
    assert "| **differences that verify_books finds** | **0** |" in done.stdout


def test_a_naive_queue_is_caught_losing_and_doubling(tmp_path: Path) -> None:
    day = Day(seed="4", quota=1500, batch=250, shift=1500, live=0.0, clock_steps=0.0, timeout_s=3.0)
    plan = Plan(kills=2, terminals=4, day=day, duration_limit_s=300)
    with NaiveService(tmp_path / "service", roles=(), companions=naive_processes) as service:
        # What is inserted by then is inserted again when the message comes back.
        double = [Action("kill", "worker", 0.0, 0, 0.0, lambda: service.amid(batch=day.batch))]
        # It has come back, and is gone before its last order: so is whatever else waits. The worker that comes next declares
        # its queue again.
        lose = [
            Action("freeze", "worker", 0.0, 0, 2.0, service.has_doubled),
            Action("flush", "valkey", 0.0, 0, 0.0),
            Action("kill", "worker", 2.1, 0, 0.0),
        ]
        moments = [Moment(0.2, double + lose), Moment(0.8, [])]
        result = run(service, plan, folder=tmp_path, say=print, moments=moments)
    assert not result.trouble, report(result)
    found = {name: finding["count"] for name, finding in result.checked["findings"].items()}
    assert result.checked["figures"]["orders acknowledged"] == plan.orders
    assert found["lost"] > 0, report(result)
    assert found["doubled"] > 0, report(result)
