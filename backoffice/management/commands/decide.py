"""`manage.py decide VERB … --as PERSON --reason CODE`: head office decides (docs/decisions.md)."""

from argparse import SUPPRESS
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from backoffice.books.deciding import DecisionReport, Proposal, decide
from backoffice.books.importing import import_cache
from backoffice.books.people import find_person
from backoffice.books.refusals import NotDecided
from backoffice.domain import json_values
from backoffice.domain.cache_files import MAX_FILE_BYTES
from backoffice.domain.decisions import Verb
from backoffice.management.deciding import DecidingCommand

HELD = "BATCH_ID:INDEX, BATCH_ID:movements:INDEX, or an order id that is held once"


class Command(DecidingCommand):
    help = "Decides what is left to people. Prints one JSON object. Exit code 0 done, 3 waits for a second person, 1 refused."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        held = {"metavar": "HELD", "help": HELD}
        self._verb(verbs, Verb.POST, "posts a held order as it was sent", **held)
        correct = self._verb(verbs, Verb.CORRECT, "posts a corrected version of a held order", **held)
        _json_file(correct, "order", "ORDER.json")
        discard = self._verb(verbs, Verb.DISCARD, "puts a held order into no book", **held)
        discard.add_argument("--duplicate-of", metavar="ORDER_ID", help="the order of which it is a duplicate")
        move = self._verb(verbs, Verb.MOVE, "posts a held order to another shift of its store", **held)
        move.add_argument("--to", required=True, metavar="SHIFT_ID")
        self._add_others(verbs)

    def _add_others(self, verbs: Any) -> None:
        """The verbs about posted orders, missing numbers, shifts and safes."""
        order, shift, store = {"metavar": "ORDER_ID"}, {"metavar": "SHIFT_ID"}, {"metavar": "STORE"}
        self._verb(verbs, Verb.VOID, "reverses a posted order", **order)
        retender = self._verb(verbs, Verb.RETENDER, "moves amounts between an order's payment methods", **order)
        _json_file(retender, "payments", "PAYMENTS.json")
        explain = self._verb(verbs, Verb.EXPLAIN, "says that missing numbers never were a sale", **shift)
        explain.add_argument("numbers", metavar="NUMBERS", help="such as 1021 or 1021-1023")
        enter = self._verb(verbs, Verb.ENTER, "enters a missing order from its paper receipt", **shift)
        _json_file(enter, "order", "ORDER.json")
        recount = self._verb(verbs, Verb.RECOUNT, "counts a closed shift again", **shift)
        _json_file(recount, "counts", "COUNTS.json")
        self._verb(verbs, Verb.END, "ends a shift that its terminal will not close", **shift)
        self._verb(verbs, Verb.APPROVE, "approves a shift", **shift)
        count = self._verb(verbs, Verb.COUNT_SAFE, "counts the safe of a store", **store)
        count.add_argument("amount", type=int, metavar="AMOUNT", help="minor units")
        bank = self._verb(verbs, Verb.BANK, "brings cash from the safe to the bank", **store)
        _slip(bank, is_needed=True)
        received = self._verb(verbs, Verb.BANK_RECEIVED, "says that the bank has cash that was on its way", **store)
        _slip(received, is_needed=True)
        change = self._verb(verbs, Verb.BANK_CHANGE, "brings change from the bank to the safe", **store)
        _slip(change, is_needed=False)
        lock = self._verb(verbs, Verb.LOCK, "locks the books of a store through a date", **store)
        lock.add_argument("date", metavar="DATE", help="the last locked day, such as 2026-03-31")
        unlock = self._verb(verbs, Verb.UNLOCK, "opens the books of a store again, from a date on", **store)
        unlock.add_argument("date", metavar="DATE", help="the first open day, such as 2026-03-15")
        self._verb(verbs, Verb.IMPORT_CACHE, "takes in what a terminal could not send any more", metavar="FILE")

    def _verb(self, verbs: Any, verb: Verb, what: str, **subject: Any) -> CommandParser:
        """The parser of one verb, with its subject and what every decision has."""
        parser: CommandParser = verbs.add_parser(verb.value, help=what, description=what)
        parser.add_argument("subject", **subject)
        parser.add_argument("--as", dest="person", required=True, metavar="PERSON", help="who decides: a login")
        parser.add_argument("--reason", required=True, metavar="CODE", help="see `manage.py reasons`")
        parser.add_argument("--note", default="", metavar="TEXT")
        parser.add_argument("--agreed-by", metavar="PERSON", help="the second person, who agrees at once")
        # Behind the verb too; manage.py has read its value.
        parser.add_argument("--data-dir", default=SUPPRESS, metavar="DIR", help=SUPPRESS)
        return parser

    def handle(self, *args: Any, **options: Any) -> None:
        self.answer(lambda: self._decide(options), said=options)

    def _decide(self, options: dict[str, Any]) -> DecisionReport:
        agreed_by = None if options["agreed_by"] is None else find_person(options["agreed_by"])
        if options["verb"] == Verb.IMPORT_CACHE.value:
            return import_cache(
                _read_bytes(Path(options["subject"])),
                person=find_person(options["person"]),
                reason=options["reason"],
                note=options["note"],
                agreed_by=agreed_by,
                now=timezone.now(),
            )
        proposal = Proposal(
            verb=Verb(options["verb"]),
            subject=options["subject"],
            person=find_person(options["person"]),
            reason=options["reason"],
            note=options["note"],
            arguments=_arguments(options),
            agreed_by=agreed_by,
        )
        return decide(proposal, now=timezone.now())


def _slip(parser: CommandParser, *, is_needed: bool) -> None:
    """What is said of cash between the safe and the bank."""
    parser.add_argument("amount", type=int, metavar="AMOUNT", help="minor units")
    parser.add_argument("--slip", required=is_needed, metavar="TEXT", help="the number of its slip")
    parser.add_argument("--date", required=True, metavar="DATE", help="such as 2026-03-01")


def _json_file(parser: CommandParser, name: str, metavar: str) -> None:
    parser.add_argument("--file", required=True, type=Path, metavar=metavar)
    parser.set_defaults(file_holds=name)


def _arguments(options: dict[str, Any]) -> dict[str, Any]:
    """What the verb was told beside its subject."""
    names = ("duplicate_of", "to", "numbers", "amount", "slip", "date")
    told = {name: options[name] for name in names if options.get(name) is not None}
    if options.get("file") is not None:
        holds = "movement" if ":movements:" in options["subject"] else options["file_holds"]
        told[holds] = _read(options["file"])
    return told


def _read(path: Path) -> Any:
    """The value of a file. Raises NotDecided."""
    try:
        return json_values.parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotDecided("unreadable-file", f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise NotDecided("unreadable-file", f"{path} is no JSON: {error}") from None


def _read_bytes(path: Path) -> bytes:
    """All of a file, or enough of it to see that it is too large. Raises NotDecided."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise NotDecided("unreadable-file", f"{path} cannot be read: {error.strerror}") from None
