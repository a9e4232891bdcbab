"""What orders give back of others, and the flags that need those others (protocol §5, "How refunds are counted").

Money is in minor units. Amounts that are given back are above 0 here, at their gross value: tax included, rounding and tip
apart. A line of kind `discount` is neither sold nor given back.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from backoffice.domain import reasons as codes
from backoffice.domain.accounts import DISCOUNT_LINE
from backoffice.domain.orders import Line, Order, Payment
from backoffice.domain.reasons import Reason
from backoffice.domain.rules import StoreSettings

NO_ADJUSTMENTS: Mapping[str, int] = {}
NONE_NAMED: frozenset[UUID] = frozenset()


class Return(msgspec.Struct, kw_only=True, frozen=True):
    """What one order gives back of one original.

    `amount` is the gross value of its `line_count` lines, `paid_back` what the customer got where the order is a refund of
    this original alone, else 0. `line` is the first line that names the original, None where the order itself does.
    """

    original: UUID
    amount: int
    line_count: int
    paid_back: int
    line: int | None = None

    @property
    def pointer(self) -> str:
        """Where the original is named."""
        return "/refund_of" if self.line is None else f"/lines/{self.line}/refund_of"


class GivenBack(msgspec.Struct, kw_only=True, frozen=True):
    """What several orders gave back of one original: the sums of their returns."""

    amount: int = 0
    line_count: int = 0
    paid_back: int = 0

    def plus(self, returned: Return) -> "GivenBack":
        """With one return more."""
        return GivenBack(
            amount=self.amount + returned.amount,
            line_count=self.line_count + returned.line_count,
            paid_back=self.paid_back + returned.paid_back,
        )


class Original(msgspec.Struct, kw_only=True, frozen=True):
    """An order that another gives back.

    `total` is what it came to, `sold` the gross value of its positive lines and `gave_back` that of its negative ones, all 0
    where it was voided or for training. `methods` are those that it was paid with, None where there is nothing to compare.
    """

    is_sale: bool = True
    closed_at: datetime
    total: int
    sold: int
    gave_back: int = 0
    methods: frozenset[str] | None = None


def names_others(order: Order) -> bool:
    """Whether an order gives back or adjusts another: few do, and all else here is about them."""
    if order.refund_of is not None or order.adjusts is not None:
        return True
    for line in order.lines:  # noqa: SIM110 - a generator takes three times as long, for every order
        if line.refund_of is not None:
            return True
    return False


def named_orders(order: Order) -> frozenset[UUID]:
    """The orders whose figures its flags need: what it gives back and what it adjusts. None for what posts nothing."""
    if order.status != "paid" or not names_others(order):
        return NONE_NAMED
    named = {original for original, _ in _naming(order)}
    return frozenset(named if order.adjusts is None else {*named, order.adjusts})


def _naming(order: Order) -> Iterator[tuple[UUID, int | None]]:
    """Each original with the line that names it, None for the order itself. A refund gives back what it names, if nothing."""
    if order.kind == "refund" and order.refund_of is not None:
        yield order.refund_of, None
    for index, line in enumerate(order.lines):
        if not _gives_back(line):
            continue
        if line.refund_of is not None:
            yield line.refund_of, index
        elif order.refund_of is not None:
            yield order.refund_of, None


def _gives_back(line: Line) -> bool:
    return line.amount < 0 and line.kind != DISCOUNT_LINE


def _gross(line: Line, *, prices_include_tax: bool) -> int:
    return line.amount if prices_include_tax else line.amount + sum(tax.amount for tax in line.taxes)


def returns_of(order: Order, *, prices_include_tax: bool) -> list[Return]:
    """What the order gives back, by original, in the order in which it names them; [] for what posts nothing."""
    if order.status != "paid" or not names_others(order):
        return []
    first: dict[UUID, int | None] = {}
    for named, index in _naming(order):
        first.setdefault(named, index)
    amounts: Counter[UUID | None] = Counter()
    counts: Counter[UUID | None] = Counter()
    for line in filter(_gives_back, order.lines):
        attributed = line.refund_of or order.refund_of
        amounts[attributed] -= _gross(line, prices_include_tax=prices_include_tax)
        counts[attributed] += 1
    is_alone = order.kind == "refund" and len({*first, *counts}) == 1
    return [
        Return(
            original=original,
            amount=amounts[original],
            line_count=counts[original],
            paid_back=-order.total if is_alone else 0,
            line=index,
        )
        for original, index in first.items()
    ]


def original_of(order: Order, *, prices_include_tax: bool, adjusted: Mapping[str, int] = NO_ADJUSTMENTS) -> Original:
    """The figures of an order that others give back. `adjusted` is what its adjustments paid, by method."""
    is_sale = order.kind == "sale"
    if order.status != "paid":
        return Original(is_sale=is_sale, closed_at=order.closed_at, total=0, sold=0)
    lines = [line for line in order.lines if line.kind != DISCOUNT_LINE]
    gross = [(line.amount, _gross(line, prices_include_tax=prices_include_tax)) for line in lines]
    return Original(
        is_sale=is_sale,
        closed_at=order.closed_at,
        total=order.total,
        sold=sum(value for amount, value in gross if amount > 0),
        gave_back=-sum(value for amount, value in gross if amount < 0),
        methods=_paid_with(order.payments, adjusted) if is_sale else None,
    )


def paid_by_method(payments: Iterable[Payment]) -> dict[str, int]:
    """Σ amount by method, signed."""
    paid: dict[str, int] = {}
    for payment in payments:
        paid[payment.method] = paid.get(payment.method, 0) + payment.amount
    return paid


def _paid_with(payments: Iterable[Payment], adjusted: Mapping[str, int]) -> frozenset[str]:
    paid = paid_by_method(payments)
    return frozenset(method for method in {*paid, *adjusted} if paid.get(method, 0) + adjusted.get(method, 0) > 0)


def return_flags(
    order: Order, *, returned: Return, original: Original | None, before: GivenBack, settings: StoreSettings
) -> tuple[Reason, ...]:
    """Flags of what the order gives back of one original, which is None where it is not in the books.

    It has not arrived then, or it is held; to be asked again when it is posted. `before` is what others gave back of it. What
    is no sale is not counted. The days of `settings.refund_days` are spans of 24 hours between the two closings.
    """
    if original is None:
        return (Reason(codes.REFUND_OF_UNKNOWN_ORDER, returned.pointer, "No such order is in the books"),)
    if not original.is_sale:
        return (Reason(codes.REFUND_OF_REFUND, returned.pointer, "It is a refund itself"),)
    found = []
    days = settings.refund_days
    if days is not None and order.closed_at - original.closed_at > timedelta(days=min(days, timedelta.max.days)):
        pointer = "/closed_at" if returned.line is None else returned.pointer
        found.append(Reason(codes.REFUND_TOO_LATE, pointer, f"More than {days} days after the sale"))
    if (detail := _exceeds(returned, original=original, before=before, step=settings.rounding_step or 0)) is not None:
        pointer = "/total" if returned.line is None else returned.pointer
        found.append(Reason(codes.REFUND_EXCEEDS_ORIGINAL, pointer, detail))
    return tuple(found)


def _exceeds(returned: Return, *, original: Original, before: GivenBack, step: int) -> str | None:
    """How more was given back than sold, or more paid back than paid; None where it was not.

    Pieces are rounded one by one, so each line beyond the first may add a minor unit; cash is rounded to the store's step.
    """
    given_back = before.plus(returned)
    pieces = max(given_back.line_count - 1, 0)
    if returned.amount and given_back.amount > original.sold + pieces:
        return f"{given_back.amount} given back in all, {original.sold} were sold"
    paid = original.total + original.gave_back
    if returned.paid_back and given_back.paid_back > paid + step + pieces:
        return f"{given_back.paid_back} paid back in all, {paid} were paid"
    return None


def method_flags(order: Order, *, originals: Iterable[Original | None]) -> list[Reason]:
    """`refund-method-differs`: money back in a method that none of the order's originals was paid with.

    All of `originals` must be known and sales, or nothing is said.
    """
    paid_with: set[str] = set()
    for original in originals:
        if original is None or original.methods is None:
            return []
        paid_with |= original.methods
    paid = paid_by_method(order.payments)
    return [
        Reason(codes.REFUND_METHOD_DIFFERS, f"/payments/{index}/method", "No order that it gives back was paid with it")
        for index, payment in enumerate(order.payments)
        if payment.amount < 0 and paid[payment.method] < 0 and payment.method not in paid_with
    ]


def unknown_adjusted() -> Reason:
    """The flag of an order that adjusts one which is in the books of no terminal."""
    return Reason(codes.ADJUSTS_UNKNOWN_ORDER, "/adjusts", "No such order is in the books")
