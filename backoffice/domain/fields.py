"""The scalar types of the wire: money, numbers, instants, quantities, prices and rates (protocol §2.4, §2.5).

`Quantity`, `UnitPrice` and `Rate` are Decimals that also know themselves as an integer of their smallest unit, so that
arithmetic on them is exact and cheap. Decode with `dec_hook=read_scalar`.
"""

import re
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Self

from msgspec import Meta

from backoffice.domain.money import MAX_MINOR, PRICE_SCALE, QUANTITY_SCALE, RATE_SCALE

MAX_NUMBER = 2**53 - 1
FIRST_YEAR, LAST_YEAR = 2000, 2099

Money = Annotated[int, Meta(ge=-MAX_MINOR, le=MAX_MINOR)]
Number = Annotated[int, Meta(ge=1, le=MAX_NUMBER)]
Instant = Annotated[datetime, Meta(tz=True)]

_SCALE_DIGITS = {QUANTITY_SCALE: 4, RATE_SCALE: 6}


class Scaled(Decimal):
    """A decimal with a fixed number of decimals, within ±10^12; `scaled` is its value in its smallest unit."""

    __slots__ = ("scaled",)

    scaled: int
    decimals: int = 0
    spelling: re.Pattern[str] = re.compile(r"-?[0-9]{1,13}")

    @classmethod
    def read(cls, text: str) -> Self:
        """From a decimal string in ASCII digits. Raises ValueError where it is none, too fine or too large."""
        if cls.spelling.fullmatch(text) is None:
            raise ValueError(f"Expected a decimal string with at most {cls.decimals} decimals, in ASCII digits")
        whole, _, fraction = text.partition(".")
        scaled = int(whole + fraction.ljust(cls.decimals, "0"))
        if abs(scaled) > MAX_MINOR * 10**cls.decimals:
            raise ValueError("Expected a number within ±10^12")
        value = cls(text)
        value.scaled = scaled
        return value


class Quantity(Scaled):
    """At most 4 decimals; `scaled` in ten-thousandths."""

    __slots__ = ()
    decimals = 4
    spelling = re.compile(r"-?[0-9]{1,13}(?:\.[0-9]{1,4})?")


class UnitPrice(Scaled):
    """Minor units with at most 4 decimals, on the wire a decimal string or an integer; `scaled` in ten-thousandths."""

    __slots__ = ()
    decimals = 4
    spelling = Quantity.spelling


class Rate(Scaled):
    """A fraction of one with at most 6 decimals; `scaled` in millionths."""

    __slots__ = ()
    decimals = 6
    spelling = re.compile(r"-?[0-9]{1,13}(?:\.[0-9]{1,6})?")
