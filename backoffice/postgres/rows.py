"""Rows of a result by the names of their columns."""

from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Executed(Protocol):
    """A cursor that a statement was executed with."""

    @property
    def description(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...


def named_rows(cursor: Executed) -> list[dict[str, Any]]:
    """All rows, each as a dict by the names of its columns."""
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def rows_as(kind: type[T], cursor: Executed) -> list[T]:
    """All rows, each as a `kind`, whose fields are named like the columns."""
    return [kind(**row) for row in named_rows(cursor)]
