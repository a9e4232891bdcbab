"""Rows of a result by the names of their columns."""

from typing import Any, NamedTuple, Protocol, TypeVar

T = TypeVar("T", bound=NamedTuple)


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
    """All rows, each as a `kind`: a NamedTuple with the names of the columns, in their order. Raises TypeError for others."""
    names = tuple(column.name for column in cursor.description)
    if names != kind._fields:
        raise TypeError(f"{kind.__name__} has other fields than the columns {', '.join(names)}.")
    return [kind._make(row) for row in cursor.fetchall()]
