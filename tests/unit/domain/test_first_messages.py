"""The first messages and answers of a new process, for many terminals at once."""

import subprocess
import sys

import pytest

from tests.conftest import CHECKOUT

# Threads change places as often as they can. Where msgspec first meets a type in them, one process in three crashes.
TRIES = 12
AT_ONCE = """
import sys, threading
{first}
sys.setswitchinterval(1e-6)
begin = threading.Barrier(16)
def work():
    begin.wait()
    {work}
threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
CLOSE = (
    b'{"closed_at":"2026-03-01T10:00:00Z","batches":[],"order_count":0,"first_number":1,"last_number":0,"cash_counted":0,'
    b'"totals":{"sales":0,"refunds":0,"tax":0,"tips":0,"rounding":0,"payments":{}}}'
)
CLOSES = ("from backoffice.domain.wire.messages import read_close_shift", f"read_close_shift({CLOSE!r})")
SHOWN = """
from msgspec import convert
from backoffice.domain.totals import ShiftTotals
from backoffice.domain.wire.answers import ComputedAnswer
found = ShiftTotals(order_count=0, sales=0, refunds=0, tax=0, tips=0, rounding=0, payments={})
"""
FIGURES = (SHOWN, "convert(found, ComputedAnswer, from_attributes=True)")


@pytest.mark.parametrize(("first", "work"), [CLOSES, FIGURES], ids=["closes", "figures of shifts"])
def test_a_process_survives_what_comes_first(first: str, work: str) -> None:
    script = AT_ONCE.format(first=first, work=work)
    ended = [subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, check=False).returncode for _ in range(TRIES)]
    assert ended == [0] * TRIES
