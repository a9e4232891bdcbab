"""`manage.py up`: the whole service on this machine, until Ctrl-C."""

import argparse
import signal
import sys
import threading
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser

from backoffice.env import DEFAULT_DATA_DIR
from backoffice.management.base import positive
from backoffice.workbench.embedded import StackError
from backoffice.workbench.embedded.stack import Stack

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
HIGHEST_PORT = 65_535
READY = """
Back Office is ready.
  Console  {base_url}/console/
  API      {base_url}/api/v1/  (described at {base_url}/api/docs/)
  Data     {data_dir}
To log in for the first time: manage.py createsuperuser, in another terminal. The console then has you set up a second
factor: an app on your phone, or a passkey (for which the address must begin with http://localhost or https://).
Ctrl-C stops it.
"""


class Command(BaseCommand):
    help = (
        "Runs web, worker and beat until Ctrl-C, with a private PostgreSQL and Valkey unless DATABASE_URL and REDIS_URL "
        "are set."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=port, default=8000, help="the web server's port, 0 for any free one (default: 8000)"
        )
        parser.add_argument(
            "--data-dir", default=DEFAULT_DATA_DIR, metavar="DIR", help="where to keep data (default: var)"
        )
        parser.add_argument("--workers", type=positive, default=3, metavar="N", help="worker processes (default: 3)")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Starts the stack, prints its addresses, and stops it on the first signal. Raises CommandError."""
        stack = Stack(options["data_dir"], port=options["port"], workers=options["workers"], log=sys.stdout)
        for number in STOP_SIGNALS:
            signal.signal(number, self._interrupt)
        try:
            self.stdout.write("Starting Back Office ...")
            stack.start()
            self.stdout.write(self.style.SUCCESS(READY.format(base_url=stack.base_url, data_dir=stack.data_dir)))
            self.stdout.flush()
            threading.Event().wait()
        except KeyboardInterrupt:
            pass
        except StackError as error:
            raise CommandError(str(error)) from error
        finally:
            stack.stop()
        self.stdout.write("Stopped.")

    def _interrupt(self, *_: Any) -> NoReturn:
        for number in STOP_SIGNALS:
            signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C would leave part of it running
        self.stdout.write("\nStopping Back Office ...")
        raise KeyboardInterrupt


def port(text: str) -> int:
    """An argparse type: a TCP port, or 0. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) > HIGHEST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to {HIGHEST_PORT}")
    return int(text)
