"""Runs what an operator types, in a terminal as an operator has one, and keeps all that is said in one log."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

PATIENCE_S = 600.0
SHOWN_LINES = 40


class CommandError(Exception):
    """A command failed or did not end; the message has what it said last."""


def run(command: Sequence[str], *, stdin: IO[Any] | int | None = subprocess.DEVNULL) -> str:
    """What a program of ours says on standard output. Raises CommandError."""
    done = subprocess.run(command, stdin=stdin, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    if done.returncode != 0:
        raise CommandError(f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


class Shell:
    """An operator's shell. Each text is run by a new bash that stops at the first error; `folder` is where it starts."""

    def __init__(self, log: Path, *, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = dict(environment)
        self._log = log.open("ab")

    def type(self, text: str, *, answers: Mapping[str, str] | None = None, patience_s: float = PATIENCE_S) -> str:
        """What is said in the terminal. `answers` are given where a prompt of them is shown. Raises CommandError."""
        self._log.write(f"\n--- {time.strftime('%H:%M:%S')}\n{text}\n---\n".encode())
        ours, theirs = pty.openpty()
        bash = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder if self.folder.exists() else "/",
            env=self.environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        try:
            said = self._listen(ours, dict(answers or {}), patience_s)
            code = bash.wait(patience_s)
        except (subprocess.TimeoutExpired, TimeoutError):
            bash.kill()
            raise CommandError(f"not done after {patience_s:g} s:\n{text}") from None
        finally:
            os.close(ours)
        if code != 0:
            raise CommandError(f"exit code {code}:\n{text}\n---\n{last_lines(said)}")
        return said

    def fails(self, text: str) -> str:
        """What is said by a command that must fail."""
        try:
            said = self.type(text)
        except CommandError as error:
            return str(error)
        raise CommandError(f"this was to fail:\n{text}\n---\n{last_lines(said)}")

    def _listen(self, terminal: int, answers: dict[str, str], patience_s: float) -> str:
        deadline = time.monotonic() + patience_s
        said, seen = "", 0
        while True:
            if not select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise TimeoutError
            part = b""
            with suppress(OSError):  # the last of them has closed it
                part = os.read(terminal, 65536)
            if not part:
                return said
            self._log.write(part)
            self._log.flush()
            said += part.decode(errors="replace").replace("\r\n", "\n")
            for prompt, answer in answers.items():
                if prompt in said[seen:]:
                    seen = len(said)
                    os.write(terminal, answer.encode() + b"\n")
                    break


def last_lines(said: str) -> str:
    return "\n".join(said.splitlines()[-SHOWN_LINES:])
