"""Whether a terminal waits as long as it was asked to, and does not hammer (protocol §9)."""

from collections import Counter, deque
from dataclasses import dataclass, field

from backoffice.workbench.conformance.notes import Notebook
from backoffice.workbench.conformance.traffic import Answer, Request

# Clocks differ, and a sleep may end a little early.
TOLERANCE_S = 0.1
# So many distances in a row, all nearly alike, are a constant, and none of chance; who asks so seldom is free to.
JUDGED = 4
ALIKE = 1.3
SELDOM_S = 5.0
# With the pauses that the protocol advises, hardly more than four come in the first second.
MOST_REPEATS = 8
WITHIN_S = 1.0
TOO_MANY, TIMED_OUT, BROKEN = 429, 408, 500


@dataclass
class _Failing:
    times: deque[float] = field(default_factory=deque)
    distances: deque[float] = field(default_factory=lambda: deque(maxlen=JUDGED))
    alike: list[float] = field(default_factory=list)
    last: Request | None = None
    hammered: bool = False
    is_asked: bool = False

    def measure(self, request: Request) -> None:
        """Another order is no repetition: how fast somebody sells is not for the terminal to decide."""
        if self.last is not None and self.last.path == request.path:
            self.distances.append(request.at - self.last.at)
        else:
            self.distances.clear()
        self.last = request
        if len(self.distances) == JUDGED and self._are_alike():
            self.alike = list(self.distances)

    def _are_alike(self) -> bool:
        """Whether the distances do not grow. Those that `Retry-After` decided say nothing."""
        longest = max(self.distances)
        return longest < ALIKE * min(self.distances) and longest < SELDOM_S and not self.is_asked


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
        if failing is not None:
            failing.measure(request)
            if not failing.hammered:
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
                self._judge(request.kind, failing, self._notes)
            return
        failing = self._failing.setdefault(request.kind, _Failing(deque([request.at]), last=request))
        failing.is_asked = failing.is_asked or answer.retry_after_s is not None
        if answer.retry_after_s is not None and answer.manner == "whole":
            self._asked["*" if answer.status == TOO_MANY else request.kind] = (at, answer.retry_after_s)

    def _judge(self, kind: str, failing: _Failing, notes: Notebook) -> None:
        tries = ", ".join(f"{distance:.1f}" for distance in failing.alike)
        what = f"{kind} was repeated after {tries} s, which does not grow"
        notes.note("backs-off", right=not failing.alike, what=what)

    def finish(self, notes: Notebook) -> None:
        """Notes what was still failing at the end of the run."""
        for kind, failing in self._failing.items():
            if failing.alike and not failing.hammered:
                self._judge(kind, failing, notes)


class Outage:
    """500 to everything, until one request was repeated often enough to see the distances, but not for long."""

    SHORTEST_S, LONGEST_S, REPEATED, IN_ALL = 1.5, 10.0, 5, 50

    def __init__(self) -> None:
        self._since: float | None = None
        self._refused: Counter[str] = Counter()

    def begin(self, request: Request) -> None:
        """The first request that fails."""
        self._since = request.at
        self._refused[request.path] += 1

    def strikes(self, request: Request) -> bool:
        """Whether this request fails too. Ends the outage if it is time."""
        if self._since is None:
            return False
        lasted_s = request.at - self._since
        seen_enough = max(self._refused.values()) >= self.REPEATED or self._refused.total() >= self.IN_ALL
        if lasted_s > self.LONGEST_S or (lasted_s > self.SHORTEST_S and seen_enough):
            self._since = None
            return False
        self._refused[request.path] += 1
        return True
