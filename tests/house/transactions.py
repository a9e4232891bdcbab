"""Use cases alone open transactions, and what writes a part of something larger refuses to run without one."""

import ast
from collections.abc import Iterable, Iterator

from tests.house.sources import SERVICE, Breach, Source, public

USE_CASES = ("backoffice/ingestion", "backoffice/books", "backoffice/alerts")
OPENERS = {"atomic", "set_autocommit"}
WRITING_ROOMS = (*USE_CASES, "backoffice/fleet", "backoffice/inbox", "backoffice/sales", "backoffice/ledger")
# By these verbs a function that is handed a cursor says that it does a part of what some use case commits; a lock is worth
# nothing without a transaction to hold it.
VERBS = ("insert_", "lock_", "reconcile_", "write_")
DECORATOR = "transaction_required"


def transactions_elsewhere(sources: Iterable[Source]) -> Iterator[Breach]:
    """Transactions that are opened in a module that is no use case."""
    for source in sources:
        if source.is_in(*SERVICE) and not source.is_in(*USE_CASES):
            for function, node in _with_function(source.tree, ""):
                if _opens(node):
                    name = f"{source.path}::{function}" if function else source.path
                    says = f"a transaction is opened outside {', '.join(USE_CASES)}"
                    yield Breach("transactions-elsewhere", name, source.place(node), says)


def writers_without_transaction(sources: Iterable[Source]) -> Iterator[Breach]:
    """Public functions that write or lock a part of something larger, and would do so outside a transaction."""
    for source in sources:
        if not source.is_in(*WRITING_ROOMS):
            continue
        for node in public(source.tree):
            if _writes(node) and not any(_named(each) == DECORATOR for each in node.decorator_list):
                says = f"{node.name} is not marked @{DECORATOR}"
                yield Breach("writers-without-transaction", f"{source.path}::{node.name}", source.place(node), says)


def _writes(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    if isinstance(node, ast.ClassDef) or not node.name.startswith(VERBS):
        return False
    return node.name.startswith("lock_") or any(each.arg == "cursor" for each in node.args.args)


def _opens(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr=name):
            return name in OPENERS
        case ast.ImportFrom(module="django.db.transaction", names=names):
            return any(each.name in {*OPENERS, "*"} for each in names)
    return False


def _with_function(node: ast.AST, function: str) -> Iterator[tuple[str, ast.stmt | ast.expr]]:
    """Everything below a node, each with the name of the function that it stands in."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.expr):
            yield function, child
        inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        yield from _with_function(child, inner)


def _named(decorator: ast.expr) -> str:
    match decorator:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""
