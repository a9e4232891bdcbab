"""What the commands that decide share: one JSON object on stdout, and an exit code that says what became of it."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError, CommandParser
from django.db import Error as DatabaseRefusal
from django.utils import timezone

from backoffice.books.deciding import DecisionReport
from backoffice.books.people import find_person
from backoffice.books.refusals import NotDecided
from backoffice.domain.decisions import DecisionState
from backoffice.domain.json_values import find_uncarriable
from backoffice.management.base import StackCommand

WAITS = 3


class ToldRefusal(CommandError):
    """A refusal that is on stdout already."""


class DecidingCommand(StackCommand):
    """Exit code 0 done, 3 waits for a second person, 1 refused, with words on stderr. Whatever was typed, stdout is JSON."""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """One that raises CommandError for words that it does not know, where argparse would end the process."""
        self._called_from_command_line = False
        return super().create_parser(prog_name, subcommand, **kwargs)

    def run_from_argv(self, argv: list[str]) -> None:
        try:
            super().run_from_argv(argv)
        except CommandError as error:  # of the parser: what was run has ended the process by itself
            self.refuse("usage", str(error).removeprefix("Error: "))
            self.stderr.write(str(error))
            sys.exit(error.returncode)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Runs it, where there is something to run it on."""
        try:
            return super().execute(*args, **options)
        except ToldRefusal:
            raise
        except CommandError as error:
            self.refuse("not-running", str(error))
            raise

    def answer(self, decide: Callable[[], DecisionReport], *, said: Mapping[str, Any]) -> None:
        """Decides, and prints the report. `said` is what was typed. Raises CommandError with the words of a refusal."""
        try:
            _check_typed(said)
            report = decide()
        except NotDecided as refusal:
            self.refuse(refusal.code, refusal.detail, refusal.errors)
            places = [f"{error['pointer'] or '/'}: {error['detail']} ({error['code']})" for error in refusal.errors]
            raise ToldRefusal("\n".join([refusal.detail, *places])) from None
        except DatabaseRefusal as error:
            detail = f"The database refused it, and nothing has changed: {str(error).partition(chr(10))[0]}"
            self.refuse("database", detail)
            raise ToldRefusal(detail) from error
        shown: dict[str, Any] = report._asdict() | {"state": report.state.value}
        self.stdout.write(json.dumps(shown, default=str, ensure_ascii=False))
        if report.state == DecisionState.WAITING:
            sys.exit(WAITS)

    def refuse(self, code: str, detail: str, errors: Iterable[Mapping[str, Any]] = ()) -> None:
        """Prints a refusal, for programs. In ASCII: what was typed may be what no terminal can show."""
        refused = {"state": "refused", "code": code, "detail": detail, "errors": list(errors)}
        self.stdout.write(json.dumps(refused))


def _check_typed(said: Mapping[str, Any]) -> None:
    """Raises NotDecided where something typed holds what no table can, such as bytes that are no UTF-8."""
    for name, text in said.items():
        if isinstance(text, str) and (found := find_uncarriable(text)):
            raise NotDecided("cannot-be-kept", f"{name}: {found[1]}")


class AnsweringCommand(DecidingCommand):
    """Answers a request of somebody else, or withdraws one's own."""

    answering: Callable[..., DecisionReport]

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("decision_id", type=UUID, metavar="DECISION_ID")
        parser.add_argument("--as", dest="person", required=True, metavar="PERSON")

    def handle(self, *args: Any, **options: Any) -> None:
        def answered() -> DecisionReport:
            how = {"note": options["note"]} if "note" in options else {}
            person = find_person(options["person"])
            return type(self).answering(options["decision_id"], person=person, now=timezone.now(), **how)

        self.answer(answered, said=options)
