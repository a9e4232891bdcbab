"""Whether a terminal waits as long as it was asked to, and does not hammer (protocol §9)."""

from collections import deque
from dataclasses import dataclass, field

from backoffice.workbench.conformance.notes import Notebook
from backoffice.workbench.conformance.traffic import Answer, Request

# Clocks differ, and a sleep may end a little early.
TOLERANCE_S = 0.1
# With the pauses that the protocol advises, hardly more than four come in the first second.
MOST_REPEATS = 8
WITHIN_S = 1.0
TOO_MANY, TIMED_OUT, BROKEN = 429, 408, 500


@dataclass
class _Failing:
    times: deque[float] = field(default_factory=deque)
    hammered: bool = False


class Pace:
    """Watches the pauses between requests of one kind, whatever identifiers are in their addresses."""

    def __init__(self, notes: Notebook) -> None:
        self._notes = notes
        self._asked: dict[str, tuple[float, float]] = {}
        self._failing: dict[str, _Failing] = {}

    def arrived(self, request: Request) -> None:
        """Call it for every request, before it is answered."""
        for key in ("*", request.kind):
            if key in self._asked:
                since, retry_after_s = self._asked.pop(key)
                waited_s = request.at - since
                what = f"{request.line} came after {waited_s:.1f} s, Retry-After was {retry_after_s:.0f} s"
                self._notes.note("retry-after", right=waited_s >= retry_after_s - TOLERANCE_S, what=what)
        failing = self._failing.get(request.kind)
        if failing is not None and not failing.hammered:
            self._count(failing, request)

    def _count(self, failing: _Failing, request: Request) -> None:
        failing.times.append(request.at)
        while failing.times[0] < request.at - WITHIN_S:
            failing.times.popleft()
        if len(failing.times) > MOST_REPEATS:
            failing.hammered = True
            self._notes.broke("backs-off", f"{request.kind} was repeated {len(failing.times)} times within a second")

    def answered(self, request: Request, answer: Answer, *, at: float) -> None:
        """Call it for every answer, as it is given."""
        retryable = answer.status in {TOO_MANY, TIMED_OUT} or answer.status >= BROKEN or answer.manner != "whole"
        if not retryable:
            failing = self._failing.pop(request.kind, None)
            if failing is not None and not failing.hammered:
                self._notes.kept("backs-off")
            return
        self._failing.setdefault(request.kind, _Failing(deque([request.at])))
        if answer.retry_after_s is not None and answer.manner == "whole":
            self._asked["*" if answer.status == TOO_MANY else request.kind] = (at, answer.retry_after_s)
