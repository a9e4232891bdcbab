"""How figures and times are written for people, in their language: money in its currency, times in the store's zone.

Programs read the canonical formats of exports, which know no language.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache

from babel import Locale
from babel.numbers import format_currency, format_decimal, get_currency_precision
from django.utils.translation import gettext, ngettext, ngettext_lazy

from backoffice.languages.moments import locale

# Whoever calls `counted` names its things in English; these are the texts that translators see.
COUNTED = (
    ngettext_lazy("{count} order", "{count} orders"),
    ngettext_lazy("{count} upload", "{count} uploads"),
    ngettext_lazy("{count} shift", "{count} shifts"),
    ngettext_lazy("{count} closed shift", "{count} closed shifts"),
    ngettext_lazy("{count} cash movement", "{count} cash movements"),
    ngettext_lazy("{count} held", "{count} held"),
)
MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
_LETTER_THEN_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)")
_WITHOUT_DECIMALS = re.compile(r"\.0+")
_UNSENDABLE = re.compile("[\ud800-\udfff\0]")
_ELLIPSIS = "…"


def whole(value: int) -> str:
    """A number of things: `1,234`, in French `1 234`; with a true minus if negative."""
    return (MINUS if value < 0 else "") + format_decimal(abs(value), locale=locale())


def percent(value: Decimal | float, *, places: int, fixed: bool = False) -> str:
    """A share of one: 0.055 is `5.5 %`; with at most so many places, or always as many."""
    digits = "0" * places if fixed else "#" * places
    text = format_decimal(abs(Decimal(value) * 100), f"#,##0.{digits}", locale=locale())
    return f"{MINUS if value < 0 else ''}{text}{NO_BREAK}%"


def money(amount: int, currency: str) -> str:
    """Minor units as people write them: 1050 is `€10.50`, in French `10,50 €`; `JP¥1,050`, `KWD 1.050`.

    With a true minus if negative.
    """
    return _written(Decimal(abs(amount)).scaleb(-get_currency_precision(currency)), currency, negative=amount < 0)


def signed_money(amount: int, currency: str) -> str:
    """Money with its sign, a plus too: what is over or short."""
    return ("+" if amount > 0 else "") + money(amount, currency)


def whole_money(amount: int, currency: str) -> str:
    """Money to the nearest whole unit, for a glance: 123456 is `€1,235`, in French `1 235 €`."""
    units = Decimal(abs(amount)).scaleb(-get_currency_precision(currency)).quantize(Decimal(1), ROUND_HALF_EVEN)
    pattern = _WITHOUT_DECIMALS.sub("", locale().currency_formats["standard"].pattern)
    text = format_currency(units, currency, pattern, locale=locale(), currency_digits=False)
    return (MINUS if amount < 0 and units else "") + _LETTER_THEN_DIGIT.sub(NO_BREAK, text)


def price(unit_price: Decimal, currency: str) -> str:
    """A price in minor units, which may have decimals (fuel): 158.9 is `€1.589`."""
    digits = get_currency_precision(currency)
    exact = abs(unit_price).scaleb(-digits).normalize()
    shown = exact.quantize(Decimal(1).scaleb(-max(digits, -int(exact.as_tuple().exponent))))
    return _written(shown, currency, negative=unit_price < 0)


def _written(amount: Decimal, currency: str, *, negative: bool) -> str:
    text = format_currency(amount, currency, locale=locale(), decimal_quantization=False)
    return (MINUS if negative else "") + _LETTER_THEN_DIGIT.sub(NO_BREAK, text)


def quantity(value: Decimal) -> str:
    """A quantity without trailing zeros: 2.0000 is `2`, 0.3500 is `0.35`, in French `0,35`."""
    text = f"{abs(value):f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return (MINUS if value < 0 else "") + text.replace(".", _point(locale()))


@cache
def _point(spoken: Locale) -> str:
    return str(format_decimal(Decimal("0.5"), locale=spoken)[1])


def duration(span: timedelta) -> str:
    """A duration in its two largest units: `2 d 4 h`, `12 min`, `under a second`."""
    seconds = int(abs(span).total_seconds())
    if seconds < 1:
        return gettext("under a second")
    parts = []
    for size, unit in ((86_400, gettext("d")), (3_600, "h"), (60, "min"), (1, "s")):
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
    return ", ".join(texts[:limit]) + (gettext(" and {more} more").format(more=whole(more)) if more > 0 else "")


def counted(count: int, one: str, many: str = "") -> str:
    """`1 order`, `2 orders`, in the reader's language where it is one of `COUNTED`."""
    single, plural = "{count} " + one, "{count} " + (many or one + "s")
    return ngettext(single, plural, count).format(count=whole(count))
