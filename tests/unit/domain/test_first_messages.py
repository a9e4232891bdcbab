"""The first messages of a new process, from many terminals at once."""

import subprocess
import sys

from tests.conftest import CHECKOUT

# Threads change places as often as they can. Where msgspec first meets a type in them, one process in three crashes.
TRIES = 12
READ_AT_ONCE = """
import sys, threading
from backoffice.domain.wire.messages import read_{message}
sys.setswitchinterval(1e-6)
begin = threading.Barrier(16)
def read():
    begin.wait()
    read_{message}({body!r})
threads = [threading.Thread(target=read) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
CLOSE = (
    b'{"closed_at":"2026-03-01T10:00:00Z","batches":[],"order_count":0,"first_number":1,"last_number":0,"cash_counted":0,'
    b'"totals":{"sales":0,"refunds":0,"tax":0,"tips":0,"rounding":0,"payments":{}}}'
)


def test_a_process_survives_closes_that_are_its_first_messages() -> None:
    script = READ_AT_ONCE.format(message="close_shift", body=CLOSE)
    ended = [subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, check=False).returncode for _ in range(TRIES)]
    assert ended == [0] * TRIES
