"""A function fits on a screen, and a file is read in one sitting."""

import ast
from collections.abc import Iterable, Iterator

from tests.house.sources import Breach, Source

LINES_OF_A_FUNCTION = 50
LINES_OF_A_FILE = 400


def long_functions(sources: Iterable[Source]) -> Iterator[Breach]:
    """Functions and methods of more lines than a screen has, from `def` to the last."""
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > LINES_OF_A_FUNCTION:
                    says = f"{node.name} has {lines} lines, {LINES_OF_A_FUNCTION} are the most"
                    yield Breach("long-functions", f"{source.path}::{node.name}", source.place(node), says)


def long_files(sources: Iterable[Source]) -> Iterator[Breach]:
    """Files of too many lines."""
    for source in sources:
        lines = len(source.text.splitlines())
        if lines > LINES_OF_A_FILE:
            says = f"it has {lines} lines, {LINES_OF_A_FILE} are the most"
            yield Breach("long-files", source.path, f"{source.path}:1", says)
