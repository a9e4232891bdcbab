"""Keeps processes running: one that dies is restarted, almost at once at first, then after longer and longer waits."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.processes import Child

LOOK_EVERY_S = 0.1
FIRST_WAIT_S = 0.2
LONGEST_WAIT_S = 30.0
STEADY_AFTER_S = 60.0  # a process that has run this long has recovered: its next death counts as the first


@dataclass
class Patience:
    """How long to wait before restarting a child, and when that is due."""

    wait_s: float = FIRST_WAIT_S
    started_at: float = field(default_factory=time.monotonic)
    due_at: float | None = None


class Watch:
    """Watches children that have been started, and restarts them. `longest_wait_s` is the longest wait before that."""

    def __init__(self, children: Sequence[Child], *, log: Log, longest_wait_s: float = LONGEST_WAIT_S) -> None:
        self._children = [(child, Patience()) for child in children]
        self._log = log
        self._longest_wait_s = longest_wait_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Starts the watching thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stops watching; the children keep running."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            for child, patience in self._children:
                self._look_after(child, patience, time.monotonic())

    def _look_after(self, child: Child, patience: Patience, now: float) -> None:
        ending = child.ending()
        if ending is None:
            return
        if patience.due_at is None:
            child.kill()  # whatever is left of its group may hold ports and connections that the next one needs
            if now - patience.started_at > STEADY_AFTER_S:
                patience.wait_s = FIRST_WAIT_S
            patience.due_at = now + patience.wait_s
            self._log.say("stack", f"{child.name} {ending}: starting it again in {patience.wait_s:g} s")
            patience.wait_s = min(patience.wait_s * 2, self._longest_wait_s)
        elif now >= patience.due_at:
            patience.due_at, patience.started_at = None, now
            child.start()
