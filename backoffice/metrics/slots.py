"""Which file each process counts into: the one with the lowest number that no living process holds.

prometheus_client names files after process ids, so every process that dies leaves a file behind for ever, and removing
it would lose its counts. Here the next process goes on counting where the dead one stopped: there are never more files
than processes at one time, and no sum ever falls. The kernel releases a lock however its process ends.
"""

import fcntl
import os
from itertools import count
from pathlib import Path
from typing import Self

import structlog

log = structlog.get_logger(__name__)


class Slots:
    """The numbers of one folder. Each process, forked or not, holds one from its first call until it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pid = 0
        self._number = 0
        self._lock = -1

    @classmethod
    def usable(cls, folder: str | None) -> Self | None:
        """The slots of a folder, which is created if needed; None if there is none or, with a warning, it cannot be used."""
        if not folder:
            return None
        slots = cls(Path(folder))
        try:
            slots._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            slots.number()
        except OSError as error:
            log.warning("this process tells its own figures alone", folder=folder, error=str(error))
            return None
        return slots

    def number(self) -> int:
        """This process's number. Called at every count, so it costs no more than a comparison."""
        if self._pid != os.getpid():
            self._take()
        return self._number

    def _take(self) -> None:
        if self._lock != -1:
            os.close(self._lock)  # inherited from the parent, whose lock does not extend to us
        for number in count():
            lock = os.open(self._folder / f"slot-{number}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
            else:
                self._pid, self._number, self._lock = os.getpid(), number, lock
                return
