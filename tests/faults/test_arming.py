"""Failpoints are armed by the environment and by nothing else, and a misspelled one does not pass for a test."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backoffice import failpoints
from backoffice.failpoints import POINTS, VARIABLE
from tests.conftest import CHECKOUT
from tests.unit.deployment.files import WRITTEN


def start(folder: Path) -> subprocess.CompletedProcess[str]:
    """A process of ours that is told to die where the files in a folder say; it only starts."""
    return subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=CHECKOUT,
        env={**os.environ, VARIABLE: str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_unarmed_a_point_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert VARIABLE not in os.environ
    assert failpoints.failpoint.__code__.co_names == ()  # it asks nothing and calls nothing
    monkeypatch.setattr(failpoints.os, "kill", lambda *_: pytest.fail("killed"))
    for point in POINTS:
        failpoints.failpoint(point)


def test_armed_it_says_so_aloud(tmp_path: Path) -> None:
    done = start(tmp_path)
    assert done.returncode == 0
    assert f"armed by {tmp_path}" in done.stderr


def test_a_point_that_does_not_exist_stops_the_start_with_words(tmp_path: Path) -> None:
    (tmp_path / "process-marekd").touch()
    done = start(tmp_path)
    assert done.returncode != 0
    assert "No such failpoint: process-marekd. The failpoints are: receive-before-commit, " in done.stderr


def test_a_folder_that_does_not_exist_stops_the_start_with_words(tmp_path: Path) -> None:
    done = start(tmp_path / "nowhere")
    assert done.returncode != 0
    assert "which is not a folder" in done.stderr


def test_each_point_stands_in_the_code_once_and_the_code_names_no_other() -> None:
    called = [
        ast.literal_eval(node.args[0])
        for room in ("backoffice", "pos_api")
        for path in (CHECKOUT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint"
    ]
    assert sorted(called) == sorted(POINTS)


def test_no_installation_arms_them() -> None:
    assert WRITTEN
    assert not [path.name for path in WRITTEN if VARIABLE in path.read_text()]
