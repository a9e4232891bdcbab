"""`manage.py export NAME --store CODE --from DATE --to DATE --out DIR`: writes what was not sent before (docs/exports.md)."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backoffice.books.exports.jobs import RunReport, export_to_folder, repeat_run
from backoffice.books.exports.planning import StoreDays
from backoffice.books.exports.profiles import find_profile
from backoffice.books.exports.refusals import NotExported
from backoffice.management.base import StackCommand, business_date, positive, store_named


class Command(StackCommand):
    help = "Writes what a profile was not sent before of a store's days. Prints one JSON object."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("name", metavar="NAME", help="of the profile")
        parser.add_argument("--store", metavar="CODE")
        parser.add_argument("--from", dest="first", type=business_date, metavar="DATE", help="the first business date")
        parser.add_argument("--to", dest="last", type=business_date, metavar="DATE", help="the last business date")
        parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="a folder, made where there is none")
        parser.add_argument("--again", type=positive, metavar="RUN", help="write an earlier run once more instead")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answer = self._repeat(options) if options["again"] else self._export(options)
        except NotExported as refusal:
            raise CommandError(str(refusal)) from None
        except OSError as error:
            raise CommandError(f"{options['out']} cannot be written: {error.strerror}") from None
        self.stdout.write(json.dumps({"profile": options["name"]} | answer, ensure_ascii=False))

    def _export(self, options: dict[str, Any]) -> dict[str, Any]:
        missing = [name for name in ("store", "first", "last") if options[name] is None]
        if missing:
            raise CommandError("Say which days of which store: --store CODE --from DATE --to DATE.")
        span = StoreDays(store_named(options["store"]), options["first"], options["last"])
        report = export_to_folder(find_profile(options["name"]), span, options["out"], now=timezone.now())
        return {
            "store": options["store"],
            "from": str(span.first),
            "to": str(span.last),
            **(_in_json(report.new) if report.new is not None else {"run": None, "revisions": [], "files": []}),
            "resumed": [_in_json(each) for each in report.resumed],
        }

    def _repeat(self, options: dict[str, Any]) -> dict[str, Any]:
        report = repeat_run(find_profile(options["name"]), options["again"], options["out"], now=timezone.now())
        run = report.run
        days = {"from": str(run.first_day), "to": str(run.last_day)}
        return {"store": run.names["store"][0], **days, **_in_json(report), "resumed": []}


def _in_json(report: RunReport) -> dict[str, Any]:
    """A run, its revisions with what they move in minor units, and its files."""
    revisions = [
        {
            "reference": revision.reference,
            "date": str(revision.business_date),
            "after": revision.after,
            "upto": revision.upto,
            "entries": revision.entry_count,
            "debit": sum(each.debit for each in sums),
            "credit": sum(each.credit for each in sums),
        }
        for revision, sums in report.days
    ]
    return {
        "run": report.run.number,
        "currency": report.run.currency,
        "revisions": revisions,
        "files": [file._asdict() for file in report.files],
    }
