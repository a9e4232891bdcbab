"""Migrates the database. Asking Django takes two seconds, so an embedded database is asked first."""

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import psycopg

from backoffice.workbench.embedded import StackError
from backoffice.workbench.embedded.log import Log

MANAGE = "manage.py"
APPLIED = "SELECT app, name FROM django_migrations ORDER BY app, name"


class Migrations:
    """The migrations of the code in `checkout`; the file `record` remembers the state after the last success."""

    def __init__(self, checkout: Path, *, record: Path) -> None:
        self._checkout = checkout
        self._record = record

    def apply(self, environment: Mapping[str, str], *, log: Log) -> None:
        """Runs `manage.py migrate`. Raises StackError, with Django's output in the log."""
        done = subprocess.run(  # noqa: S603 - our own words
            [sys.executable, MANAGE, "migrate", "--no-input", "--skip-checks"],
            env=environment,
            cwd=self._checkout,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            for line in (done.stdout + done.stderr).splitlines():
                log.say("stack", line)
            raise StackError("The database could not be migrated. The log has Django's output.")

    def apply_if_needed(self, database_url: str, environment: Mapping[str, str], *, log: Log) -> None:
        """As `apply`, but only if the code's or the database's migrations have changed since the last success."""
        if self._record.exists() and self._record.read_text() == self._fingerprint(database_url):
            return
        self.apply(environment, log=log)
        self._record.write_text(self._fingerprint(database_url))

    def _fingerprint(self, database_url: str) -> str:
        """Digest of our migrations' names, of what decides about other packages' migrations, and of those applied."""
        names = sorted(
            str(path.relative_to(self._checkout))
            for package in ("backoffice", "pos_api")
            for path in self._checkout.glob(f"{package}/**/migrations/*.py")
        )
        choices = [(self._checkout / name).read_text() for name in ("requirements.txt", "backoffice/settings.py")]
        with psycopg.connect(database_url, connect_timeout=5, require_auth="scram-sha-256") as connection:
            applied = connection.execute(APPLIED).fetchall() if has_migrations_table(connection) else []
        return hashlib.sha256(repr((names, choices, applied)).encode()).hexdigest()


def has_migrations_table(connection: psycopg.Connection) -> bool:
    """Whether Django has ever migrated this database."""
    row = connection.execute("SELECT to_regclass('django_migrations') IS NOT NULL").fetchone()
    return bool(row and row[0])
