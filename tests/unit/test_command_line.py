"""`--data-dir` is understood with every command, also with Django's own, which do not know it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backoffice.env import words_for_django

CHECKOUT = Path(__file__).resolve().parents[2]
NOWHERE = {"DATABASE_URL": "postgresql://none@127.0.0.1:1/none"}


@pytest.mark.parametrize("option", [["--data-dir", "elsewhere"], ["--data-dir=elsewhere"]])
def test_djangos_own_commands_are_spared_the_option_and_ours_have_it(option: list[str]) -> None:
    assert words_for_django(["manage.py", "createsuperuser", *option, "--noinput"]) == [
        "manage.py",
        "createsuperuser",
        "--noinput",
    ]
    for ours in ("doctor", "up", "create_store"):
        assert words_for_django(["manage.py", ours, *option]) == ["manage.py", ours, *option]
    assert words_for_django(["manage.py"]) == ["manage.py"]


@pytest.mark.parametrize("command", ["createsuperuser", "changepassword", "migrate"])
def test_it_reaches_the_command(command: str) -> None:
    words = [sys.executable, "manage.py", command, "--data-dir", "elsewhere", "--help"]
    done = subprocess.run(
        words, cwd=CHECKOUT, env=os.environ | NOWHERE, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
