"""The Python that the rules look at, read once, and what a rule says about it."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
SERVICE = ("backoffice", "pos_api")
EVERYTHING = (*SERVICE, "clients/python", "deploy", "tests", "manage.py")
# A migration that has been released is never edited, so no rule of today can hold it.
LEFT_OUT = {"migrations", "__pycache__", "build"}


@dataclass(frozen=True)
class Breach:
    """One place that breaks a rule. `name` is what an exception for it calls it."""

    rule: str
    name: str
    place: str
    says: str


@dataclass(frozen=True)
class Source:
    """One file: its path in the checkout, and what stands in it."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)

    def place(self, node: ast.stmt | ast.expr) -> str:
        """Where something stands, as editors and terminals link it."""
        return f"{self.path}:{node.lineno}"

    def is_in(self, *folders: str) -> bool:
        """Whether it is one of these files, or lies in one of these folders."""
        return any(self.path == folder or self.path.startswith(f"{folder}/") for folder in folders)


def sources(checkout: Path = CHECKOUT) -> list[Source]:
    """Every file that some rule is about, in the order of their paths."""
    return [
        Source(str(path.relative_to(checkout)), path.read_text())
        for folder in EVERYTHING
        for path in _files(checkout / folder)
    ]


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_file():
        yield folder
    for path in sorted(folder.rglob("*.py")):
        if not LEFT_OUT & set(path.parts):
            yield path


def public(tree: ast.Module) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """The classes and functions that a module offers to others."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node
