"""Every command of compose, the image and systemd is one that exists, with the options that `manage.py up` uses too."""

import importlib
import io
import re
from pathlib import Path

import pytest
from celery.app.utils import find_app
from celery.bin.beat import beat as beat_command
from celery.bin.worker import worker as worker_command
from click import Command, Context
from django.core.management import get_commands, load_command_class
from granian.cli import cli as granian_command

from backoffice.workbench.embedded.log import Log
from backoffice.workbench.embedded.roles import RoleOptions, role_child
from tests.unit.deployment.files import CHECKOUT, HANDBOOK, ROLES, SERVICES, UNITS, command_of, options, start_of

COMMANDS: dict[str, Command] = {"web": granian_command, "worker": worker_command, "beat": beat_command}
# What differs on purpose: addresses, sizes, folders, and how long an end may take.
OF_ITS_OWN = {"--host", "--port", "--workers", "--concurrency", "--schedule", "--workers-kill-timeout"}
IN_PRODUCTION_ONLY = {"--respawn-failed-workers"}


def production(role: str) -> list[list[str]]:
    return [command_of(role), start_of(role)]


@pytest.mark.parametrize("role", ROLES)
def test_production_starts_a_role_as_development_does(role: str) -> None:
    tried = RoleOptions(port=8000, workers=2, data_dir=Path("/var/lib/backoffice"))
    developed = options(list(role_child(role, tried, log=Log(io.StringIO()), environment={}).command))
    for command in production(role):
        words = options(command)
        assert words.keys() - developed.keys() <= IN_PRODUCTION_ONLY
        assert developed.keys() <= words.keys()
        same = words.keys() & developed.keys() - OF_ITS_OWN
        assert {name: words[name] for name in same} == {name: developed[name] for name in same}


@pytest.mark.parametrize("role", ROLES)
def test_compose_and_systemd_start_a_role_alike(role: str) -> None:
    compose, systemd = (options(command) for command in production(role))
    for name in ("--host", "--schedule"):
        compose.pop(name, None)
        systemd.pop(name, None)
    assert compose == systemd


@pytest.mark.parametrize("role", ROLES)
def test_the_program_takes_these_options(role: str) -> None:
    for command in production(role):
        words = command[command.index("-m") + 1 :]
        module, *words = words
        assert module == ("granian" if role == "web" else "celery")
        if role != "web":
            assert words[0] == "--app=backoffice"
            words = words[words.index(role) + 1 :]
        with Context(COMMANDS[role]) as context:
            _, left, _ = COMMANDS[role].make_parser(context).parse_args(words)
        assert left == []


def test_granian_serves_an_application_that_exists() -> None:
    for command in production("web"):
        module, name = command[-1].split(":")
        interface = options(command)["--interface"]
        assert callable(getattr(getattr(importlib.import_module(module), name), f"__{interface}__"))
        assert module == f"backoffice.{interface}"


def test_celery_finds_its_application_and_beat_sends_tasks_that_exist() -> None:
    app = find_app("backoffice")
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in app.conf.beat_schedule.values()}
    assert scheduled
    assert scheduled <= set(app.tasks)


def test_migrations_are_a_command_with_these_options() -> None:
    first = UNITS["migrate"].split("ExecStart=")[1].splitlines()[0].split()
    for words in (command_of("migrate")[1:], first[1:]):
        assert words[0] == "manage.py"
        command = load_command_class(get_commands()[words[1]], words[1])
        command.create_parser("manage.py", words[1]).parse_args(words[2:])


def test_every_management_command_of_the_handbook_exists() -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", HANDBOOK)) | set(
        re.findall(r"^bo ([a-z_]+)", HANDBOOK, re.MULTILINE)
    )
    assert {"create_store", "issue_activation_code"} <= named
    assert named <= set(get_commands())


def test_health_checks_ask_the_script_that_is_in_the_image() -> None:
    for role in ROLES:
        assert SERVICES[role]["healthcheck"]["test"] == ["CMD", "python", "deploy/healthcheck.py", role]
    assert (CHECKOUT / "deploy" / "healthcheck.py").is_file()
