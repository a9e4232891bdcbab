"""What the commands that decide share: one JSON object on stdout, and an exit code that says what became of it."""

import json
import sys
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from backoffice.books.deciding import DecisionReport
from backoffice.books.people import find_person
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import DecisionState
from backoffice.management.base import StackCommand

WAITS = 3


class DecidingCommand(StackCommand):
    """Exit code 0 done, 3 waits for a second person, 1 refused, with words on stderr."""

    def answer(self, decide: Callable[[], DecisionReport]) -> None:
        """Decides, and prints the report. Raises CommandError with the words of a refusal."""
        try:
            report = decide()
        except NotDecided as refusal:
            refused = {"state": "refused", "code": refusal.code, "detail": refusal.detail, "errors": refusal.errors}
            self.stdout.write(json.dumps(refused, ensure_ascii=False))
            places = [f"{error['pointer'] or '/'}: {error['detail']} ({error['code']})" for error in refusal.errors]
            raise CommandError("\n".join([refusal.detail, *places])) from None
        shown: dict[str, Any] = report._asdict() | {"state": report.state.value}
        self.stdout.write(json.dumps(shown, default=str, ensure_ascii=False))
        if report.state == DecisionState.WAITING:
            sys.exit(WAITS)


class AnsweringCommand(DecidingCommand):
    """Answers a request of somebody else, or withdraws one's own."""

    answering: Callable[..., DecisionReport]
    note_is_required = False

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("decision_id", type=UUID, metavar="DECISION_ID")
        parser.add_argument("--as", dest="person", required=True, metavar="PERSON")

    def handle(self, *args: Any, **options: Any) -> None:
        def answered() -> DecisionReport:
            how = {"note": options["note"]} if "note" in options else {}
            person = find_person(options["person"])
            return type(self).answering(options["decision_id"], person=person, now=timezone.now(), **how)

        self.answer(answered)
