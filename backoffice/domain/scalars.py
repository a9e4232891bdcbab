"""The scalar types of the wire: money, numbers, instants, quantities, prices and rates (protocol §2.4, §2.5).

`Quantity`, `UnitPrice` and `Rate` are Decimals that also know themselves as an integer of their smallest unit, so that
arithmetic on them is exact and cheap. Decode with `dec_hook=read_scalar`, describe with `schema_hook=scalar_schema`.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID

import msgspec
from msgspec import Meta

from backoffice.domain.json_values import JsonObject

MAX_MINOR = 10**12
"""No amount of money is beyond ±this many minor units (protocol §2.4)."""

MAX_NUMBER = 2**53 - 1
FIRST_YEAR, LAST_YEAR = 2000, 2099

Money = Annotated[int, Meta(ge=-MAX_MINOR, le=MAX_MINOR, description="Minor units of the shift's currency.")]
Number = Annotated[int, Meta(ge=1, le=MAX_NUMBER)]
Count = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
Instant = Annotated[datetime, Meta(tz=True, description="RFC 3339 with an offset, years 2000 to 2099.")]

_encode = msgspec.json.Encoder().encode
_CANONICAL_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class Scaled(Decimal):
    """A decimal within ±10^12 with a fixed number of decimals; `scaled` is its value in its smallest unit.

    `places` is how many decimals were spelled: "2" and "2.00" are equal, and kept as they came.
    Raises ValueError where the text is no decimal in ASCII digits, has too many decimals, or is too large. The limit
    is money's own: the protocol names none for quantities and rates, and everything is bounded.
    """

    __slots__ = ("places", "scaled")

    scaled: int
    places: int
    decimals: ClassVar[int]
    words: ClassVar[str]
    spelling: ClassVar[re.Pattern[str]]

    def __new__(cls, text: str) -> Self:
        if cls.spelling.fullmatch(text) is None:
            raise ValueError(f"Expected {cls.words}")
        whole, _, fraction = text.partition(".")
        scaled = int(whole + fraction.ljust(cls.decimals, "0"))
        if abs(scaled) > MAX_MINOR * 10**cls.decimals:
            raise ValueError("Expected a number within ±10^12")
        value = super().__new__(cls, text)
        value.scaled = scaled
        value.places = len(fraction)
        return value


class Quantity(Scaled):
    """At most 4 decimals; `scaled` in ten-thousandths."""

    __slots__ = ()
    decimals = 4
    words = "a decimal string with at most 4 decimals"
    spelling = re.compile(r"-?[0-9]{1,13}(?:\.[0-9]{1,4})?")


class UnitPrice(Scaled):
    """Minor units with at most 4 decimals, on the wire an integer or a decimal string; `scaled` in ten-thousandths."""

    __slots__ = ()
    decimals = 4
    words = "an integer, or a decimal string with at most 4 decimals"
    spelling = Quantity.spelling


class Rate(Scaled):
    """A fraction of one with at most 6 decimals; `scaled` in millionths."""

    __slots__ = ()
    decimals = 6
    words = 'a decimal string with at most 6 decimals, a fraction: 5.5 % is "0.055"'
    spelling = re.compile(r"-?[0-9]{1,13}(?:\.[0-9]{1,6})?")


# Tills send the same few prices, quantities and rates all day long. Texts only: to a cache 1, 1.0 and True are one.
_READERS: Mapping[type, Callable[[str], Any]] = {
    JsonObject: JsonObject,
    **{kind: lru_cache(maxsize=4096)(kind) for kind in (Quantity, UnitPrice, Rate)},
}


def read_scalar(kind: type, value: Any) -> Any:
    """The `dec_hook` of msgspec for the types above and `JsonObject`. Raises ValueError where `value` is none of `kind`."""
    if type(value) is str:
        return _READERS[kind](value)
    if kind is JsonObject:
        return JsonObject(value)
    # bool is an int to Python, and 1.0 a float to JSON: neither is an integer of the protocol.
    if kind is UnitPrice and type(value) is int:
        if abs(value) > MAX_MINOR:
            raise ValueError("Expected a number within ±10^12")
        return _READERS[kind](str(value))
    scaled: type[Scaled] = kind
    raise ValueError(f"Expected {scaled.words}")


def write_scalar(value: Any) -> Any:
    """The inverse, and the `enc_hook` of msgspec: as a terminal spells it. Raises NotImplementedError for other types."""
    if isinstance(value, JsonObject):
        return msgspec.Raw(value.text)
    if isinstance(value, UnitPrice) and not value.places:
        return int(value)
    if isinstance(value, Scaled):
        return str(value)
    raise NotImplementedError(f"{type(value)} is not a scalar of the protocol.")


def scalar_schema(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema of the same types: the `schema_hook` of msgspec. Raises NotImplementedError for others."""
    if kind is JsonObject:
        return {"type": "object"}
    if not issubclass(kind, Scaled):
        raise NotImplementedError(f"{kind} is not a scalar of the protocol.")
    text = {"type": "string", "pattern": f"^{kind.spelling.pattern}$"}
    if kind is UnitPrice:
        return {"anyOf": [{"type": "integer", "minimum": -MAX_MINOR, "maximum": MAX_MINOR}, text]}
    return text


def is_in_years(instant: datetime) -> bool:
    """Whether `instant` is between the years 2000 and 2099, as spelled in its own offset (protocol §2.5)."""
    return FIRST_YEAR <= instant.year <= LAST_YEAR


def is_canonical_uuid(text: str) -> bool:
    """Whether `text` is a UUID in the 36-character form, in either case (protocol §2.5)."""
    return _CANONICAL_UUID.fullmatch(text) is not None


def is_spelled_canonically(identifier: UUID, *, name: bytes, raw: bytes) -> bool:
    """Whether the JSON `raw` has a field `name` with `identifier` in lower-case canonical form; False decides nothing.

    msgspec also reads UUIDs without dashes. This settles the normal case at no cost, the rest is for the slow road.
    """
    spelled = _encode(identifier)
    return b'"%b":%b' % (name, spelled) in raw or b'"%b": %b' % (name, spelled) in raw
