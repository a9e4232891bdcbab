"""The lines of an order, and everything that a line decides by itself.

A till sells the same things at the same prices all day. So the same bytes of a line give the very same `Line`, and what
follows from a line alone is worked out once and stays with it. Lines are compared by identity: equal ones may be spelled
differently ("2" and "2.00"), and whether two orders are one is for `content_hash`.
"""

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from backoffice.domain import reasons as codes
from backoffice.domain.accounts import DISCOUNTS, LINE_ACCOUNTS, LINE_KINDS, RETURNS, SALES, TAX_PAYABLE
from backoffice.domain.limits import is_line_within_limits
from backoffice.domain.money import divide_half_away, gross_amount, tax_is_plausible
from backoffice.domain.reasons import Reason
from backoffice.domain.wire.json_values import may_be_uncarriable
from backoffice.domain.wire.scalars import Money, Quantity, Rate, UnitPrice, read_scalar

Credit = tuple[tuple[str, str], int]
"""Account and tax code, and the minor units that go to their credit side: a negative amount goes to the debit side."""

_encode = msgspec.msgpack.Encoder().encode


T = TypeVar("T")


class _kept(Generic[T]):  # noqa: N801 - a decorator, as `property` is
    """A property that is worked out once.

    `functools.cached_property` takes a lock each time: a batch of lines that nobody ever saw costs a tenth more by it.
    """

    def __init__(self, work: "Callable[[Line], T]") -> None:
        self._work = work
        self._name = work.__name__

    def __get__(self, line: "Line", _: Any) -> T:
        value = line.__dict__[self._name] = self._work(line)
        return value


class Tax(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """One tax of a line: `rate` as a fraction of one (0.055), `amount` in minor units, signed."""

    code: str
    rate: Rate
    amount: Money


class Line(msgspec.Struct, kw_only=True, frozen=True, eq=False, dict=True):
    """One line, signed: `amount` is net of `discount`, and includes its taxes where prices do."""

    kind: str = "item"
    sku: str = ""
    name: str = ""
    quantity: Quantity
    unit_price: UnitPrice
    discount: Money = 0
    amount: Money
    taxes: list[Tax] = []

    @_kept
    def content(self) -> msgspec.Raw:
        """Its part of the order's content, as `identity` describes it."""
        taxes = [(tax.code, tax.rate.scaled, tax.amount) for tax in self.taxes]
        content = (
            self.kind,
            self.sku,
            self.name,
            self.quantity.scaled,
            self.unit_price.scaled,
            self.discount,
            self.amount,
            taxes,
        )
        return msgspec.Raw(_encode(content))

    @_kept
    def tax(self) -> int:
        """All its taxes, in minor units."""
        return sum([tax.amount for tax in self.taxes])

    @_kept
    def inclusive(self) -> "Judgement":
        """What it comes to where prices include tax."""
        return _judge(self, prices_include_tax=True)

    @_kept
    def exclusive(self) -> "Judgement":
        """What it comes to where tax is added to prices."""
        return _judge(self, prices_include_tax=False)


class Judgement(NamedTuple):
    """What a line comes to in one of the two price modes.

    `gross` is its part of the order's total in minor units. `flags` have pointers within the line. `credits` is None where
    no rule posts a line of its kind: its order is held.
    """

    gross: int
    is_within_limits: bool
    flags: tuple[Reason, ...]
    credits: tuple[Credit, ...] | None


class Reader:
    """Reads lines and remembers by their bytes those that came more than once: the last of them, up to twice `most`.

    A line of more than `longest` bytes is none that is sold all day. Raises what msgspec raises for what is no line.
    """

    def __init__(self, *, most: int = 2_048, longest: int = 1_024) -> None:
        self._most, self._longest = most, longest
        self._decode = msgspec.json.Decoder(Line, dec_hook=read_scalar).decode
        self._recent: dict[bytes, Line] = {}
        self._before: dict[bytes, Line] = {}
        self._came_once: set[int] = set()

    def read(self, raws: list[msgspec.Raw]) -> list[Line]:
        """The lines of an order."""
        recent = self._recent.get
        return [recent(raw) or self._read(raw) for raw in map(bytes, raws)]

    def _read(self, raw: bytes) -> Line:
        known = self._before.get(raw)
        if known is not None:
            self._remember(raw, known)
            return known
        line = self._decode(raw)
        if may_be_uncarriable(raw):
            raise msgspec.ValidationError("Fields that we do not know may hold what cannot be carried")
        if len(raw) <= self._longest:
            # What never comes again, such as what is weighed, is not worth a place.
            trace = hash(raw)
            if trace in self._came_once:
                self._remember(raw, line)
            else:
                if len(self._came_once) >= 8 * self._most:
                    self._came_once.clear()
                self._came_once.add(trace)
        return line

    def _remember(self, raw: bytes, line: Line) -> None:
        """Two generations, of which the older is forgotten whole: nothing is written where a line is known."""
        if len(self._recent) >= self._most:
            self._before, self._recent = self._recent, {}
        self._recent[raw] = line


def _judge(line: Line, *, prices_include_tax: bool) -> Judgement:
    net = line.amount - line.tax if prices_include_tax else line.amount
    return Judgement(
        line.amount if prices_include_tax else line.amount + line.tax,
        is_line_within_limits(line),
        _flags(line, base=net),
        _credits(line, net=net, prices_include_tax=prices_include_tax) if line.kind in LINE_KINDS else None,
    )


def _flags(line: Line, *, base: int) -> tuple[Reason, ...]:
    found = []
    expected = gross_amount(quantity=line.quantity, unit_price=line.unit_price) - line.discount
    if line.amount != expected:
        detail = f"The amount is {line.amount}, quantity times price less discount is {expected}"
        found.append(Reason(codes.LINE_AMOUNT_MISMATCH, "/amount", detail))
    for place, tax in enumerate(line.taxes):
        if not tax_is_plausible(tax=tax.amount, base=base, rate=tax.rate):
            detail = f"{tax.amount} is not {tax.rate} of {base}"
            found.append(Reason(codes.TAX_MISMATCH, f"/taxes/{place}/amount", detail))
    return tuple(found)


def _credits(line: Line, *, net: int, prices_include_tax: bool) -> tuple[Credit, ...]:
    taxes = tuple([((TAX_PAYABLE, tax.code), tax.amount) for tax in line.taxes])
    if line.kind != "item":
        return (*taxes, ((LINE_ACCOUNTS[line.kind], ""), net))
    return taxes + _item_credits(line, net=net, prices_include_tax=prices_include_tax)


def _item_credits(line: Line, *, net: int, prices_include_tax: bool) -> tuple[Credit, ...]:
    """Sales before discount and the discount beside them; what comes back goes to returns, at what was paid for it."""
    if line.amount < 0 or (line.amount == 0 and line.quantity.scaled < 0):
        return (((RETURNS, ""), net),)
    discount = line.discount
    if discount and prices_include_tax and line.amount:
        discount = divide_half_away(numerator=discount * net, denominator=line.amount)
    if not discount:
        return (((SALES, ""), net),)
    return ((SALES, ""), net + discount), ((DISCOUNTS, ""), -discount)
