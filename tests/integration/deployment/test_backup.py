"""deploy/backup.sh on a plain host, against a PostgreSQL of this test's own: whole, or not there, and Prometheus hears of it.

Only `runuser` is another: this machine's PostgreSQL has no user of its own to become.
"""

import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.integration.deployment.production import BINARIES, CHECKOUT, Production

PASSWORD = "superuser-of-this-test"


@dataclass(frozen=True)
class Host:
    """A plain host: its checkout, the folder of its backups, and what its cron gives a script."""

    checkout: Path
    backups: Path
    metrics: Path
    environment: dict[str, str]

    @property
    def script(self) -> Path:
        return self.checkout / "deploy" / "backup.sh"

    def back_up(self, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.script)],
            cwd="/",
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def kept(self) -> list[str]:
        return sorted(path.name for path in self.backups.iterdir())

    def finished(self) -> float | None:
        """When the newest backup was whole, as Prometheus reads it."""
        try:
            text = (self.metrics / "backoffice.prom").read_text()
        except FileNotFoundError:
            return None
        found = re.search(r"^backoffice_backup_finished_seconds (\d+)$", text, re.MULTILINE)
        assert found, text
        return float(found[1])


@pytest.fixture
def host(production: Production, tmp_path: Path) -> Iterator[Host]:
    with psycopg.connect(production.superuser) as connection:
        connection.execute(f"ALTER ROLE postgres PASSWORD '{PASSWORD}'")
    host = Host(
        checkout=tmp_path / "checkout",
        backups=tmp_path / "backups",
        metrics=tmp_path / "metrics",
        environment={
            "PATH": f"{tmp_path}/bin:{BINARIES}:{os.defpath}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(urlsplit(production.superuser).port),
            "PGPASSWORD": PASSWORD,
            "BACKUP_DIR": str(tmp_path / "backups"),
            "TEXTFILE_DIR": str(tmp_path / "metrics"),
        },
    )
    for folder in (host.script.parent, host.backups, host.metrics, tmp_path / "bin"):
        folder.mkdir(parents=True)
    shutil.copy(CHECKOUT / "deploy" / "backup.sh", host.script)
    stand_in = tmp_path / "bin" / "runuser"
    stand_in.write_text('#!/bin/sh\nshift 3\nexec "$@"\n')
    stand_in.chmod(0o755)
    yield host
    shutil.rmtree(host.backups)


def test_two_on_one_day_stand_side_by_side_and_each_is_whole(host: Host) -> None:
    before = int(time.time())
    assert host.back_up().returncode == 0
    (first,) = host.backups.glob("*.dump")
    deadline = time.monotonic() + 30
    while len(list(host.backups.glob("*.dump"))) == 1:  # a second later it has a name of its own
        assert time.monotonic() < deadline
        done = host.back_up()
        assert done.returncode == 0, done.stderr
    assert first.exists()
    dumps, bases = sorted(host.backups.glob("*.dump")), sorted(host.backups.glob("base-*"))
    assert len(host.kept()) == len(dumps) + len(bases)
    for dump in dumps:
        listed = subprocess.run([str(BINARIES / "pg_restore"), "--list", str(dump)], capture_output=True, check=True)
        assert b"TABLE DATA public ledger_journalline" in listed.stdout
    for base in bases:
        with tarfile.open(base / "base.tar.gz") as archive:
            assert "backup_label" in archive.getnames()
        assert (base / "pg_wal.tar.gz").is_file()
    assert before <= (host.finished() or 0) <= time.time()


def test_what_fails_leaves_nothing_that_looks_like_a_backup(host: Host) -> None:
    done = host.back_up(PGPASSWORD="another")
    assert done.returncode != 0
    assert "password authentication failed" in done.stderr, "cron mails it"
    assert [name for name in host.kept() if not name.endswith(".part")] == []
    assert host.finished() is None


def test_what_a_night_left_unfinished_is_gone_after_the_next(host: Host) -> None:
    (host.backups / "backoffice-2026-01-01T000000Z.dump.part").write_text("half a dump")
    (host.backups / "base-2026-01-01T000000Z.part").mkdir()
    (host.backups / "wal").mkdir()
    (host.backups / "wal" / "0001.part").write_text("being archived")
    assert host.back_up().returncode == 0
    assert [name for name in host.kept() if name.endswith(".part")] == []
    assert (host.backups / "wal" / "0001.part").exists(), "it is PostgreSQL's"


def test_a_second_one_at_the_same_time_leaves_the_first_alone(host: Host) -> None:
    with host.script.open() as held:
        flock(held, LOCK_EX | LOCK_NB)
        done = host.back_up()
    assert done.returncode != 0
    assert "Another backup is at work" in done.stderr
    assert host.kept() == []


def test_without_prometheus_it_backs_up_all_the_same(host: Host) -> None:
    host.metrics.rmdir()
    assert host.back_up().returncode == 0
    assert len(host.kept()) == 2
