"""From an empty machine to a till that sells: "Install with compose", and what is to be seen afterwards."""

import re
from pathlib import Path

from tests.rehearsal.handbook import block, sentence
from tests.rehearsal.play import BACKUPS, INSTALLED, NAME, Play
from tests.rehearsal.versions import OLD
from tests.unit.deployment.files import LONG_RUNNING, ONE_SHOT

NET_BIND_SERVICE = 1 << 10
PASSWORD = "rehearsal-of-this-handbook"
# The operator's editor: fills in what is empty, as the comments of `.env.example` say.
EDITOR = """#!/bin/sh -eu
sed -i "s/^BACKOFFICE_DOMAIN=$/BACKOFFICE_DOMAIN={name}/; s/^SECRET_KEY=$/SECRET_KEY=$(openssl rand -hex 48)/" "$1"
for name in POSTGRES_PASSWORD DATABASE_OWNER_PASSWORD DATABASE_PASSWORD VALKEY_PASSWORD; do
    sed -i "s/^$name=$/$name=$(openssl rand -hex 32)/" "$1"
done
"""


def play(play: Play) -> None:
    install(play)
    people(play)
    look_around(play)


def install(play: Play) -> None:
    editor = play.work / "bin" / "editor"
    editor.parent.mkdir(exist_ok=True)
    editor.write_text(EDITOR.format(name=NAME))
    editor.chmod(0o755)
    source = play.work / "repository"
    with play.step("Install: clone, folder, `.env`, first `up`") as note:
        said = play.shell.type(
            block("Install with compose", "git clone", URL_OF_THIS_REPOSITORY=f"--branch {OLD} file://{source}")
        )
        note(in_seconds(said))
        assert (INSTALLED / ".env").stat().st_mode & 0o777 == 0o600
        assert BACKUPS.stat().st_uid == 999
        for service in LONG_RUNNING:
            assert play.container(service, "{{.State.Health.Status}}") == "healthy", service
        for service in ONE_SHOT:
            assert play.container(service, "{{.State.ExitCode}}") == "0", service


def in_seconds(said: str) -> str:
    """What compose says of the containers that it waited for."""
    return f"{len(set(re.findall(r'Container (backoffice-[a-z]+)[-0-9]* +Healthy', said)))} healthy"


def people(play: Play) -> None:
    answers = {
        "Username": "claire",
        "Email address:": "claire@example.com",
        "Password:": PASSWORD,
        "Password (again):": PASSWORD,
    }
    with play.step("A console user, a store, an activation code"):
        said = play.shell.type(block("Install with compose", "createsuperuser"), answers=answers)
        assert "Superuser created successfully" in said, said
        code = said.split()[-1]
    root = "/data/caddy/pki/authorities/local/root.crt"
    play.trust(play.shell.type(f"docker compose exec -T caddy cat {root}"))
    with play.step("A till is activated, opens its shift and sells through TLS"):
        play.start_selling(code)
    with play.step("From outside: `/livez` answers, `/readyz` is 404"):
        play.shell.type(sentence("curl -fsS https://YOUR-NAME/livez", YOUR_NAME=NAME))
        said = play.shell.type(sentence("curl -i https://YOUR-NAME/readyz", YOUR_NAME=NAME))
        assert re.search(r"^HTTP/\S+ 404", said, re.MULTILINE), said


def look_around(play: Play) -> None:
    with play.step("`doctor`, `/readyz`, the first look at night"):
        play.shell.type(block("Health", "doctor").split("\n")[0])
        said = play.shell.type(block("Health", "readyz").split("\n")[0])
        assert '"ready": true' in said or '"ready":true' in said, said
        play.shell.type(block("At night", "docker compose ps"))
    with play.step("Nobody is root, Caddy alone has a capability, nothing complains in the logs") as note:
        for service in LONG_RUNNING:
            status = Path("/proc", play.container(service, "{{.State.Pid}}"), "status").read_text()
            facts = dict(re.findall(r"^(\w+):\s+(.*)$", status, re.MULTILINE))
            assert facts["Uid"].split()[0] != "0", service
            has = int(facts["CapPrm"], 16) | int(facts["CapEff"], 16)
            assert has == (NET_BIND_SERVICE if service == "caddy" else 0), f"{service}: {has:x}"
        note("`NET_BIND_SERVICE` is Caddy's")
        assert "Operation not permitted" not in play.shell.type("docker compose logs postgres")
        assert "admin.api" not in play.shell.type("docker compose logs caddy")
