"""From a JSON value to a typed one, and from msgspec's refusals to JSON Pointers and the protocol's words."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin
from uuid import UUID

import msgspec

from backoffice.domain import json_values
from backoffice.domain.scalars import is_canonical_uuid, is_in_years, read_scalar

T = TypeVar("T")

_PLACE = re.compile(r"(?P<what>.*?)(?: - at (?:`key` in )?`\$(?P<path>[^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_MISSING = re.compile(r"Object missing required field `(?P<name>\w+)`")
_EXPECTED = re.compile(
    r"Expected `(?P<types>[^`]+)`(?:, got `(?P<got>[^`]+)`|(?P<length> of length)? (?P<side>[<>]=) (?P<bound>-?\d+)"
    r"| matching regex '(?P<form>.*)'| with a timezone component)",
    re.DOTALL,
)
_ENUM = re.compile(r"Invalid enum value (?P<value>.*)", re.DOTALL)

# What msgspec names a type, and what the protocol does.
_WORDS: Mapping[str, str] = {
    "int": "an integer",
    "float": "a number that is no integer",
    "str": "a string",
    "bool": "true or false",
    "array": "an array",
    "object": "an object",
    "null": "null",
    "datetime": "a time of RFC 3339 with an offset",
    "uuid": "a UUID in the canonical 36-character form",
    "Beyond": "a number beyond what a double can hold",
}
_SIDES = {"<=": "at most", ">=": "at least"}
_PARTS = {"str": "characters", "array": "entries", "object": "fields"}
_INVALID: Mapping[str, str] = {
    "Invalid RFC3339 encoded datetime": f"Expected {_WORDS['datetime']}",
    "Invalid UUID": f"Expected {_WORDS['uuid']}",
}

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


def learn_types(module: Mapping[str, Any]) -> None:
    """Shows msgspec every struct in the `globals()` of a module, while one thread imports it.

    It learns a type when it first meets it, and threads that bring it the same one at once crash the process (0.22).
    """
    for kind in module.values():
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind is not msgspec.Struct:
            msgspec.json.Decoder(kind)


def to_type(value: Any, kind: type[T]) -> T:
    """`value`, as `json_values.parse` gave it, as a `kind`. Raises `NotReadable` with the first problem found."""
    try:
        return msgspec.convert(value, kind, dec_hook=read_scalar)
    except msgspec.ValidationError as error:
        raise NotReadable(explain(error)) from None


def to_type_as_spelled(value: Any, kind: type[T]) -> T:
    """As `to_type`, and refuses what only msgspec would read. Where it raises, `find_faults` finds that and all else."""
    read = to_type(value, kind)
    if (fault := next(_misspelled(read, value), None)) is not None:
        raise NotReadable(fault)
    return read


def find_faults(value: Any, kind: Any, *tokens: str | int) -> Iterator[Violation]:
    """Every place at which `value`, found at `tokens`, is no `kind`; nothing where it is one.

    Where something inside an object or array is at fault, that is named, and not what is around it.
    """
    try:
        read = msgspec.convert(value, kind, dec_hook=read_scalar)
    except msgspec.ValidationError as error:
        inside = _faults_inside(value, kind, *tokens)
        first = next(inside, None)
        if first is None:
            yield Violation(json_values.pointer_around(*tokens), "invalid", explain(error).detail)
        else:
            yield first
            yield from inside
    except UnicodeEncodeError:
        # Half of a surrogate pair somewhere in it, for `uncarriables` to name: here only what else is at fault.
        yield from _faults_inside(value, kind, *tokens)
    else:
        yield from _misspelled(read, value, *tokens)


def _faults_inside(value: Any, kind: Any, *tokens: str | int) -> Iterator[Violation]:
    kind = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    if isinstance(value, dict) and isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            if field.name in value:
                yield from find_faults(value[field.name], field.type, *tokens, field.name)
            elif field.required:
                pointer = json_values.pointer_to(*tokens, field.name)
                yield Violation(pointer, "missing", f"{field.name} is missing")
    elif isinstance(value, list) and get_origin(kind) is list:
        for index, member in enumerate(value):
            yield from find_faults(member, get_args(kind)[0], *tokens, index)
    elif isinstance(value, dict) and get_origin(kind) is dict:
        names, members = get_args(kind)
        for name, member in value.items():
            yield from find_faults(name, names, *tokens)
            yield from find_faults(member, members, *tokens, name)


def _misspelled(read: Any, spelled: Any, *tokens: str | int) -> Iterator[Violation]:
    """What msgspec reads and the protocol does not: years out of bounds, other forms of UUIDs (protocol §2.5)."""
    if isinstance(read, datetime) and not is_in_years(read):
        yield Violation(json_values.pointer_to(*tokens), "invalid", "Expected a time between the years 2000 and 2099")
    elif isinstance(read, UUID) and not is_canonical_uuid(spelled):
        yield Violation(json_values.pointer_to(*tokens), "invalid", f"Expected {_WORDS['uuid']}")
    elif isinstance(read, list):
        for index, member in enumerate(read):
            yield from _misspelled(member, spelled[index], *tokens, index)
    elif isinstance(read, msgspec.Struct):
        for name in read.__struct_fields__:
            if name in spelled:
                yield from _misspelled(getattr(read, name), spelled[name], *tokens, name)


def explain(error: msgspec.ValidationError) -> Violation:
    """Where and what, from msgspec's message. Inside an object with free names the place is that object."""
    place = _PLACE.fullmatch(str(error))
    what, path = (place["what"], place["path"] or "") if place else (str(error), "")
    tokens: list[str | int] = [name or int(index) for name, index in _STEP.findall(path.partition("[...]")[0])]
    if missing := _MISSING.fullmatch(what):
        return Violation(json_values.pointer_to(*tokens, missing["name"]), "missing", f"{missing['name']} is missing")
    return Violation(json_values.pointer_to(*tokens), "invalid", _in_words(what)[:MAX_DETAIL])


def _in_words(what: str) -> str:
    """What msgspec says, in the words of the protocol: JSON's, and none of Python's."""
    if enum := _ENUM.fullmatch(what):
        return f"{enum['value'][: MAX_DETAIL // 2]} is none of the values of this field"
    found = _EXPECTED.fullmatch(what)
    if found is None:
        return _INVALID.get(what, what)
    names = found["types"].split(" | ")
    expected = "Expected " + " or ".join(_WORDS.get(name, "something else") for name in names)
    if found["got"]:
        return f"{expected}, got {_WORDS.get(found['got'], 'something else')}"
    if found["bound"]:
        parts = f" {_PARTS.get(names[0], 'entries')}" if found["length"] else ""
        return f"{expected} of {_SIDES[found['side']]} {found['bound']}{parts}"
    return f"{expected} that matches {found['form']}" if found["form"] else expected
