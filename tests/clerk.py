"""Commands of a running Back Office in one process that stays: for what a test needs first, and does not look at.

Python and Django take longer to start than a store to be made, and nearly every journey needs a store and a till.
"""

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from select import select
from typing import Self

CHECKOUT = Path(__file__).resolve().parent.parent


class Clerk:
    """Starts at the first command. Each has a connection of its own to the database, so a server may be killed in between."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._send_away()

    def does(self, command: str, *args: str, timeout_s: float = 120) -> str:
        """What the command printed; fails the test if it failed."""
        process = self._process or self._come()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([command, *args]) + "\n")
        process.stdin.flush()
        in_time, *_ = select([process.stdout], [], [], timeout_s)
        line = process.stdout.readline() if in_time else ""
        if not line:
            self._send_away()  # the next command starts another
        assert line, f"{command} was not answered within {timeout_s:g} s, or its process has ended"
        answer = json.loads(line)
        assert answer["failed"] is None, f"{command} failed: {answer['failed']}\n{answer['printed']}"
        return str(answer["printed"])

    def _come(self) -> subprocess.Popen[str]:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.clerk"],
            env={**os.environ, **self._environment},
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self._process

    def _send_away(self) -> None:
        if self._process is not None:
            with self._process:  # closes its standard input, at whose end it ends
                self._process.kill()
            self._process = None


def serve() -> None:
    """A command a line, as a JSON array of its words; what it printed, and how it failed, on a line as well."""
    import django  # noqa: PLC0415 - by the process that serves alone

    os.environ["DJANGO_SETTINGS_MODULE"] = "backoffice.settings"
    django.setup()
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    for line in sys.stdin:
        printed, failed = io.StringIO(), None
        try:
            with redirect_stdout(printed):  # `shell` prints past what it is given
                call_command(*json.loads(line), stdout=printed)
        except (SystemExit, Exception) as error:  # noqa: BLE001 - whoever asked fails by it
            failed = repr(error)
        connections.close_all()
        print(json.dumps({"printed": printed.getvalue(), "failed": failed}), flush=True)


if __name__ == "__main__":
    serve()
