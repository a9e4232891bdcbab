"""`manage.py verify_books`: derives the books again from what the tills sent, and compares (backoffice/audit)."""

import json
import os
import sys
import time
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser

from backoffice.audit.anchors import MOST_BYTES, AnchorRefused
from backoffice.audit.findings import AuditReport
from backoffice.audit.run import audit
from backoffice.audit.snapshot import one_snapshot
from backoffice.audit.text_report import lines_of, waiting_in_words
from backoffice.management.base import StackCommand, positive
from backoffice.management.progress import ProgressBar


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
        parser.add_argument(
            "--processes",
            type=positive,
            default=len(os.sched_getaffinity(0)),
            metavar="N",
            help="that share the work, where there is much (default: one for each processor)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        anchor = None if options["anchor"] is None else read_anchor_file(options["anchor"])
        began = time.monotonic()
        with ProgressBar("orders and seals", stream=sys.stderr) as bar, one_snapshot():
            try:
                report = audit(progress=bar.show, anchor=anchor, processes=options["processes"])
            except AnchorRefused as error:
                raise CommandError(str(error)) from None
            except BrokenProcessPool:
                raise CommandError("A process of the audit was ended: was there enough memory?") from None
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
            if report.waiting.batches:
                self.stderr.write(waiting_in_words(report.waiting), self.style.NOTICE)
        else:
            for line in lines_of(report):
                self.stdout.write(line)
            self.stderr.write(_cost(report, seconds=time.monotonic() - began), self.style.NOTICE)
        if report.difference_count:
            sys.exit(1)


def _cost(report: AuditReport, *, seconds: float) -> str:
    """What it took, in words."""
    orders = sum(store.figures.orders + store.figures.unpaid for store in report.stores)
    return (
        f"{orders:,} orders in {seconds:,.1f} s, {orders / max(seconds, 0.001):,.0f} a second, "
        f"with {report.peak_bytes / 2**20:,.0f} MiB at most."
    )


def read_anchor_file(path: Path) -> str:
    """The text of an anchor's file. Raises CommandError."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The anchor {path} cannot be read: {error}") from None
