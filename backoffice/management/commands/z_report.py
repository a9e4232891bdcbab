"""`manage.py z_report SHIFT_ID [--revision N] [--json | --html a4|80mm | --pdf FILE]`."""

import json
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backoffice.books.refusals import NotDecided
from backoffice.books.reports.pdf import PdfNotMade, pdf
from backoffice.books.shifts import find_shift
from backoffice.ingestion.till_reports import TillReport, report_of_shift, z_report
from backoffice.languages.formats import money
from backoffice.management.base import StackCommand, positive
from backoffice.review.till_report import PAPERS, report_html


class Command(StackCommand):
    help = "The Z of a shift as it was kept, the newest revision or that of a number; an X while it has none."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("shift", metavar="SHIFT_ID")
        parser.add_argument("--revision", type=positive, metavar="N", help="that revision of its Z, not the newest")
        form = parser.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help="one JSON object on stdout, amounts in minor units")
        form.add_argument("--html", choices=list(PAPERS), help="a page to print, for this paper")
        form.add_argument("--pdf", type=Path, metavar="FILE", help="the page as a PDF for A4, in this file")

    def handle(self, *args: Any, **options: Any) -> None:
        report = read_report(options["shift"], revision=options["revision"])
        if options["json"]:
            self.stdout.write(json.dumps(msgspec.to_builtins(report), ensure_ascii=False))
        elif options["html"]:
            self.stdout.write(report_html(report, paper=options["html"]))
        elif options["pdf"]:
            write_pdf(report, options["pdf"])
        else:
            self.stdout.write(in_one_line(report))


def read_report(name: str, *, revision: int | None) -> TillReport:
    """The report of the shift of this identifier. Raises CommandError."""
    try:
        shift = find_shift(name)
    except NotDecided as refusal:
        raise CommandError(refusal.detail) from None
    if revision is None:
        return report_of_shift(shift, now=timezone.now())
    report = z_report(shift, revision=revision)
    if report is None:
        raise CommandError(f"Of the Z of shift {shift.number}, {shift.z_revision or 'no'} revisions are kept.")
    return report


def write_pdf(report: TillReport, path: Path) -> None:
    """The page for A4 as a file. Raises CommandError."""
    try:
        path.write_bytes(pdf(report_html(report)))
    except (PdfNotMade, OSError) as error:
        raise CommandError(str(error)) from None


def in_one_line(report: TillReport) -> str:
    """What it is, and what was sold."""
    name = "X" if report.kind == "x" else f"Z {report.z_number}, revision {report.revision}"
    net = money(report.figures["net"], report.currency)
    return f"{name} of shift {report.shift['number']}, {report.terminal['name']}, {report.store['name']}: net {net}"
