"""Card data leaves a message before anything is written, logged or queued (protocol §7).

- Fields that hold card secrets by their name (`names`) are removed wherever they are, with their value, in every
  duplicate.
- Card numbers are masked in every text and in every name of a field, but not in the texts of a field that holds EANs or
  identifiers of ours. JSON numbers are left alone, except in what people type, where they become texts by it.

Names are read as JSON does, so that an escape hides nothing. All else stays byte for byte: the digest and the content
hashes are those of what is stored.
"""

import json
import re
from functools import reduce
from io import StringIO
from typing import Literal, NamedTuple

import msgspec

from backoffice.domain.cards.names import FieldKind, kind_of
from backoffice.domain.cards.search import MIN_DIGITS, mask_numbers, may_hold_cards
from backoffice.domain.json_values import pointer_to
from backoffice.domain.wire.envelope import BodyMalformed, check_text

MAX_FINDINGS = 20
"""Findings of one member, and of all that is in none: they say that there were such, and where to look first."""

MAX_POINTER = 200
"""Characters of a pointer; where it would be longer, it names what is around the place."""

List = Literal["orders", "cash_movements", ""]
_LISTS: tuple[List, ...] = ("orders", "cash_movements")
Code = Literal["card-number-masked", "card-data-removed"]
_NUMBER_MASKED: Code = "card-number-masked"
_DATA_REMOVED: Code = "card-data-removed"


class Finding(msgspec.Struct, frozen=True):
    """What was masked or removed: in the member `index` of `list`, or with "" and None in none.

    `pointer` is a JSON Pointer within the member or else within the body, as it is now and, of what was removed, was.
    """

    list: List
    index: int | None
    code: Code
    pointer: str


class Masked(NamedTuple):
    """The body without card data, and what was done to it; the very same body where there are no findings."""

    body: bytes
    findings: tuple[Finding, ...]


def mask_cards(body: bytes) -> Masked:
    """The message in `body` (what is left when `Content-Encoding` is undone) without card data.

    Masking again changes nothing. Members keep their places, so an index means the same before and after. Call it
    after `decode_batch`, which refuses what is malformed, and decode again where there are findings; nothing else may
    see the body before. Raises `BodyMalformed` where it had to look closely and it is not JSON.
    """
    return mask_closely(body) if may_hold_cards(body) else Masked(body, ())


def mask_closely(body: bytes) -> Masked:
    """As `mask_cards`, without asking first whether there can be any; members that cannot have any are passed over."""
    _check_json(body)
    writer = _Writer(body.decode())
    writer.write_document()
    return Masked(writer.body(), writer.findings()) if writer.done else Masked(body, ())


_PASS_OVER = msgspec.json.Decoder(msgspec.Raw).decode
_NO_SURROGATES = bytes.maketrans(b"dD", b"aa")


def _check_json(body: bytes) -> None:
    """Raises `BodyMalformed`. Builds nothing, however many values there are."""
    check_text(body)
    try:
        _PASS_OVER(body)
    except msgspec.DecodeError:
        # msgspec refuses lone surrogates, which are JSON: once more without, and nothing else of JSON has a "d".
        try:
            _PASS_OVER(body.translate(_NO_SURROGATES))
        except msgspec.DecodeError as error:
            raise BodyMalformed(str(error)) from None


# All of what follows reads what is known to be JSON.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SCALAR = rf'{_STRING}|[^ \t\n\r,"\[\]{{}}]++'
_SPACE = r"[ \t\n\r]*+"
# A name, and its value where that is no object or array.
_FIELD = re.compile(rf"({_STRING}){_SPACE}:{_SPACE}({_SCALAR})?", re.DOTALL)
_ELEMENT = re.compile(_SCALAR, re.DOTALL)
_BLANKS, _COMMA = re.compile(_SPACE), re.compile(rf"{_SPACE},?{_SPACE}")
_WITHIN = rf'[^"\[\]{{}}]++|{_STRING}'
_TO_BRACKET = re.compile(rf"(?:{_WITHIN})*+", re.DOTALL)
# An object or array that is nested as orders are.
_SHALLOW = re.compile(reduce(lambda inner, _: rf"[\[{{](?:{_WITHIN}|{inner})*+[\]}}]", range(5), "(?!)"), re.DOTALL)
_UNIT = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9A-Fa-f]{4}|\\.|[^\\]", re.DOTALL)
_Token = str | int

# To find the end of less than this, and ask whether it can have any, takes longer than to look at it.
_WORTH_ASKING = 256
# More findings than a batch that is taken can have: 20 in each of 2 000 orders and as many movements.
_MAX_NOTED = 100_000


class _Findings:
    """What was found, bounded: of one member, of what is in none, and in all.

    `at` is a place in the text: it says in what order things were found, and members are looked at one by one.
    """

    def __init__(self) -> None:
        self._noted: dict[List, list[tuple[int, Finding]]] = {"": [], "orders": [], "cash_movements": []}
        self._in_none: set[tuple[Code, str]] = set()
        self._in_member: set[tuple[Code, str]] = set()
        self._member: tuple[List, int | None] = ("", None)

    def begin_member(self, which: List, index: int) -> None:
        self._member = (which, index)
        self._in_member.clear()

    def end_members(self) -> None:
        self._member = ("", None)

    def add(self, at: int, code: Code, pointer: str) -> None:
        which, index = self._member
        seen = self._in_member if which else self._in_none
        noted = self._noted[which]
        if (code, pointer) in seen or len(seen) >= MAX_FINDINGS or len(noted) >= _MAX_NOTED:
            return
        seen.add((code, pointer))
        noted.append((at, Finding(which, index, code, pointer)))

    def supersede(self, which: List) -> None:
        """Of duplicate names the last counts: what came before is in no member. Each finding is moved once at most."""
        moved, self._noted[which] = self._noted[which][:MAX_FINDINGS], []
        for at, finding in moved:
            self.add(at, finding.code, f"/{which}/{finding.index}{finding.pointer}")

    def in_order(self) -> tuple[Finding, ...]:
        noted = [entry for entries in self._noted.values() for entry in entries]
        return tuple(finding for _, finding in sorted(noted, key=lambda entry: entry[0]))


class _Writer:
    """Reads a document once from the left, and writes it without card data; `done` is how far it had to be changed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.done = 0
        self._written = StringIO()
        self._found = _Findings()
        self._path: list[_Token] = []

    def body(self) -> bytes:
        return (self._written.getvalue() + self.text[self.done :]).encode()

    def findings(self) -> tuple[Finding, ...]:
        return self._found.in_order()

    def write_document(self) -> None:
        position = self._past(_BLANKS, 0)
        if self.text[position] == "{":
            self._object(position, is_typed=False, is_top=True)
        else:
            self._value(position, FieldKind.OTHER, is_typed=False)

    def _object(self, position: int, *, is_typed: bool, is_top: bool = False) -> int:
        """To the end of the object that begins at `position`."""
        position = self._past(_BLANKS, position + 1)
        removed_from: int | None = None  # the first of the fields that go, until one that stays is found
        keeps_one = False
        end = position
        while field := _FIELD.match(self.text, position):
            previous_end = end
            name = _read(field[1])
            kind = kind_of(name)
            self._path.append(name)
            if kind is FieldKind.REMOVED:
                end = field.end() if field[2] else self._end_of(field.end())
                self._note(position, _DATA_REMOVED)
                if keeps_one:
                    self._replace(previous_end, end, "")
                elif removed_from is None:
                    removed_from = position
            else:
                if removed_from is not None:
                    self._replace(removed_from, position, "")
                keeps_one, removed_from = True, None
                self._mask_name(position, field.end(1))
                if is_top:
                    end = self._top_value(field, name, kind)
                else:
                    end = self._field_value(field, kind, is_typed=is_typed or kind is FieldKind.TYPED)
            self._path.pop()
            position = self._past(_COMMA, end)
        if removed_from is not None:
            self._replace(removed_from, end, "")
        return position + 1

    def _top_value(self, field: re.Match[str], name: str, kind: FieldKind) -> int:
        for which in _LISTS:
            if name == which:
                self._found.supersede(which)
                if self.text.startswith("[", field.end()):
                    return self._members(field.end(), which)
        if not field[2] and (end := self._end_if_clean(field.end())):
            return end
        return self._field_value(field, kind, is_typed=kind is FieldKind.TYPED)

    def _members(self, position: int, which: List) -> int:
        path, self._path = self._path, []
        position = self._past(_BLANKS, position + 1)
        index = 0
        while self.text[position] != "]":
            self._found.begin_member(which, index)
            end = self._end_if_clean(position) or self._value(position, FieldKind.OTHER, is_typed=False)
            position = self._past(_COMMA, end)
            index += 1
        self._found.end_members()
        self._path = path
        return position + 1

    def _end_if_clean(self, position: int) -> int:
        """Where the value at `position` ends if it needs no closer look; otherwise 0."""
        if self.text[position] not in "[{":
            return 0
        end = self._end_of(position)
        return end if end - position >= _WORTH_ASKING and not may_hold_cards(self.text[position:end].encode()) else 0

    def _field_value(self, field: re.Match[str], kind: FieldKind, *, is_typed: bool) -> int:
        if not field[2]:
            return self._value(field.end(), kind, is_typed=is_typed)
        if field.end() - field.start(2) >= MIN_DIGITS:
            self._scalar(field.start(2), field.end(), kind, is_typed=is_typed)
        return field.end()

    def _value(self, position: int, kind: FieldKind, *, is_typed: bool) -> int:
        first = self.text[position]
        if first == "{":
            return self._object(position, is_typed=is_typed)
        if first == "[":
            return self._array(position, kind, is_typed=is_typed)
        end = self._past(_ELEMENT, position)
        if end - position >= MIN_DIGITS:
            self._scalar(position, end, kind, is_typed=is_typed)
        return end

    def _array(self, position: int, kind: FieldKind, *, is_typed: bool) -> int:
        position = self._past(_BLANKS, position + 1)
        self._path.append(0)
        index = 0
        while self.text[position] != "]":
            self._path[-1] = index
            position = self._past(_COMMA, self._value(position, kind, is_typed=is_typed))
            index += 1
        self._path.pop()
        return position + 1

    def _scalar(self, start: int, end: int, kind: FieldKind, *, is_typed: bool) -> None:
        spelled = self.text[start:end]
        if kind is FieldKind.UNTOUCHED or not (is_typed or spelled.startswith('"')):
            return
        masked = _mask_spelled(spelled)
        if masked != spelled:
            self._replace(start, end, masked)
            self._note(start, _NUMBER_MASKED)

    def _mask_name(self, start: int, end: int) -> None:
        """What is inside is told by the name as it is now."""
        if end - start < MIN_DIGITS:
            return
        masked = _mask_spelled(self.text[start:end])
        if masked != self.text[start:end]:
            self._replace(start, end, masked)
            self._path[-1] = _read(masked)
            self._note(start, _NUMBER_MASKED)

    def _replace(self, start: int, end: int, replacement: str) -> None:
        self._written.write(self.text[self.done : start])
        self._written.write(replacement)
        self.done = end

    def _note(self, at: int, code: Code) -> None:
        pointer = ""
        for token in self._path:
            step = pointer_to(token) if isinstance(token, int) or len(token) <= MAX_POINTER else None
            if step is None or len(pointer) + len(step) > MAX_POINTER:
                break
            pointer += step
        self._found.add(at, code, pointer)

    def _end_of(self, position: int) -> int:
        """Where the object or array that begins at `position` ends."""
        if shallow := _SHALLOW.match(self.text, position):
            return shallow.end()
        depth = 0
        while True:
            position = self._past(_TO_BRACKET, position)
            depth += 1 if self.text[position] in "[{" else -1
            position += 1
            if depth == 0:
                return position

    def _past(self, pattern: re.Pattern[str], position: int) -> int:
        found = pattern.match(self.text, position)
        return found.end() if found else position


def _read(spelled: str) -> str:
    """The text that is spelled so."""
    return json.loads(spelled) if "\\" in spelled else spelled[1:-1]


def _mask_spelled(spelled: str) -> str:
    """A JSON text or number with card numbers masked, spelled as it was but for their digits; a number in quotes."""
    if not spelled.startswith('"'):
        masked = mask_numbers(spelled)
        return spelled if masked == spelled else f'"{masked}"'
    if "\\" not in spelled:
        return f'"{mask_numbers(spelled[1:-1])}"'
    plain = _read(spelled)
    masked = mask_numbers(plain)
    if masked == plain:
        return spelled
    # One unit of the spelling stands for each character. What follows the end of `masked` goes.
    written = StringIO()
    written.write('"')
    units = _UNIT.finditer(spelled, 1)
    written.writelines(
        unit[0] if after == before else after for unit, before, after in zip(units, plain, masked, strict=False)
    )
    written.write('"')
    return written.getvalue()
