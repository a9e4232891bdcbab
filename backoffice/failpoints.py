"""Named points at which a process can be made to die as if by kill -9, so that tests can see what happens next.

They are armed by the environment alone: BACKOFFICE_FAILPOINTS names a folder. A process that reaches a point, and finds
a file of that name in the folder, removes the file and dies: each file kills exactly one process, whenever it was
created. Unarmed, a point calls a function that does nothing. No installation sets the variable: see docs/reliability.md.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

VARIABLE: Final = "BACKOFFICE_FAILPOINTS"

# In the order in which a batch passes them, then those of the sealer and of exports, those of a decision and of the answer
# to one, and those of alerts; the prefix says where they are.
POINTS: Final = (
    "receive-before-commit",  # the upload has been read, nothing is stored
    "receive-after-commit",  # stored, the bell not yet rung
    "receive-before-answer",  # stored and rung, or posted live; the terminal has heard nothing
    "process-claimed",  # the attempt is counted, nothing is locked
    "process-locked",
    "process-identified",
    "process-before-writes",  # judged, no row in sales or ledger written
    "process-between-tables",  # some of its tables written, others not: with COPY only
    "process-written",
    "process-looked-again",
    "process-before-commit",
    "process-after-commit",  # posted, the task's message not acknowledged
    "seal-written",  # leaves, trees and balances of a chunk written, its mark not moved
    "seal-before-commit",
    "seal-after-commit",  # a chunk is sealed, the next not begun
    "export-decided",  # what is sent is decided and numbered, no byte written
    "export-between-pages",
    "export-written",  # its files are whole, under temporary names
    "export-renamed",  # its files are in their places, and that is not kept
    "decide-locked",  # what it is about is locked, nothing is done
    "decide-settled",  # what was held is marked as decided, nothing of it posted
    "decide-posted",  # posted, its receipt not told
    "decide-tried",  # a request was tried and taken back, it is not written
    "decide-acted",  # it is done, the decision not written
    "decide-written",  # before the commit
    "decide-after-commit",  # whoever decided has heard nothing
    "answer-locked",  # the request is locked, what it is about is not
    "answer-acted",  # it is done, the answer not written
    "answer-written",  # before the commit
    "answer-after-commit",
    "alert-changed",  # alerts have changed, nobody is to be told yet
    "alert-noticed",
    "alert-before-commit",
    "alert-after-commit",
    "mail-made",  # before the commit
    "mail-claimed",  # its try is counted, nothing is sent
    "mail-sent",  # the mail server has it, and that is not kept
    "webhook-claimed",
    "webhook-sent",  # receivers have answered, and that is not kept
)


class UnknownFailpoint(Exception):
    """The folder does not exist, or holds a file whose name is not a failpoint."""


def _pass(name: str) -> None:
    """Unarmed: does nothing."""


def _die_if_asked(name: str) -> None:
    """Armed: kills this process with SIGKILL if a file asks for it."""
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
        raise UnknownFailpoint(f"{VARIABLE} names {folder}, which is not a folder. Unset it: it is for tests only.")
    unknown = sorted({path.name for path in folder.iterdir()} - set(POINTS))
    if unknown:
        raise UnknownFailpoint(f"No such failpoint: {', '.join(unknown)}. The failpoints are: {', '.join(POINTS)}.")


_folder = Path(os.environ.get(VARIABLE, ""))
failpoint: Callable[[str], None] = _pass
if VARIABLE in os.environ:
    _check(_folder)
    failpoint = _die_if_asked
    _say(f"armed by {_folder}. This process will die when told to. Never set this in production.")
