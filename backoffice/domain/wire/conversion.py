"""From a JSON value to a typed one, and from msgspec's refusals to JSON Pointers."""

import re
from typing import Any, NamedTuple, TypeVar

import msgspec

from backoffice.domain import json_values
from backoffice.domain.scalars import read_scalar

T = TypeVar("T")

_PLACE = re.compile(r"(?P<what>.*?)(?: - at (?:`key` in )?`\$(?P<path>[^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(?P<name>\w+)`")

MAX_DETAIL = 200
"""Characters of a detail: msgspec quotes what it was given, however long."""


class Violation(NamedTuple):
    """What is wrong at one place: a JSON Pointer, `missing` or `invalid`, and a sentence for people."""

    pointer: str
    code: str
    detail: str


class NotReadable(Exception):
    """The value is not one of the type asked for."""

    def __init__(self, violation: Violation) -> None:
        super().__init__(violation.detail)
        self.violation = violation


def check_carriable(value: Any) -> None:
    """Raises `NotReadable` where a text or a number in `value` cannot be carried, in unknown fields too (§9).

    What is stored and shown is the whole message, not only what the rules look at.
    """
    if (found := json_values.find_uncarriable(value)) is not None:
        pointer, detail = found
        raise NotReadable(Violation(pointer, "invalid", detail))


def to_type(value: Any, kind: type[T]) -> T:
    """`value`, as `json_values.parse` gave it, as a `kind`. Raises `NotReadable` with the first problem found."""
    try:
        return msgspec.convert(value, kind, dec_hook=read_scalar)
    except msgspec.ValidationError as error:
        raise NotReadable(explain(error)) from None


def explain(error: msgspec.ValidationError) -> Violation:
    """Where and what, from msgspec's message. Inside an object with free names the place is that object."""
    place = _PLACE.fullmatch(str(error))
    what, path = (place["what"], place["path"] or "") if place else (str(error), "")
    tokens: list[str | int] = [name or int(index) for name, index in _STEP.findall(path.partition("[...]")[0])]
    if missing := _MISSING.fullmatch(what):
        return Violation(json_values.pointer_to(*tokens, missing["name"]), "missing", f"{missing['name']} is missing")
    return Violation(json_values.pointer_to(*tokens), "invalid", what[:MAX_DETAIL])
