"""`manage.py conformance`: a Back Office that misbehaves on purpose, and reports which rules a terminal broke."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.workbench.conformance.notes import ConformanceReport
from backoffice.workbench.conformance.office import Office
from backoffice.workbench.conformance.scenario import instructions
from backoffice.workbench.conformance.server import Listener, as_json, listening

POLL_S = 0.2
# A run is over when its last step is done and nothing more arrives; with --once, also when the terminal falls silent.
QUIET_S = 3.0
SILENT_S = 15 * 60.0


class Command(BaseCommand):
    help = "Tests a terminal: plays a Back Office that misbehaves on purpose, and reports the rules it broke."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--listen", default="8100", metavar="[HOST:]PORT", help="default: 8100, this machine only")
        parser.add_argument("--report", type=Path, metavar="FILE", help="also write the report as JSON")
        parser.add_argument(
            "--seed", type=int, default=1, metavar="N", help="decides the order of the mishaps; default: 1"
        )
        parser.add_argument("--once", action="store_true", help="stop after one run instead of starting the next")
        parser.add_argument(
            "--silence",
            type=float,
            default=SILENT_S,
            metavar="SECONDS",
            help="with --once, the run also ends when the terminal sends nothing for so long; default: 900",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serves run after run until Ctrl-C or SIGTERM. Raises CommandError if a terminal did not pass."""
        host, _, port = options["listen"].rpartition(":")
        if not port.isdecimal():
            raise CommandError(f"{options['listen']!r} is not a port")
        passed, seed = True, options["seed"]
        try:
            with (
                told_to_end() as is_told,
                listening(host or "127.0.0.1", int(port), Office(seed=seed)) as listener,
            ):
                goes_on = True
                while goes_on:
                    listener.office = Office(seed=seed)
                    silent_s = options["silence"] if options["once"] else float("inf")
                    report = self._run(listener, is_told, silent_s=silent_s)
                    self._publish(report, options["report"])
                    passed = passed and report.passed
                    goes_on, seed = not options["once"] and not is_told.is_set(), seed + 1
        except OSError as error:
            raise CommandError(str(error)) from error
        if not passed:
            raise CommandError("The terminal did not pass.")

    def _run(self, listener: Listener, is_told: threading.Event, *, silent_s: float) -> ConformanceReport:
        """One run, until it is over, the terminal is silent for `silent_s`, or somebody ends it."""
        office = listener.office
        self._tell(instructions(office.floor, listener.address))
        left = len(office.steps_left)
        while not self._is_over(office, silent_s) and not is_told.wait(POLL_S):
            if len(office.steps_left) < left:
                left = len(office.steps_left)
                self._tell(f"{left} steps left.")
        return office.report()

    def _tell(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()

    def _is_over(self, office: Office, silent_s: float) -> bool:
        quiet_s = time.monotonic() - office.last_at
        return quiet_s > silent_s or (quiet_s > QUIET_S and not office.steps_left)

    def _publish(self, report: ConformanceReport, path: Path | None) -> None:
        self.stdout.write(report.as_text())
        if path is not None:
            path.write_text(as_json(report.as_json()))
            self.stdout.write(f"The report is in {path}.")


@contextmanager
def told_to_end() -> Iterator[threading.Event]:
    """What is set by Ctrl-C and SIGTERM. A shell that starts a command in the background has it ignore Ctrl-C."""
    is_told = threading.Event()
    before = {number: signal.signal(number, lambda *_: is_told.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield is_told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
