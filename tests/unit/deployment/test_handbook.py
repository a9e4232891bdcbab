"""docs/operations.md: what it names exists, so that its commands work at night."""

import re

import pytest
from django.urls import Resolver404, resolve

from tests.unit.deployment.files import CHECKOUT, COMPOSE, DEPLOY, HANDBOOK, SERVICES, UNITS

HEALTH_CODE = "".join(
    (CHECKOUT / path).read_text() for path in ("pos_api/views/health.py", "backoffice/health/readiness.py")
)
COMPOSE_COMMANDS = re.findall(
    r"docker compose (exec|logs|ps|restart|rm|run|stop|up)((?: +(?:--?[\w-]+(?:=\S+)?|\d+m|\d+|[a-z]+))*)", HANDBOOK
)
# What deploy/backup.sh tells Prometheus is called like a volume.
OF_A_BACKUP = {"backup_finished_seconds"}
NO_SERVICE = {"python", "psql", "manage", "sh", "pg"}


def anchor(heading: str) -> str:
    """The name that a heading is reached by."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_its_links_lead_somewhere() -> None:
    headings = {anchor(heading) for heading in re.findall(r"^#+ (.*)$", HANDBOOK, re.MULTILINE)}
    linked = set(re.findall(r"\]\(#([^)]+)\)", HANDBOOK))
    assert linked
    assert linked <= headings


def test_the_cases_of_a_bad_night_are_there() -> None:
    headings = re.findall(r"^### (.*)$", HANDBOOK[HANDBOOK.index("## At night") :], re.MULTILINE)
    assert headings[:6] == [
        "Uploads get 503",
        "Orders wait",
        "A batch is failed",
        "Redis is down",
        "Disk full",
        "Terminal lost or credential stolen",
    ]


def test_the_files_that_it_names_exist() -> None:
    for path in set(re.findall(r"\b(?:deploy|docs)/[\w./-]*\w", HANDBOOK)):
        assert (CHECKOUT / path).exists(), path
    assert (CHECKOUT / ".env.example").is_file()


def test_the_services_that_it_names_exist() -> None:
    named = set()
    for verb, words in COMPOSE_COMMANDS:
        plain = [word for word in words.split() if re.fullmatch(r"[a-z]+", word)]
        named |= {plain[0]} if verb in {"exec", "run"} else set(plain) - NO_SERVICE
    assert {"web", "worker", "postgres", "valkey", "migrate", "grants"} <= named
    assert named <= SERVICES.keys()


def test_it_always_waits_until_what_it_starts_is_well() -> None:
    starts = re.findall(r"docker compose up\b([^`&#|\n]*)", HANDBOOK)
    assert len(starts) >= 10
    assert all({"--detach", "--wait"} <= set(words.split()) for words in starts), starts


def test_the_backup_from_cron_needs_no_folder_and_has_no_percent_sign() -> None:
    (line,) = re.findall(r"^printf '(.*)\\n' > /etc/cron\.d/backoffice$", HANDBOOK, re.MULTILINE)
    *times, user, command = line.split()
    assert len(times) == 5
    assert user == "root"
    assert "%" not in line
    script = CHECKOUT / command.removeprefix("/opt/backoffice/")
    assert script == DEPLOY / "backup.sh"
    assert script.stat().st_mode & 0o111, "cron must be able to run it"


def test_what_a_restore_leaves_behind_is_dropped_in_the_end() -> None:
    for put_aside, dropped in (
        ("RENAME TO backoffice_broken", "DROP DATABASE backoffice_broken"),
        ("mv /data/18/docker /data/18/broken", "rm -r /var/lib/postgresql/18/broken"),
    ):
        assert HANDBOOK.index(put_aside) < HANDBOOK.index(dropped)


def test_the_units_that_it_names_exist() -> None:
    named = set(re.findall(r"\bbackoffice-([a-z]+)\b(?!\.dump)", re.sub(r"`[^`]*\$[^`]*`", "", HANDBOOK))) - {"upgrade"}
    assert named == set(UNITS)


def test_the_volumes_and_networks_that_it_names_exist() -> None:
    without_metrics = re.sub(r"\| question \| metric \|.*?\n\n", "", HANDBOOK, flags=re.DOTALL)
    names = set(re.findall(rf"\b{COMPOSE['name']}_([a-z_]+)\b", without_metrics)) - {"owner", "broken", *OF_A_BACKUP}
    assert names
    assert names <= COMPOSE["volumes"].keys() | COMPOSE["networks"].keys()


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
def test_it_names_the_probes_that_exist(path: str) -> None:
    try:
        resolve(path)
    except Resolver404:
        assert f"| `{path}` |" not in HANDBOOK
    else:
        assert f"| `{path}` |" in HANDBOOK


def test_what_it_quotes_of_readyz_is_what_readyz_says() -> None:
    table = HANDBOOK[HANDBOOK.index("| what `/readyz` says |") :].split("\n\n")[0].splitlines()[2:]
    assert len(table) >= 5
    for row in table:
        quoted = re.findall(r"`([^`]+)`", row.split(" | ")[0])[0]
        core = quoted.strip("… ").replace('"broker": "', "").rstrip('"').strip("… ")
        assert core in HEALTH_CODE, quoted


def test_seven_days_are_what_terminals_keep() -> None:
    assert "Keep restores within seven days" in HANDBOOK
