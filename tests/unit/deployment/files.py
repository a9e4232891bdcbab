"""What the tests of the deployment read: the files themselves, parsed, and what the code says they must agree with."""

import ast
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
DEPLOY = CHECKOUT / "deploy"
HANDBOOK = (CHECKOUT / "docs" / "operations.md").read_text()
COMPOSE_TEXT = (CHECKOUT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()
CADDYFILE = (DEPLOY / "Caddyfile").read_text()
ENV_EXAMPLE = (CHECKOUT / ".env.example").read_text()
UNITS = {path.stem.removeprefix("backoffice-"): path.read_text() for path in (DEPLOY / "systemd").glob("*.service")}

ROLES = ("web", "worker", "beat")
ONE_SHOT = ("migrate", "grants")
LONG_RUNNING = tuple(name for name in SERVICES if name not in ONE_SHOT)
WRITTEN = [CHECKOUT / name for name in ("docker-compose.yml", "Dockerfile", ".dockerignore", ".env.example")] + [
    path for path in DEPLOY.rglob("*") if path.is_file() and path.suffix != ".pyc"
]

# The modules that run in production; commands and the embedded servers have addresses of their own.
READERS = [
    path
    for room in ("backoffice", "pos_api")
    for path in (CHECKOUT / room).rglob("*.py")
    if not {"embedded", "management", "simulator"} & set(path.relative_to(CHECKOUT).parts) and path.name != "env.py"
]

VARIABLE = re.compile(r"(?<!\$)\$\{(?P<name>\w+)(?::(?P<kind>[-?])(?P<word>[^}]*))?\}")


@dataclass(frozen=True)
class Documented:
    """A row of one of the handbook's tables of variables."""

    default: str
    readers: frozenset[str]


def without_variables(text: str) -> str:
    """The text with each `${NAME:-default}` replaced by its default, each other variable by its name."""
    return VARIABLE.sub(lambda found: found["word"] if found["kind"] == "-" else found["name"], text)


def compose_variables() -> dict[str, set[tuple[str | None, str | None]]]:
    """For each variable of the compose file, the ways in which it is written: (`-` or `?`, default or message)."""
    lines = "\n".join(line for line in COMPOSE_TEXT.splitlines() if not line.lstrip().startswith("#"))
    found: dict[str, set[tuple[str | None, str | None]]] = {}
    for match in VARIABLE.finditer(lines):
        found.setdefault(match["name"], set()).add((match["kind"], match["word"]))
    return found


def example_variables() -> dict[str, str]:
    """The names of .env.example with what stands there: nothing for those to fill in, the default for the others."""
    return dict(re.findall(r"^#?([A-Z][A-Z_]*)=(.*)$", ENV_EXAMPLE, re.MULTILINE))


def settings_variables() -> dict[str, Any]:
    """What the service reads from the environment, with its defaults: `env.…("NAME")` and `os.environ.get("NAME")`."""
    found = {}
    for path in READERS:
        for call in ast.walk(ast.parse(path.read_text())):
            match call:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="env")),
                    args=[ast.Constant(value=str(name))],
                    keywords=[ast.keyword(arg="default", value=default)],
                ):
                    found[name] = ast.literal_eval(default)
                case ast.Call(
                    func=ast.Attribute(
                        value=ast.Attribute(value=ast.Name(id="os"), attr="environ"), attr="get" | "pop"
                    ),
                    args=[ast.Constant(value=str(name)), default],
                ):
                    found[name] = ast.literal_eval(default)
                case ast.Call(func=ast.Attribute(value=ast.Name(id="env")), args=[ast.Constant(value=str(name)), *_]):
                    found[name] = ...
                case ast.Subscript(
                    value=ast.Attribute(value=ast.Name(id="os"), attr="environ"), slice=ast.Constant(value=str(name))
                ):
                    found[name] = ...
    return found


def documented(after: str) -> dict[str, Documented]:
    """The handbook's table that follows a sentence."""
    table = HANDBOOK[HANDBOOK.index(after) :].split("\n\n")[1]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table.splitlines()[2:]]
    return {
        row[0].strip("| `"): Documented(row[2].strip("`"), frozenset(re.findall(r"\w+", row[3].split(", and in")[0])))
        for row in rows
    }


def command_of(service: str) -> list[str]:
    """A compose service's command with the defaults of its variables."""
    return [without_variables(word) for word in SERVICES[service]["command"]]


def start_of(unit: str) -> list[str]:
    """The last command that a systemd unit runs."""
    return shlex.split(re.findall(r"^ExecStart=(.*)$", UNITS[unit], re.MULTILINE)[-1])


def options(command: list[str]) -> dict[str, str]:
    """The options of a command line, `--name value` and `--name=value` alike; a flag has the value ''.

    Only the words after the program itself, which is `-m module` of Python.
    """
    words = command[command.index("-m") + 2 :]
    found: dict[str, str] = {}
    for position, word in enumerate(words):
        if not word.startswith("--"):
            continue
        name, equals, value = word.partition("=")
        following = words[position + 1] if position + 1 < len(words) else "--"
        takes_it = not equals and name not in FLAGS and not following.startswith("--")
        found[name] = following if takes_it else value
    return found


FLAGS = {
    "--no-ws",
    "--quiet",
    "--respawn-failed-workers",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
}


def seconds(text: str) -> float:
    """A duration such as `2m`, `40s` or `250ms`."""
    number, unit = re.fullmatch(r"(\d+)(ms|s|m|h)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[unit]
