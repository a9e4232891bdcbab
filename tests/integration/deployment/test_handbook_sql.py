"""The statements of docs/operations.md that somebody types at night: they fit the tables as they are."""

import re
from pathlib import Path

import pytest
from django.db import connection

HANDBOOK = (Path(__file__).resolve().parents[3] / "docs" / "operations.md").read_text()
STATEMENTS = [
    statement for statement in re.findall(r"`((?:SELECT|UPDATE) [^`]+;)`", HANDBOOK) if "(PID)" not in statement
]


def test_there_are_statements() -> None:
    assert len(STATEMENTS) >= 5


@pytest.mark.django_db
@pytest.mark.parametrize("statement", STATEMENTS, ids=range(len(STATEMENTS)))
def test_postgresql_can_plan_it(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + statement.replace("…", "1"))
        assert cursor.fetchall()
