"""A thread that keeps the interpreter busy for long hands it on more often meanwhile (ADR 32)."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Seconds; a tenth of Python's own. A live order needs the interpreter twenty times, and waits a turn each time while
# another thread reads a large body. Were it always so short, live orders alone would be 7 % slower.
SHORT_S = 0.0005
_long_s = sys.getswitchinterval()
_one_at_a_time = threading.Lock()


@contextmanager
def short_turns() -> Iterator[None]:
    """Runs the block alone among those that ask for it, while all threads of the process take short turns."""
    with _one_at_a_time:
        sys.setswitchinterval(SHORT_S)
        try:
            yield
        finally:
            sys.setswitchinterval(_long_s)
