"""Dockerfile and .dockerignore: pinned, complete, and run as somebody who owns nothing."""

import fnmatch
import json
import re
import tomllib

from tests.unit.deployment.files import CHECKOUT, DOCKERFILE, HANDBOOK, SERVICES, command_of, options

IGNORE = [line for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
INSTRUCTIONS = re.sub(r"\\\n\s*", "", DOCKERFILE).splitlines()


def copied() -> list[str]:
    """What the image takes from the checkout."""
    found = []
    for line in INSTRUCTIONS:
        if line.startswith("COPY ") and "--from=" not in line:
            found += line.split()[1:-1]
    return found


def in_context(path: str) -> bool:
    """Whether .dockerignore lets a path through; the last line that matches decides."""
    allowed = True
    for pattern in IGNORE:
        bare = pattern.lstrip("!")
        if fnmatch.fnmatch(path, bare) or path.startswith(bare + "/") or fnmatch.fnmatch("/" + path, bare):
            allowed = pattern.startswith("!")
    return allowed


def test_bases_are_pinned_to_a_whole_version() -> None:
    bases = [line.split()[1] for line in INSTRUCTIONS if line.startswith("FROM ")]
    assert [base for base in bases if ":" in base or "$" in base] == ["${PYTHON_IMAGE}"]
    outside = [line.partition("=")[2] for line in INSTRUCTIONS if line.startswith("ARG PYTHON_IMAGE=")]
    assert len(outside) == 1
    found = re.fullmatch(r"python:(\d+)\.(\d+)\.\d+-slim-\w+", outside.pop())
    assert found
    version = (int(found[1]), int(found[2]))
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert version >= tuple(int(part) for part in project["requires-python"].removeprefix(">=").split("."))
    compiled = re.search(r"--python-version (\S+)", (CHECKOUT / "Makefile").read_text())
    assert compiled
    assert f"{version[0]}.{version[1]}" == compiled[1], "requirements.txt is pinned for another Python"


def test_requirements_are_installed_with_their_hashes_and_none_for_development() -> None:
    for text in (DOCKERFILE, HANDBOOK):
        installs = [
            line for line in re.sub(r"\\\n\s*", "", text).splitlines() if re.search(r"\bpip\b.* install ", line)
        ]
        assert len(installs) == 1
        assert "--require-hashes" in installs[0]
        assert "--only-binary=:all:" in installs[0]
        assert "-r requirements.txt" in installs[0]
    assert "requirements-dev" not in DOCKERFILE


def test_no_program_is_fetched_to_read_the_dockerfile() -> None:
    assert not re.search(r"^#\s*syntax\s*=", DOCKERFILE, re.MULTILINE | re.IGNORECASE)


def test_what_is_copied_exists_and_is_let_through() -> None:
    assert {"requirements.txt", "manage.py", "backoffice", "pos_api"} <= set(copied())
    for path in copied():
        assert (CHECKOUT / path).exists(), path
        assert in_context(path), path


def test_nothing_else_is_let_through() -> None:
    assert IGNORE[0] == "*"
    for path in (
        ".env",
        ".git",
        "var",
        ".venv",
        "tests",
        "docs",
        "requirements-dev.txt",
        "deploy/Caddyfile",
        "clients",
    ):
        assert not in_context(path), path
    assert not in_context("backoffice/__pycache__")


def test_the_image_runs_as_the_user_that_compose_names() -> None:
    user = [line.split()[1] for line in INSTRUCTIONS if line.startswith("USER ")][-1]
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", user)
    for service in SERVICES.values():
        if "build" in service:
            assert service["user"] == user
    after = INSTRUCTIONS[INSTRUCTIONS.index(f"USER {user}") :]
    assert not [line for line in after if line.startswith(("COPY", "ADD", "RUN"))], "the code belongs to root"


def test_signals_reach_the_program() -> None:
    command = json.loads(INSTRUCTIONS[-1].removeprefix("CMD "))
    assert options(command) == options(command_of("web"))
    assert command[-1] == command_of("web")[-1]
    assert "STOPSIGNAL SIGTERM" in INSTRUCTIONS
    health = next(line for line in INSTRUCTIONS if line.startswith("HEALTHCHECK"))
    assert json.loads(health.partition("CMD ")[2]) == SERVICES["web"]["healthcheck"]["test"][1:]


def test_static_files_are_collected_into_the_image() -> None:
    assert "manage.py collectstatic --no-input" in DOCKERFILE
    assert "STATIC_ROOT=/srv/backoffice/static" in DOCKERFILE
    assert DOCKERFILE.index("STATIC_ROOT=") < DOCKERFILE.index("collectstatic")


def test_the_build_targets_of_compose_exist() -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE))
    assert {service["build"]["target"] for service in SERVICES.values() if "build" in service} <= stages
