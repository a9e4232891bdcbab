"""`manage.py report NAME --store CODE --from DATE --to DATE [--json | --pdf FILE | --html FILE]`."""

import json
from argparse import RawDescriptionHelpFormatter
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backoffice.books.reports.catalogue import REPORTS, make_report, report_json
from backoffice.books.reports.pdf import PdfNotMade, pdf
from backoffice.books.reports.shape import ReportRefused, Scope, make_scope
from backoffice.management.base import StackCommand, business_date, store_named
from backoffice.management.commands.trial_balance import in_columns
from backoffice.review.reports import paper_of, shown_sheet, today_at

NO_LINKS = {"order": False, "shift": False, "journalentry": False}


class Command(StackCommand):
    help = "One report of the sales and the books, by business day:\n" + "\n".join(
        f"  {kind.name:<20}{kind.intro}" for kind in REPORTS.values()
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """With the names of the reports in lines of their own."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME", help=", ".join(REPORTS))
        parser.add_argument("--store", metavar="CODE", help="only this store")
        parser.add_argument("--from", dest="first", type=business_date, metavar="DATE", help="default: a month back")
        parser.add_argument("--to", dest="last", type=business_date, metavar="DATE", help="default: today")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="one JSON object on stdout, amounts in minor units")
        how.add_argument("--html", type=Path, metavar="FILE", help="write it for A4")
        how.add_argument("--pdf", type=Path, metavar="FILE", help="write it as a PDF")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        if name not in REPORTS:
            raise CommandError(f"There is no report {name}. Reports are: {', '.join(REPORTS)}.")
        try:
            scope = _scope(options, weeks=REPORTS[name].weeks)
            if options["html"]:
                options["html"].write_text(paper_of(name, scope))
            elif options["pdf"]:
                options["pdf"].write_bytes(pdf(paper_of(name, scope)))
            elif options["json"]:
                self.stdout.write(json.dumps(report_json(name, scope, make_report(name, scope)), ensure_ascii=False))
            else:
                self._write_text(name, scope)
        except (ReportRefused, PdfNotMade) as error:
            raise CommandError(str(error)) from None

    def _write_text(self, name: str, scope: Scope) -> None:
        sheets = [shown_sheet(sheet, may=NO_LINKS) for sheet in make_report(name, scope)]
        if not sheets:
            self.stdout.write(f"{REPORTS[name].empty}.")
        for sheet in sheets:
            self.stdout.write(f"\n{sheet.title}, {sheet.currency}")
            heads = [str(column.text) for column in sheet.columns]
            texts = sum(not column.is_figure for column in sheet.columns)
            cells = [[str(cell.text) for cell in row] for row in sheet.rows]
            sums = [["Sum", *(str(cell.text) for cell in sheet.sums[1:])]] if sheet.sums else []
            for line in in_columns([heads, *cells, *sums], texts=texts):
                self.stdout.write(line)


def _scope(options: dict[str, Any], *, weeks: int) -> Scope:
    store = None if options["store"] is None else store_named(options["store"])
    today = today_at(store, timezone.now())
    return make_scope(store=store, first=options["first"], last=options["last"], today=today, weeks=weeks)
