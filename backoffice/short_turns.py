"""How often threads hand the interpreter on: sooner while one of them reads a large body.

A thread that reads a large body keeps the interpreter busy, and a live order that needs it twenty times waits each time.
Short turns let it wait less. But each thread that waits wakes up as often to ask: where nothing large is read, they cost
live orders a tenth of their rate (ADR 64).
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SHORT_S = 0.0005

_lock = threading.Lock()
_reading = 0
_here = threading.local()
_usual_s = sys.getswitchinterval()


@contextmanager
def short_turns() -> Iterator[None]:
    """Threads hand the interpreter on ten times as often as usual while any is within."""
    _count(1)
    _here.is_within = True
    try:
        yield
    finally:
        _here.is_within = False
        _count(-1)


@contextmanager
def at_rest() -> Iterator[None]:
    """Around what a thread waits for: while it sleeps within `short_turns`, it does not ask for them."""
    if not getattr(_here, "is_within", False):
        yield
        return
    _count(-1)
    try:
        yield
    finally:
        _count(1)


def _count(change: int) -> None:
    global _reading  # noqa: PLW0603 - the interpreter has one interval, whoever asks
    with _lock:
        _reading += change
        sys.setswitchinterval(SHORT_S if _reading else _usual_s)
