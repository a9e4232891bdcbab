"""`manage.py doctor`: is this installation all right, and what to do where it is not."""

import json
import sys
from typing import Any

from django.core.management.base import CommandParser

from backoffice.health.doctor import Finding, Verdict, examine
from backoffice.management.base import StackCommand


class Command(StackCommand):
    """Exit code 1 where anything is wrong; what is only odd is told and changes nothing."""

    help = (
        "Examines the settings, PostgreSQL, Redis, worker and beat of this installation, and says in words what is wrong "
        "and what to do. Exit code 1 if anything is."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for finding in examine():
            findings.append(finding)
            if not options["json"]:
                self._say(finding)
        wrong = sum(1 for finding in findings if finding.verdict == Verdict.WRONG)
        if options["json"]:
            self.stdout.write(json.dumps([finding._asdict() for finding in findings], ensure_ascii=False))
        else:
            self.stdout.write("\n" + ("Nothing is wrong." if not wrong else f"Wrong: {wrong}."))
        if wrong:
            sys.exit(1)

    def _say(self, finding: Finding) -> None:
        style = {Verdict.FINE: self.style.SUCCESS, Verdict.ODD: self.style.WARNING, Verdict.WRONG: self.style.ERROR}
        self.stdout.write(f"{style[finding.verdict](finding.verdict)} {finding.about}: {finding.said}")
        if finding.advice:
            self.stdout.write(f"  → {finding.advice}")
        self.stdout.flush()
