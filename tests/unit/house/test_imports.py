"""Every import contract of pyproject.toml is one that something can break: an import that should not be is found."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.house.sources import CHECKOUT

# For each contract a file and the import that breaks it.
AGAINST = {
    "Every room of the service has its place, and imports run one way": ("backoffice/inbox/claims.py", "backoffice.sales"),
    "The door stands beside the reading room": ("pos_api/problems.py", "backoffice.review.words"),
    "The rules know no framework": ("backoffice/domain/money.py", "django.db"),
    "Reading the wire knows nothing of cards": ("backoffice/domain/wire/scalars.py", "backoffice.domain.cards.search"),
    "No circles": ("pos_api/authentication.py", "pos_api.views.base"),
    "The audit shares no code with what posts": ("backoffice/audit/values.py", "backoffice.domain.money"),
    "Nothing but commands runs the audit": ("backoffice/celery.py", "backoffice.audit.run"),
    "The production image does without the workbench": ("backoffice/urls.py", "backoffice.workbench.apps"),
    "The conformance kit knows the rules only": ("backoffice/workbench/conformance/rules.py", "backoffice.sales.models"),
    "What is installed does not need the tests": ("pos_api/bodies.py", "tests.till"),
}  # fmt: skip


def test_each_contract_is_broken_by_an_import_that_it_is_against(tmp_path: Path):
    contracts = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert {contract["name"] for contract in contracts} == set(AGAINST)
    for name in ("backoffice", "pos_api", "pyproject.toml"):
        copy = shutil.copytree if (CHECKOUT / name).is_dir() else shutil.copy
        copy(CHECKOUT / name, tmp_path / name)
    for path, module in AGAINST.values():
        with (tmp_path / path).open("a") as file:
            file.write(f"\nimport {module}\n")
    linter = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    done = subprocess.run(linter, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = set(re.findall(r"^(.+) BROKEN", done.stdout, re.MULTILINE))
    assert broken == set(AGAINST)
