"""What a correction changed, field by field."""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from backoffice.domain import json_values

MOST_CHANGES = 500
_ABSENT = object()


def changed_fields(sent: bytes, corrected: bytes) -> list[dict[str, Any]]:
    """Each field that differs as `{"pointer", "before", "after"}`; what is not there is null. At most `MOST_CHANGES`."""
    changes = _changes(json_values.parse(sent.decode()), json_values.parse(corrected.decode()))
    return [change for change, _ in zip(changes, range(MOST_CHANGES), strict=False)]


def _changes(one: Any, other: Any, *tokens: str | int) -> Iterator[dict[str, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for name in dict.fromkeys((*one, *other)):
            yield from _changes(one.get(name, _ABSENT), other.get(name, _ABSENT), *tokens, name)
    elif isinstance(one, list) and isinstance(other, list):
        for place, (before, after) in enumerate(zip_longest(one, other, fillvalue=_ABSENT)):
            yield from _changes(before, after, *tokens, place)
    elif one is _ABSENT or other is _ABSENT or type(one) is not type(other) or one != other:
        yield {"pointer": json_values.pointer_to(*tokens), "before": _shown(one), "after": _shown(other)}


def _shown(value: Any) -> Any:
    """As it can be stored: of what nothing can carry, the stored body has the whole."""
    if value is _ABSENT:
        return None
    return value if json_values.find_uncarriable(value) is None else "cannot be shown"
