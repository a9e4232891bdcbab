"""docs/reliability.md and docs/threat-model.md say where each thing is shown: those tests exist, and no row is without one."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from backoffice.failpoints import POINTS
from tests.unit.docs.documents import CHECKOUT, rows, section

RELIABILITY = CHECKOUT / "docs" / "reliability.md"
THREATS = CHECKOUT / "docs" / "threat-model.md"
NAMED = re.compile(r"`((?:tests|clients)/[\w/]+\.py)::(?:\w+::)?(\w+)`")


@cache
def shown_in(path: str) -> frozenset[str]:
    """The test functions of a file, read rather than run; one that is marked to be skipped shows nothing."""
    functions = [
        node
        for node in ast.walk(ast.parse((CHECKOUT / path).read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    return frozenset(function.name for function in functions if not is_skipped(function))


def is_skipped(function: ast.FunctionDef) -> bool:
    return any(re.search(r"\.(skip|xfail|skipif)\b", ast.unparse(mark)) for mark in function.decorator_list)


def evidence(path: Path) -> list[list[str]]:
    """The rows whose table ends in a column "shown by"."""
    found, shown = [], False
    for row in rows(path.read_text()):
        if row[-1] == "shown by":
            shown = True
        elif row[-1] == "the process has":
            shown = False
        elif shown:
            found.append(row)
    return found


@pytest.mark.parametrize("path", [RELIABILITY, THREATS], ids=lambda path: path.name)
def test_every_row_names_a_test(path: Path) -> None:
    assert len(evidence(path)) > 20
    for row in evidence(path):
        assert all(row), row
        named = NAMED.findall(row[-1])
        assert named, row
        assert NAMED.sub("", row[-1]).replace("·", "").strip() == "", row


@pytest.mark.parametrize("path", [RELIABILITY, THREATS], ids=lambda path: path.name)
def test_every_test_that_is_named_exists(path: Path) -> None:
    for file, name in NAMED.findall(path.read_text()):
        assert (CHECKOUT / file).is_file(), file
        assert name in shown_in(file), f"{file}::{name}"


def test_every_case_stands_once() -> None:
    cases = [row[0] for row in evidence(RELIABILITY)]
    assert sorted(set(cases)) == sorted(cases)


def test_it_lists_the_points_at_which_a_process_can_die() -> None:
    table = section(RELIABILITY, "## Dying at a named point")
    assert [row[0].strip("`") for row in rows(table)][1:] == list(POINTS)
