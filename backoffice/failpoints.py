"""Named places at which a process can be made to die as by kill -9, for the tests of what happens then.

Armed by the environment alone: BACKOFFICE_FAILPOINTS names a folder. Whoever reaches a point whose name a file in that
folder has removes the file and dies there, so that each file kills exactly one process, whenever it was put there.
Unarmed, a point is a call of a function that does nothing. No installation sets the variable: see docs/reliability.md.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

VARIABLE: Final = "BACKOFFICE_FAILPOINTS"

# By where they lie, in the order in which a batch comes past them.
POINTS: Final = (
    "receive-before-commit",  # the upload is read, nothing is stored
    "receive-after-commit",  # stored, and no bell rung
    "receive-before-answer",  # stored and rung, or posted live; the terminal has heard nothing
    "process-claimed",  # the attempt is counted, nothing is locked
    "process-locked",
    "process-identified",
    "process-before-writes",  # judged, no row of sales or ledger written
    "process-between-tables",  # some tables of the batch written, others not: with COPY only, see bulk.py
    "process-written",
    "process-looked-again",
    "process-before-commit",
    "process-after-commit",  # posted, the task's message not acknowledged
)


class UnknownFailpoint(Exception):
    """The folder does not exist, or holds a file that is named like no point."""


def _pass(name: str) -> None:
    """Unarmed: nothing."""


def _die_if_asked(name: str) -> None:
    """Armed: ends this process by SIGKILL where a file asks for it."""
    try:
        (_folder / name).unlink()  # of several processes, one removes it
    except FileNotFoundError:
        return
    _say(f"{name}: dying")
    os.kill(os.getpid(), signal.SIGKILL)


def _say(text: str) -> None:
    sys.stderr.write(f"FAILPOINTS in process {os.getpid()}: {text}\n")
    sys.stderr.flush()


def _check(folder: Path) -> None:
    if not folder.is_dir():
        raise UnknownFailpoint(f"{VARIABLE} names {folder}, which is no folder. Unset it: it is for tests only.")
    unknown = sorted({path.name for path in folder.iterdir()} - set(POINTS))
    if unknown:
        raise UnknownFailpoint(f"No such failpoint: {', '.join(unknown)}. There are: {', '.join(POINTS)}.")


_folder = Path(os.environ.get(VARIABLE, ""))
failpoint: Callable[[str], None] = _pass
if VARIABLE in os.environ:
    _check(_folder)
    failpoint = _die_if_asked
    _say(f"armed by {_folder}. This process dies when told to: never in production.")
