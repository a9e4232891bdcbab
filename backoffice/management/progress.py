"""How far a long command is: a bar on a terminal, a line now and then elsewhere."""

import time
from collections.abc import Callable
from typing import Self, TextIO

QUIET_S = 2.0
BAR_EVERY_S, LINE_EVERY_S = 0.5, 30.0
CELLS = 24


class ProgressBar:
    """Says nothing of what takes no time. `things` are what is counted; on a terminal it vanishes at the end."""

    def __init__(self, things: str, *, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._things = things
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._is_terminal = stream.isatty()
        self._next = self._began + (QUIET_S if self._is_terminal else LINE_EVERY_S)
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown and self._is_terminal:
            self._stream.write("\r\033[K")
            self._stream.flush()

    def show(self, done: int, total: int) -> None:
        """So many of so many are done."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + (BAR_EVERY_S if self._is_terminal else LINE_EVERY_S)
        said = progress_in_words(done, total, seconds=now - self._began, things=self._things)
        if self._is_terminal:
            filled = CELLS * min(done, total) // max(total, 1)
            self._stream.write(f"\r\033[K[{'#' * filled}{'.' * (CELLS - filled)}] {said}")
        else:
            self._stream.write(f"{said}\n")
        self._stream.flush()
        self._shown = True


def progress_in_words(done: int, total: int, *, seconds: float, things: str) -> str:
    """Such as "40%, 0:33 left: 400,000 of 1,000,000 orders, 18,181 a second"."""
    left = round(seconds * (total - done) / done) if done else 0
    time_left = f", {left // 60}:{left % 60:02} left" if 0 < done < total else ""
    share = done / total if total else 1
    return f"{share:.0%}{time_left}: {done:,} of {total:,} {things}, {done / max(seconds, 0.001):,.0f} a second"
