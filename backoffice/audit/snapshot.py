"""The state in which an audit reads: one moment, and nothing that looks for work of its own."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from psycopg import sql

# However long it takes, nobody waits for it. These are many short statements over many partitions: compiling them would
# cost more than running them.
SETTINGS = """
SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL jit = off
"""


@contextmanager
def one_snapshot(exported: str | None = None) -> Iterator[None]:
    """Sees all tables as they were at one moment, while others go on writing; refuses to write.

    With `exported`, the moment at which another connection exported its snapshot.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            if exported is not None:
                cursor.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(exported)))
            for setting in SETTINGS.split(";"):
                cursor.execute(setting)
        yield


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Millions of values come and go and none is part of a cycle: looking for cycles would take a fifth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
