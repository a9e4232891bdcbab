"""What a run measured, for a program to read: the `--json FILE` of the benchmarks, the storm and the chaos run.

A file holds one JSON object of one run: `command`, `began_at`, `duration_s`, `commit` and `is_changed` (whether tracked
files differ from it), `machine`, `options`, `is_complete` (nothing that was sent is missing in the books: else the figures
mean nothing), and `figures`: numbers by row and name. A name ends with its unit (`orders_per_s`, `accept_p99_ms`); what has
none is a count or a ratio. `python -m tests.bench.compare` puts such files side by side.
"""

import argparse
import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

CHECKOUT = Path(__file__).resolve().parents[2]
DECIMALS = 4


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--json FILE`."""
    parser.add_argument(
        "--json", type=_new_file, metavar="FILE", help="put the figures there too, for tests.bench.compare"
    )


def _new_file(text: str) -> Path:
    """A path that can be written: said before the run, not after it."""
    path = Path(text)
    if path.is_dir() or not os.access(path.parent, os.W_OK):
        raise argparse.ArgumentTypeError(f"{text!r} cannot be written")
    return path


class Run:
    """One run of a command, from its start; without `--json` nothing is written."""

    def __init__(self, command: str, options: argparse.Namespace) -> None:
        self._file: Path | None = options.json
        self._began = time.monotonic()
        self._about: dict[str, Any] = {
            "command": command,
            "began_at": datetime.now(UTC).isoformat(timespec="seconds"),
            **_commit(),
            "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
            "options": {name: _plain(value) for name, value in vars(options).items() if name != "json"},
        }
        if self._file is not None:
            self._file.unlink(missing_ok=True)  # a run that breaks off must not leave another one's figures

    def note_postgresql(self, database_url: str) -> None:
        """Takes down its version, while it runs."""
        with psycopg.connect(database_url) as connection:
            row = connection.execute("SHOW server_version").fetchone()
        self._about["machine"]["postgresql"] = row[0] if row else None

    def write(self, figures: Mapping[str, Any], *, is_complete: bool) -> None:
        """Ends the run."""
        if self._file is None:
            return
        ended = {"duration_s": time.monotonic() - self._began, "is_complete": is_complete, "figures": figures}
        self._file.write_text(json.dumps(_plain({**self._about, **ended}), indent=2) + "\n")


def _commit() -> dict[str, Any]:
    """Of the checkout that runs; None where it is none of git's."""
    commit, changes = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "is_changed": None if changes is None else bool(changes)}


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _plain(value: Any) -> Any:
    """As JSON can say it, without digits that no clock has."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return round(value, DECIMALS)
    return value if value is None or isinstance(value, str | int) else str(value)
