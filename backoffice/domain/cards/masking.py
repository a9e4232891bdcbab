"""Card data leaves a message before anything is written, logged or queued (protocol §7).

- Fields named as in `REMOVED` are removed wherever they are, and those in `REMOVED_FROM_PAYMENTS` anywhere inside a
  field named `payments`; with their value, in every duplicate.
- Card numbers are masked in everything inside a field named as in `_MASKED`: texts, names of fields, and numbers, which
  become texts by it. What is inside one named as in `UNTOUCHED` there stays: EANs, and our own identifiers.

Names are compared without regard to the case of ASCII letters, and read as JSON does, so that an escape hides nothing.
All else stays byte for byte: the digest and the content hashes are those of what is stored.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, NoReturn

import msgspec
from msgspec.structs import replace

from backoffice.domain.cards.search import REMOVED, REMOVED_FROM_PAYMENTS, UNTOUCHED, mask_numbers, may_hold_cards
from backoffice.domain.json_values import pointer_to
from backoffice.domain.wire.envelope import BodyMalformed, check_text

MAX_FINDINGS = 20
"""Findings of one member, and of all that is in none: they say that there were such, and where to look first."""

MAX_POINTER = 200
"""Characters of a pointer; where it would be longer, it names what is around the place."""

_MASKED = frozenset({"note", "reference", "name", "customer"})

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


_BLANKS = re.compile(r"[ \t\n\r]*")
_UNITS = re.compile(r"\\u[0-9A-Fa-f]{4}|\\.|[^\\]", re.DOTALL)


def _refuse_constant(name: str) -> NoReturn:
    raise BodyMalformed(f"{name} is not JSON")


# Numbers stay text: neither their size nor their length matters here.
_SCANNER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse_constant)


class _Place(msgspec.Struct, frozen=True):
    """Where in the document a value is, and what that means for it."""

    list: List = ""
    index: int | None = None
    tokens: tuple[str | int, ...] = ()
    is_masked: bool = False
    is_payment: bool = False

    def field(self, name: str) -> "_Place":
        folded = _fold(name)
        return replace(
            self,
            tokens=(*self.tokens, name),
            is_masked=folded in _MASKED or (self.is_masked and folded not in UNTOUCHED),
            is_payment=self.is_payment or folded == "payments",
        )

    def element(self, index: int) -> "_Place":
        return replace(self, tokens=(*self.tokens, index))

    def removes(self, name: str) -> bool:
        folded = _fold(name)
        return folded in REMOVED or (self.is_payment and folded in REMOVED_FROM_PAYMENTS)


def _fold(name: str) -> str:
    return name.lower() if name.isascii() else name


def mask_closely(body: bytes) -> Masked:
    """As `mask_cards`, without asking first whether there can be any; members that cannot have any are passed over."""
    check_text(body)
    writer = _Writer(body.decode())
    try:
        writer.write_document()
    except json.JSONDecodeError as error:
        raise BodyMalformed(f"{error.msg} at character {error.pos}") from None
    return Masked(writer.body(), writer.kept_findings()) if writer.edits else Masked(body, ())


class _Writer:
    """Reads a document once from the left and notes what to replace: `edits` are (start, end, replacement)."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.edits: list[tuple[int, int, str]] = []
        self.findings: list[Finding] = []

    def body(self) -> bytes:
        pieces: list[str] = []
        done = 0
        for start, end, replacement in self.edits:
            pieces += (self.text[done:start], replacement)
            done = end
        return "".join((*pieces, self.text[done:])).encode()

    def kept_findings(self) -> tuple[Finding, ...]:
        counts: Counter[tuple[str, int | None]] = Counter()
        kept = []
        for finding in dict.fromkeys(self.findings):
            counts[finding.list, finding.index] += 1
            if counts[finding.list, finding.index] <= MAX_FINDINGS:
                kept.append(finding)
        return tuple(kept)

    def write_document(self) -> None:
        position = self._skip(0)
        if self._is_at("{", position):
            end = self._object(position, _Place(), self._top_value)
        else:
            end = self._value(position, _Place())
        if self._skip(end) != len(self.text):
            self._refuse(end)

    def _top_value(self, position: int, place: _Place) -> int:
        name = place.tokens[0]
        for which in _LISTS:
            if name == which:
                self._supersede(which)
                if self._is_at("[", position):
                    return self._array(position, replace(place, list=which), self._member)
        return self._value_unless_clean(position, place)

    def _supersede(self, name: List) -> None:
        """Of duplicate names the last counts: what came before is in no member."""
        self.findings = [
            Finding("", None, finding.code, f"/{name}/{finding.index}{finding.pointer}")
            if finding.list == name
            else finding
            for finding in self.findings
        ]

    def _member(self, position: int, place: _Place) -> int:
        index = place.tokens[-1]
        return self._value_unless_clean(position, replace(place, index=int(index), tokens=()))

    def _value_unless_clean(self, position: int, place: _Place) -> int:
        if self._is_at(("{", "["), position):
            _, end = self._scan(position)
            if not may_hold_cards(self.text[position:end].encode()):
                return end
        return self._value(position, place)

    def _value(self, position: int, place: _Place) -> int:
        if self._is_at("{", position):
            return self._object(position, place, self._inner_value)
        if self._is_at("[", position):
            return self._array(position, place, self._inner_value)
        _, end = self._scan(position)
        if place.is_masked:
            self._mask(position, end, place)
        return end

    def _inner_value(self, position: int, place: _Place) -> int:
        """What is deep inside is looked at once: asking first on every level would cost as often."""
        return (self._value_unless_clean if len(place.tokens) == 1 else self._value)(position, place)

    def _array(self, position: int, place: _Place, write: "_Write") -> int:
        position = self._skip(position + 1)
        index = 0
        more = not self._is_at("]", position)
        while more:
            end = write(position, place.element(index))
            index += 1
            position, more = self._next(end, "]")
        return position + 1

    def _object(self, position: int, place: _Place, write: "_Write") -> int:
        position = self._skip(position + 1)
        removed_from: int | None = None  # the first of the fields that go, until one that stays is found
        keeps_one = False
        end = position
        more = not self._is_at("}", position)
        while more:
            previous_end = end
            name, name_end, value = self._name(position)
            if place.removes(name):
                _, end = self._scan(value)
                self._found(_DATA_REMOVED, place.field(name))
                if keeps_one:
                    self.edits.append((previous_end, end, ""))
                elif removed_from is None:
                    removed_from = position
            else:
                if removed_from is not None:
                    self.edits.append((removed_from, position, ""))
                keeps_one, removed_from = True, None
                end = write(value, place.field(self._masked_name(name, position, name_end, place)))
            position, more = self._next(end, "}")
        if removed_from is not None:
            self.edits.append((removed_from, end, ""))
        return position + 1

    def _masked_name(self, name: str, start: int, end: int, place: _Place) -> str:
        if not place.is_masked:
            return name
        masked = mask_numbers(name)
        self._mask(start, end, place.field(masked))
        return masked

    def _mask(self, start: int, end: int, place: _Place) -> None:
        spelled = self.text[start:end]
        masked = _mask_spelled(spelled)
        if masked != spelled:
            self.edits.append((start, end, masked))
            self._found(_NUMBER_MASKED, place)

    def _found(self, code: Code, place: _Place) -> None:
        pointer = ""
        for token in place.tokens:
            step = pointer_to(token) if isinstance(token, int) or len(token) <= MAX_POINTER else None
            if step is None or len(pointer) + len(step) > MAX_POINTER:
                break
            pointer += step
        self.findings.append(Finding(place.list, place.index, code, pointer))

    def _name(self, position: int) -> tuple[str, int, int]:
        """The name of the field that begins at `position`, where it ends, and where its value begins."""
        if not self._is_at('"', position):
            self._refuse(position)
        name, name_end = self._scan(position)
        colon = self._skip(name_end)
        if not self._is_at(":", colon):
            self._refuse(colon)
        return name, name_end, self._skip(colon + 1)

    def _next(self, position: int, closing: str) -> tuple[int, bool]:
        """Past a comma to what is next, and True; or to the closing bracket, and False."""
        position = self._skip(position)
        if self._is_at(",", position):
            return self._skip(position + 1), True
        if not self._is_at(closing, position):
            self._refuse(position)
        return position, False

    def _scan(self, position: int) -> tuple[Any, int]:
        return _SCANNER.raw_decode(self.text, position)

    def _skip(self, position: int) -> int:
        blanks = _BLANKS.match(self.text, position)
        return blanks.end() if blanks else position

    def _is_at(self, character: str | tuple[str, ...], position: int) -> bool:
        return self.text.startswith(character, position)

    def _refuse(self, position: int) -> NoReturn:
        raise BodyMalformed(f"Not JSON at character {position}")


_Write = Callable[[int, _Place], int]


def _mask_spelled(spelled: str) -> str:
    """A JSON text or number with card numbers masked, spelled as it was but for their digits; a number in quotes."""
    if "\\" not in spelled:
        masked = mask_numbers(spelled)
        return masked if masked == spelled or spelled.startswith('"') else f'"{masked}"'
    units = _UNITS.findall(spelled)
    plain = "".join(map(_read_unit, units))
    masked = mask_numbers(plain)
    return "".join(unit if after == before else after for unit, before, after in zip(units, plain, masked, strict=True))


def _read_unit(unit: str) -> str:
    """One character for each: what is no part of a number may be any that is none either."""
    if len(unit) == 1:
        return unit
    if unit[1] == "u":
        return chr(int(unit.removeprefix("\\u"), base=16))
    return "\t" if unit[1] == "t" else "\\"
