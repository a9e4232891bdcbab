"""`manage.py verify_books`: derives the books again from what the tills sent, and compares (backoffice/audit)."""

import json
import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from backoffice.audit.anchors import MOST_BYTES, AnchorRefused
from backoffice.audit.run import audit, one_snapshot
from backoffice.audit.text_report import lines_of, waiting_in_words
from backoffice.management.base import StackCommand

QUIET_S = 2.0
SHOW_EVERY_S = 0.5


class Command(StackCommand):
    help = (
        "Derives the books again from the stored bytes and compares them with the tables. Exit code 1 if they differ."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout and nothing else")
        parser.add_argument(
            "--anchor", type=Path, metavar="FILE", help="a checkpoint kept elsewhere: today's books must continue it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        progress = ProgressLine()
        anchor = None if options["anchor"] is None else read_anchor_file(options["anchor"])
        try:
            with one_snapshot():
                report = audit(progress=progress.show, anchor=anchor)
        except AnchorRefused as error:
            raise CommandError(str(error)) from None
        progress.clear()
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
            if report.waiting.batches:
                self.stderr.write(waiting_in_words(report.waiting), self.style.NOTICE)
        else:
            for line in lines_of(report):
                self.stdout.write(line)
        if report.difference_count:
            sys.exit(1)


def read_anchor_file(path: Path) -> str:
    """The text of an anchor's file. Raises CommandError."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The anchor {path} cannot be read: {error}") from None


class ProgressLine:
    """One line on stderr, once an audit takes long, and only on a terminal."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._next = self._started + QUIET_S
        self._shown = False

    def show(self, done: int, total: int) -> None:
        now = time.monotonic()
        if now < self._next or not sys.stderr.isatty():
            return
        self._next = now + SHOW_EVERY_S
        self._shown = True
        per_second = done / (now - self._started)
        sys.stderr.write(f"\r{done:,} of {total:,} orders, {per_second:,.0f} a second ")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r\033[K")
