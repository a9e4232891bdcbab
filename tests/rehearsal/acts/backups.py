"""The night's backup as cron runs it, a restore of its dump, and one to a moment."""

import re
import time
from pathlib import Path

from tests.rehearsal.handbook import block, sentence
from tests.rehearsal.play import BACKUPS, Play

METRICS = Path("/var/lib/prometheus/node-exporter/backoffice.prom")
CRONTAB = Path("/etc/cron.d/backoffice")
BACKUP = "Backup and restore"
TO_A_MOMENT = "Restore to a moment"
SOLD_BETWEEN = 10


def play(play: Play) -> None:
    archive(play)
    busy(play)
    back_up(play)
    restore_dump(play)
    restore_moment(play)


def archive(play: Play) -> None:
    with play.step("`ARCHIVE_MODE=on`: PostgreSQL is made anew while nobody sells; then one sale") as note:
        with play.selling.still():
            play.set(ARCHIVE_MODE="on")
            play.shell.type(sentence("docker compose up --detach --wait --no-deps postgres"))
        before = len(play.selling.sales)
        play.selling.wait_for_sales(1)
        first = play.selling.sales[before]
        note(f"the first sale {'was posted at once' if first.is_live else 'was refused'}, {first.seconds:.1f} s")
        assert first.is_live, "PostgreSQL was there, and the till was told that it was not"


def busy(play: Play) -> None:
    """The same while the till sells: what it is told once PostgreSQL is there again."""
    with play.step("PostgreSQL is made anew while the till sells") as note:
        play.shell.type(f"{sentence('docker compose up --detach --wait --no-deps postgres')} --force-recreate")
        there = time.time()
        play.selling.wait_for_sales(SOLD_BETWEEN)
        first = next(sale for sale in play.selling.sales if sale.is_live and sale.at >= there)
        note(f"{first.at + first.seconds - there:.1f} s after it was there a sale was posted at once")


def back_up(play: Play) -> None:
    with play.step("A backup from the handbook's block, and one as cron runs it, on one day") as note:
        play.shell.type(block(BACKUP, "/etc/cron.d/backoffice"))
        first = METRICS.stat().st_mtime
        from_cron(play, CRONTAB.read_text())
        assert METRICS.stat().st_mtime > first
        kept = sorted(path.name for path in BACKUPS.iterdir())
        assert len([name for name in kept if name.endswith(".dump")]) == 2, kept
        assert len([name for name in kept if name.startswith("base-")]) == 2, kept
        assert not [name for name in kept if name.endswith(".part")], kept
        play.sql("SELECT pg_switch_wal()")
        note(f"{sum(path.stat().st_size for path in BACKUPS.rglob('*') if path.is_file()) / 1e6:.0f} MB")
        play.shell.type(block(BACKUP, "-mtime"))


def from_cron(play: Play, crontab: str) -> None:
    """Runs the line of a crontab as cron does: with hardly an environment, by sh, from the home of its user."""
    (line,) = crontab.splitlines()
    *_, user, command = line.split(maxsplit=6)
    assert user == "root"
    home = play.shell.environment["HOME"]
    play.shell.type(f"cd {home} && env -i HOME={home} SHELL=/bin/sh PATH=/usr/bin:/bin sh -c '{command}'")


def restore_dump(play: Play) -> None:
    dump = max(BACKUPS.glob("*.dump"))
    with play.step("The dump is restored; the till sends again what it had sold since"):
        play.selling.wait_for_sales(SOLD_BETWEEN)
        play.shell.type(block("Restore a dump", "RENAME TO", **{"THE.dump": dump.name}))
        play.selling.wait_for_sales(SOLD_BETWEEN)
        settled(play)
        play.shell.type(block("Restore a dump", "DROP DATABASE"))


def restore_moment(play: Play) -> None:
    play.shell.type("/opt/backoffice/deploy/backup.sh")
    base = max(BACKUPS.glob("base-*")).name.removeprefix("base-")
    play.selling.wait_for_sales(SOLD_BETWEEN)
    moment = play.sql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')")
    play.selling.wait_for_sales(SOLD_BETWEEN)
    with play.step("Restored to a moment; the till sends again what it had sold since") as note:
        play.shell.type(block(TO_A_MOMENT, "recovery.signal", MOMENT=base, **{"YYYY-MM-DD HH:MM:SS": moment}))
        logs = play.shell.type("docker compose logs postgres")
        found = re.search(r"recovery stopping before commit of transaction \d+, time (\S+ [\d:]+)", logs)
        assert found, "the log does not say that recovery stopped at a moment"
        note(f"stopped at the first change after {moment[-8:]}")
        assert "recovery_target_time" not in play.sql("SELECT string_agg(name, ' ') FROM pg_file_settings")
        play.selling.wait_for_sales(SOLD_BETWEEN)
        settled(play)
        play.shell.type(block(TO_A_MOMENT, "rm -r"))


def settled(play: Play) -> None:
    """Until every order that the till has sold is in the tables again."""
    deadline = time.monotonic() + 60
    while True:
        with play.selling.still():
            sold, there = len(play.selling.sales), int(play.sql("SELECT count(*) FROM sales_order"))
        if sold == there:
            return
        assert time.monotonic() < deadline, f"{sold} were sold, {there} are there"
        play.selling.wait_for_sales(3)
