"""`manage.py doctor`: whether this installation is all right, and what to do if it is not."""

import json
import sys
from typing import Any

from django.core.management.base import CommandParser

from backoffice.health.doctor import Condition, Diagnosis, examine
from backoffice.management.base import StackCommand


class Command(StackCommand):
    help = (
        "Examines the settings, PostgreSQL, Redis, worker and beat of this installation, and says what is wrong and what "
        "to do. Exit code 1 if anything is wrong; what is only odd is reported and does not count."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="one JSON document on stdout and nothing else")

    def handle(self, *args: Any, **options: Any) -> None:
        diagnoses = []
        for diagnosis in examine():
            diagnoses.append(diagnosis)
            if not options["json"]:
                self._say(diagnosis)
        wrong = sum(1 for diagnosis in diagnoses if diagnosis.verdict == Condition.WRONG)
        if options["json"]:
            self.stdout.write(json.dumps([diagnosis._asdict() for diagnosis in diagnoses], ensure_ascii=False))
        else:
            self.stdout.write("\n" + ("Nothing is wrong." if not wrong else f"Wrong: {wrong}."))
        if wrong:
            sys.exit(1)

    def _say(self, diagnosis: Diagnosis) -> None:
        style = {
            Condition.FINE: self.style.SUCCESS,
            Condition.ODD: self.style.WARNING,
            Condition.WRONG: self.style.ERROR,
        }
        self.stdout.write(f"{style[diagnosis.verdict](diagnosis.verdict)} {diagnosis.about}: {diagnosis.said}")
        if diagnosis.advice:
            self.stdout.write(f"  → {diagnosis.advice}")
        self.stdout.flush()
