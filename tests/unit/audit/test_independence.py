"""The audit shares no code with what it checks."""

import ast
import subprocess
import sys
from pathlib import Path

import backoffice.audit

FOLDER = Path(backoffice.audit.__file__).parent
FORBIDDEN = ("backoffice.domain", "backoffice.ingestion", "backoffice.books", "msgspec")


def imported(source: str) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_it_imports_nothing_of_the_rules_or_the_workshop() -> None:
    files = sorted(FOLDER.glob("*.py"))
    assert len(files) > 10
    for file in files:
        names = imported(file.read_text())
        assert not [name for name in names if name.startswith(FORBIDDEN)], file.name
        ours = {name for name in names if name.startswith("backoffice.")}
        assert all(name.startswith("backoffice.audit.") for name in ours), file.name


def test_nothing_it_imports_brings_them_along() -> None:
    """In an interpreter of its own: whatever is loaded then, was loaded for the audit."""
    modules = ", ".join(f"backoffice.audit.{file.stem}" for file in FOLDER.glob("[a-z]*.py"))
    script = f"import sys, {modules}; print([name for name in sys.modules if name.startswith({FORBIDDEN!r})])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
