"""Every variable: what the code reads, what compose and systemd give, and what the handbook says are one list."""

import os
import re
import subprocess
import sys

import pytest

from tests.unit.deployment.files import (
    CHECKOUT,
    COMPOSE_TEXT,
    DOCKERFILE,
    ENV_EXAMPLE,
    HANDBOOK,
    ROLES,
    SERVICES,
    UNITS,
    VARIABLE,
    WRITTEN,
    compose_variables,
    documented,
    example_variables,
    settings_variables,
)

READ = documented("What the service reads.")
ASKED = documented("What compose reads from")
IN_THE_IMAGE = dict(re.findall(r"\b([A-Z_]+)=(\S+)", " ".join(re.findall(r"^ENV (.*)$", DOCKERFILE, re.MULTILINE))))
MUST_BE_SET = "must be set"
# Without these a plain host runs well on their defaults, or its unit sets them.
MAY_BE_LEFT_OUT = {
    "BACKOFFICE_ROLE",
    "DATABASE_POOL_SIZE",
    "LOG_LEVEL",
    "WEB_THREADS",
    "BODY_TIMEOUT_S",
    "ANSWER_TIMEOUT_S",
    "METRICS_DIR",
    "SEAL_KEY_FILE",
} | {
    "REQUESTS_PER_SECOND",
    "REQUESTS_BURST",
    "CORS_ALLOWED_ORIGINS",
    "SECRET_KEY_BEFORE",
    "SECOND_FACTOR",
    "SESSION_IDLE_MINUTES",
    "SESSION_HOURS",
    "ASK_AGAIN_MINUTES",
    "SILENT_AFTER_MINUTES",
    "EMAIL_URL",
    "MAIL_FROM",
    "PING_URL",
    "WEBHOOKS_ALLOW_INTERNAL",
    "TIMESTAMP_URL",
    "TIMESTAMP_CA_FILE",
}
SECRET = re.compile(r"(PASSWORD|SECRET|TOKEN|_KEY)")


def handbook_file(name: str) -> set[str]:
    """The variables of the file that the handbook tells to write on a plain host."""
    return set(re.findall(r"^([A-Z_]+)=", HANDBOOK[HANDBOOK.index(f"`{name}`, for") :].split("```")[1], re.MULTILINE))


def test_the_handbook_lists_what_settings_read() -> None:
    assert READ.keys() == settings_variables().keys()


def test_the_handbook_tells_the_defaults() -> None:
    for name, default in settings_variables().items():
        told = READ[name].default
        if name == "SECRET_KEY":
            assert told == "a word that must not be used"
        elif default in (None, []):
            assert told.startswith("none"), name
        else:
            assert told == (",".join(default) if isinstance(default, list) else str(default)), name


@pytest.mark.parametrize("service", [*ROLES, "migrate"])
def test_compose_gives_each_service_what_it_reads_and_nothing_else(service: str) -> None:
    given = SERVICES[service]["environment"].keys()
    reads = {name for name, row in READ.items() if service in row.readers}
    assert reads - IN_THE_IMAGE.keys() <= given
    assert given <= reads
    assert SERVICES[service]["environment"]["BACKOFFICE_ROLE"] == ("command" if service == "migrate" else service)


@pytest.mark.parametrize("role", ROLES)
def test_systemd_gives_each_role_what_it_reads(role: str) -> None:
    assert f"Environment=BACKOFFICE_ROLE={role} " in UNITS[role]
    assert "EnvironmentFile=/etc/backoffice/backoffice.env" in UNITS[role]
    reads = {name for name, row in READ.items() if role in row.readers}
    given = handbook_file("/etc/backoffice/backoffice.env")
    assert reads - MAY_BE_LEFT_OUT <= given
    assert given <= READ.keys()


def test_migrations_on_a_plain_host_have_what_django_and_psql_read() -> None:
    assert "EnvironmentFile=/etc/backoffice/owner.env" in UNITS["migrate"]
    given = handbook_file("/etc/backoffice/owner.env")
    assert given == {"DATABASE_URL", "PGHOST", "PGUSER", "PGDATABASE", "PGPASSWORD"}


@pytest.mark.parametrize(("name", "promised"), [("REQUESTS_PER_SECOND", 50), ("REQUESTS_BURST", 200)])
def test_no_role_starts_with_less_than_the_protocol_promises(name: str, promised: int) -> None:
    def started(value: int) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "import backoffice.settings"]
        environment = {**os.environ, name: str(value)}
        return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)

    assert started(promised).returncode == 0
    refused = started(promised - 1)
    assert refused.returncode != 0
    said = f"ImproperlyConfigured: {name} is {promised - 1}, and the protocol promises terminals {promised}"
    assert said in refused.stderr
    assert "never below 50 requests/s with bursts of 200" in (CHECKOUT / "docs" / "terminal-protocol.md").read_text()


@pytest.mark.parametrize("origin", ["*", "null", "till.example", "https://till.example/", "https://TILL.example"])
def test_no_role_starts_with_an_origin_that_is_none(origin: str) -> None:
    def started(origins: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "import backoffice.settings"]
        environment = {**os.environ, "CORS_ALLOWED_ORIGINS": origins}
        return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)

    assert started("https://till.example,http://127.0.0.1:8080,capacitor://localhost").returncode == 0
    refused = started(f"https://till.example,{origin}")
    assert refused.returncode != 0
    assert f"CORS_ALLOWED_ORIGINS has {origin!r}" in refused.stderr


def test_compose_asks_for_what_the_example_and_the_handbook_explain() -> None:
    assert compose_variables().keys() == example_variables().keys() == ASKED.keys()
    for name in example_variables():
        before = ENV_EXAMPLE[: re.search(rf"^#?{name}=", ENV_EXAMPLE, re.MULTILINE).start()]  # type: ignore[union-attr]
        assert before.endswith("\n"), name


def test_a_missing_variable_stops_compose_with_words() -> None:
    for name, ways in compose_variables().items():
        assert len(ways) == 1, f"{name} is written in several ways: {ways}"
        kind, word = next(iter(ways))
        if ASKED[name].default == MUST_BE_SET:
            assert kind == "?", name
            assert name in (word or ""), name
            assert example_variables()[name] == "", name
        else:
            default = ASKED[name].default
            assert (kind, word) == ("-", "" if default == "none" else default), name
            assert example_variables()[name] == word, name


def test_the_handbook_tells_who_gets_a_variable() -> None:
    for name, row in ASKED.items():
        getting = {service for service, how in SERVICES.items() if re.search(rf"\$\{{{name}\b", str(how))}
        if name == "BACKOFFICE_DOMAIN":
            getting = {"caddy"}  # the others have it inside their own variables, which the row names too
        assert getting == row.readers, name


def test_the_development_defaults_do_not_reach_production() -> None:
    for role in ROLES:
        environment = SERVICES[role]["environment"]
        assert VARIABLE.fullmatch(environment["SECRET_KEY"])
        assert environment["BASE_URL"].startswith("https://")
        assert "127.0.0.1" in environment["ALLOWED_HOSTS"].split(","), "the health check's own name"
        assert "*" not in environment["ALLOWED_HOSTS"]


def test_no_secret_stands_in_a_file() -> None:
    for service, how in SERVICES.items():
        for name, value in how.get("environment", {}).items():
            if SECRET.search(name):
                assert VARIABLE.fullmatch(value), f"{service}: {name}"
    for path in WRITTEN:
        text = path.read_text()
        assert not re.search(r"://[^:/@\s]*:(?!\$\{)[^@\s]+@", text), f"{path.name}: a password in an address"
        assert not re.search(r"\b[0-9a-f]{24,}\b", text), f"{path.name}: looks like a key"
        for line in re.sub(r":'\w+'", "$", VARIABLE.sub("$", text)).splitlines():
            literal = re.search(r"(?:PASSWORD|SECRET_KEY|requirepass)['\"]?[ \t]*[=: ][ \t]*(?![$:])(\S+)", line)
            assert literal is None or line.lstrip().startswith(("#", "--")), f"{path.name}: {line}"
    assert "env_file" not in COMPOSE_TEXT
