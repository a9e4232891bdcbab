"""The memory limits of compose and systemd against the handbook's figures, and those against the code."""

import re

import pytest

from backoffice.gate.gate import ANSWERS, FILES_BODIES, OTHERS_BODIES, TERMINALS_BODIES
from tests.unit.deployment.files import HANDBOOK, SERVICES, UNITS, command_of, options, start_of

UNIT_BYTES = {"m": 2**20, "g": 2**30, "M": 2**20, "G": 2**30}
TABLE = HANDBOOK[HANDBOOK.index("### What memory the limits follow from") :].split("\n\n")[2]
FIGURES = {
    what.strip(): float(number) for what, number in (line.strip("|").rsplit("|", 1) for line in TABLE.splitlines()[2:])
}


def figure(begins: str) -> float:
    """The megabytes of the row that begins so."""
    (found,) = [number for what, number in FIGURES.items() if what.startswith(begins)]
    return found


def megabytes(limit: str) -> float:
    return int(limit[:-1]) * UNIT_BYTES[limit[-1]] / 10**6


def limit_of(service: str) -> float:
    return megabytes(SERVICES[service]["deploy"]["resources"]["limits"]["memory"])


def limit_of_unit(name: str) -> float:
    return megabytes(re.search(r"^MemoryMax=(\S+)$", UNITS[name], re.MULTILINE)[1])  # type: ignore[index]


def web_mb(processes: int) -> float:
    each = ("a web process at rest", "bodies on their way", "answers of one web process", "decoding in one web process")
    return figure("the web server's main process") + processes * sum(figure(name) for name in each)


def worker_mb(processes: int) -> float:
    each = figure("a worker process at rest") + figure("decoding in one worker process")
    return figure("the worker's main process") + processes * each


def test_the_figures_are_those_of_the_code() -> None:
    assert figure("bodies on their way") >= 2 * (TERMINALS_BODIES + OTHERS_BODIES + FILES_BODIES) / 10**6
    assert figure("answers of one web process") >= ANSWERS / 10**6 - 1


def test_caddy_has_memory_for_as_many_connections_as_it_may_open() -> None:
    connections = SERVICES["caddy"]["ulimits"]["nofile"]
    assert f"{connections} open files" in TABLE
    assert figure("Caddy at rest") + connections * figure("each connection to Caddy") < limit_of("caddy")


@pytest.mark.parametrize(
    ("service", "option", "needed"), [("web", "--workers", web_mb), ("worker", "--concurrency", worker_mb)]
)
def test_a_process_has_memory_for_all_that_it_may_hold(service: str, option: str, needed) -> None:
    assert needed(int(options(command_of(service))[option])) < limit_of(service)
    assert needed(int(options(start_of(service))[option])) < limit_of_unit(service)
    assert "OOMPolicy=continue" in UNITS[service]
