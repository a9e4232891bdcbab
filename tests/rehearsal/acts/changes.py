"""Secrets, versions, and everything down and up again."""

import secrets

from tests.rehearsal.handbook import block, sentence
from tests.rehearsal.play import NAME, Play
from tests.rehearsal.versions import NEW, NEWER, OLD, make_new_version, make_newer_version

ROLES = {
    "POSTGRES_PASSWORD": "postgres",
    "DATABASE_OWNER_PASSWORD": "backoffice_owner",
    "DATABASE_PASSWORD": "backoffice",
}
SECRETS = (*ROLES, "VALKEY_PASSWORD", "SECRET_KEY")
REFUSED = "password authentication failed"
SALES_AFTERWARDS = 5
VERSION = "docker compose exec -T web python -c \"import backoffice; print(hasattr(backoffice, 'REHEARSED'))\""


def play(play: Play) -> None:
    change_secrets(play)
    upgrade(play)
    go_back(play)
    change_caddys_file(play)
    down_and_up(play)


def change_secrets(play: Play) -> None:
    with play.step("All passwords and `SECRET_KEY` are changed") as note:
        before = {name: play.setting(name) for name in SECRETS}
        play.set(**{name: secrets.token_hex(32) for name in SECRETS})
        play.shell.type(block("Settings", "10-roles.sql"))
        for name, role in ROLES.items():
            log_in = "docker compose exec -T --env PGPASSWORD={} postgres psql --host 127.0.0.1 --username {} --command 'SELECT 1' {}"
            database = "postgres" if role == "postgres" else "backoffice"
            assert REFUSED in play.shell.fails(log_in.format(before[name], role, database)), role
            play.shell.type(log_in.format(play.setting(name), role, database))
        ping = "docker compose exec -T --env REDISCLI_AUTH={} valkey valkey-cli ping"
        assert "PONG" not in play.shell.type(ping.format(before["VALKEY_PASSWORD"]) + " || true")
        assert "PONG" in play.shell.type(ping.format(play.setting("VALKEY_PASSWORD")))
        play.selling.wait_for_sales(SALES_AFTERWARDS)
        note("no old one is taken")


def upgrade(play: Play) -> None:
    make_new_version(play.work / "repository")
    with play.step("Upgrade to the next version, with a migration") as note:
        play.shell.type(block("Upgrades", "git fetch", THE_NEW_VERSION=NEW, THE_OLD_VERSION=OLD))
        assert play.shell.type(VERSION).strip() == "True"
        assert play.sql("SELECT to_regclass('rehearsed')") == "rehearsed"
        play.selling.wait_for_sales(SALES_AFTERWARDS)
        note("Caddy stayed")
        none_was_refused(play)


def go_back(play: Play) -> None:
    with play.step("And back, without migrating back"):
        play.shell.type(sentence("git checkout THE-OLD-VERSION && ", THE_OLD_VERSION=OLD))
        assert play.shell.type(VERSION).strip() == "False"
        assert play.sql("SELECT to_regclass('rehearsed')") == "rehearsed"
        play.selling.wait_for_sales(SALES_AFTERWARDS)
        play.shell.type(block("Health", "doctor").split("\n")[0])
        none_was_refused(play)


def none_was_refused(play: Play) -> None:
    """By a closed door: a 503 says when to come back."""
    assert play.watch is not None
    seen = play.watch.since(play.began)
    assert "refused" not in seen.answers, f"Caddy was away: {seen}"


def change_caddys_file(play: Play) -> None:
    make_newer_version(play.work / "repository")
    (reload,) = [
        line
        for line in block("Upgrades", "git fetch", THE_NEW_VERSION=NEWER, THE_OLD_VERSION=OLD).splitlines()
        if "git diff" in line
    ]
    with play.step("An upgrade that changes Caddy's file: the step for it"):
        play.shell.type(f"git fetch && git checkout {NEWER}")
        play.shell.type(reload)
        play.wait_until_well("caddy")
        assert "x-rehearsed: yes" in play.shell.type(f"curl --silent --include https://{NAME}/livez | cat").lower()
        play.selling.wait_for_sales(SALES_AFTERWARDS)


def down_and_up(play: Play) -> None:
    with play.step("Everything down; a folder for backups that is missing stops the start; up again") as note:
        play.shell.type("docker compose down")
        said = play.shell.fails("BACKUP_DIR=/var/backups/nobodys docker compose up --detach --wait postgres")
        assert "bind source path does not exist" in said, said
        play.shell.type("docker compose up --detach --wait")
        play.selling.wait_for_sales(SALES_AFTERWARDS)
        note("data as before")
