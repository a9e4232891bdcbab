"""One log for several processes: each line begins with the name of the process that wrote it."""

import contextlib
import os
import threading
from collections.abc import Sequence
from typing import IO, TextIO

COLOURS = {"web": 36, "worker": 32, "beat": 35, "postgres": 34, "valkey": 33, "stack": 1}
WIDTH = max(len(name) for name in COLOURS)


class Log:
    """Writes whole lines to one stream from many threads, in colour on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ

    def say(self, origin: str, line: str) -> None:
        """Writes one line. A reader that is gone (`up | head`) must not stop the processes that write."""
        prefix = f"{origin:<{WIDTH}} |"
        if self._coloured:
            prefix = f"\x1b[{COLOURS.get(origin, 0)}m{prefix}\x1b[0m"
        with self._lock, contextlib.suppress(OSError, ValueError):
            self._stream.write(f"{prefix} {line}\n")
            self._stream.flush()

    def follow(self, origin: str, pipe: IO[bytes], *, noise: Sequence[str] = ()) -> None:
        """Copies a process's output in a thread of its own, leaving out lines that contain a text of `noise`."""
        thread = threading.Thread(target=self._copy, args=(origin, pipe, noise), name=f"log of {origin}", daemon=True)
        thread.start()

    def _copy(self, origin: str, pipe: IO[bytes], noise: Sequence[str]) -> None:
        with pipe:
            for raw in pipe:
                line = raw.decode(errors="replace").rstrip()
                if line and not any(text in line for text in noise):
                    self.say(origin, line)
