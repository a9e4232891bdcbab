"""How figures and times are written for people: money in its currency, times in the store's time zone."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision

LOCALE = "en_GB"
MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
_LETTER_THEN_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)")
_UNSENDABLE = re.compile("[\ud800-\udfff\0]")
_ELLIPSIS = "…"


def money(amount: int, currency: str) -> str:
    """Minor units as people write them: 1050 is `€10.50`, `JP¥1,050` or `KWD 1.050`; with a true minus if negative."""
    return _written(Decimal(abs(amount)).scaleb(-get_currency_precision(currency)), currency, negative=amount < 0)


def price(unit_price: Decimal, currency: str) -> str:
    """A price in minor units, which may have decimals (fuel): 158.9 is `€1.589`."""
    digits = get_currency_precision(currency)
    exact = abs(unit_price).scaleb(-digits).normalize()
    shown = exact.quantize(Decimal(1).scaleb(-max(digits, -int(exact.as_tuple().exponent))))
    return _written(shown, currency, negative=unit_price < 0)


def _written(amount: Decimal, currency: str, *, negative: bool) -> str:
    text = format_currency(amount, currency, locale=LOCALE, decimal_quantization=False)
    return (MINUS if negative else "") + _LETTER_THEN_DIGIT.sub(NO_BREAK, text)


def quantity(value: Decimal) -> str:
    """A quantity without trailing zeros: 2.0000 is `2`, 0.3500 is `0.35`."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return text.replace("-", MINUS)


def duration(span: timedelta) -> str:
    """A duration in its two largest units: `2 d 4 h`, `12 min`, `under a second`."""
    seconds = int(abs(span).total_seconds())
    if seconds < 1:
        return "under a second"
    parts = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{NO_BREAK}{unit}")
        elif parts:
            break
        if len(parts) == 2:  # noqa: PLR2004 - more would be noise
            break
    return " ".join(parts)


def number_ranges(ranges: Iterable[tuple[int, int]], *, limit: int = 100) -> str:
    """Order numbers as people name them: `1021–1023, 1030`; the first `limit` ranges."""
    return some_of([str(first) if first == last else f"{first}–{last}" for first, last in ranges], limit=limit)


def sendable(text: str, *, limit: int) -> str:
    """What a page can carry of a text that a till sent: no half of a surrogate pair, no U+0000, no more than `limit`."""
    shown = text if len(text) <= limit else text[: limit - 1] + _ELLIPSIS
    return _UNSENDABLE.sub("\N{REPLACEMENT CHARACTER}", shown)


def some_of(texts: Sequence[str], *, limit: int) -> str:
    """The first of these with commas, and how many more there are."""
    more = len(texts) - limit
    return ", ".join(texts[:limit]) + (f" and {more:,} more" if more > 0 else "")


def counted(count: int, one: str, many: str = "") -> str:
    """`1 order`, `2 orders`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
