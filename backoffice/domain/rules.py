"""What holds an order, and what flags it from itself, its shift, the settings and how it came (protocol §5).

A hold keeps an order out of the books until a person decides; a flag is posted all the same. The order of the
reasons is fixed: that of the rules below, and within one rule that of the order's own lists. Rules that need other
orders take what was looked up as arguments.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from msgspec import UNSET

from backoffice.domain import reasons as codes
from backoffice.domain.accounts import LINE_KINDS
from backoffice.domain.limits import (
    MAX_CODE,
    MAX_LINES,
    MAX_PAYMENTS,
    MAX_TAXES,
    exceeded,
    exceeded_by_movement,
    has_long_texts,
    huge_discounts,
    is_usual,
    long_texts,
    long_texts_of_movement,
)
from backoffice.domain.money import gross_amount, tax_is_plausible
from backoffice.domain.orders import TAX_KINDS, CashMovement, Line, Order, Payment
from backoffice.domain.reasons import Reason

MAX_OF_A_CODE = 5
MAX_CLOCK_SKEW_MS = 10 * 60 * 1000

CARD_WINDOW = timedelta(hours=24)
# A reference that more other payments than this have within the window ("VISA") names no payment, and is flagged no more.
MOST_SHARING = 50
CARD_METHODS = frozenset({"card", "wallet"})
NO_REFERENCES: frozenset[str] = frozenset()
ORDER_TYPES = frozenset({"on_table", "takeaway", "delivery"})


class Shift(msgspec.Struct, kw_only=True, frozen=True):
    """What the rules need to know of a shift; `closed_at` is None while it is open."""

    shift_id: UUID
    terminal_id: int
    currency: str
    prices_include_tax: bool
    opened_at: datetime
    closed_at: datetime | None = None
    first_number: int
    business_date: date


class StoreSettings(msgspec.Struct, kw_only=True, frozen=True):
    """A store's settings, money in minor units. What is None flags nothing (protocol §4).

    `order_types` None means the protocol's own three, which hold in every store that does not say otherwise.
    `rounding_mode` is `nearest`, `down` or `up`, None means the nearest.
    """

    max_order_total: int | None = None
    min_refund_total: int | None = None
    refund_days: int | None = None
    order_types: frozenset[str] | None = None
    rounding_step: int | None = None
    rounding_mode: str | None = None


class Circumstances(msgspec.Struct, kw_only=True, frozen=True):
    """How the batch came: after the close and not listed by it; with which skew of the clock (device minus server).

    `entered_on` is the first open day where the books of its business date are locked, and None where they are open.
    """

    late: bool = False
    clock_skew_ms: int | None = None
    entered_on: date | None = None


def holds(order: Order, *, shift: Shift, methods: Collection[str]) -> tuple[Reason, ...]:
    """Why the order is held; () when it can be posted. `methods` are the payment methods mapped to an account.

    Exact, in minor units. Limits hold every order, since nothing beyond them can be kept as a sale; arithmetic, signs,
    methods and kinds only those that post: voided and training orders are not checked.
    """
    total, paid, has_accounts = order.rounding, 0, True
    for line in order.lines:
        total += line.amount
        if not shift.prices_include_tax:
            for tax in line.taxes:
                total += tax.amount
        if line.kind not in LINE_KINDS:
            has_accounts = False
    for payment in order.payments:
        paid += payment.amount
        if payment.method not in methods:
            has_accounts = False
    adds_up = total == order.total and paid == order.total + order.tip
    if adds_up and has_accounts and is_usual(order):
        return ()
    found = list(exceeded(order))
    if order.status == "paid":
        found += _not_what_it_says(order)
        found += _sums(order, total=total, paid=paid)
        found += _unknown(order, methods=methods)
        if shift.prices_include_tax:
            found += huge_discounts(order)
    return bounded(found)


def _not_what_it_says(order: Order) -> Iterator[Reason]:
    """A refund that takes money, which nobody can tell from a sale; an adjustment that sells."""
    if order.kind == "refund" and order.total > 0:
        yield Reason(codes.REFUND_NOT_NEGATIVE, "/total", f"A refund of {order.total} would take money")
    if order.adjusts is not None and (order.lines or order.total):
        pointer = "/lines" if order.lines else "/total"
        yield Reason(codes.ADJUSTMENT_WITH_LINES, pointer, "It changes how another order was paid, and nothing else")


def bounded(found: Sequence[Reason]) -> tuple[Reason, ...]:
    """At most a few of each code: an order of 500 wrong lines says so often enough, and receipts stay small."""
    if len(found) <= MAX_OF_A_CODE:
        return tuple(found)
    count: Counter[str] = Counter()
    kept = []
    for reason in found:
        count[reason.code] += 1
        if count[reason.code] <= MAX_OF_A_CODE:
            kept.append(reason)
    return tuple(kept)


def _sums(order: Order, *, total: int, paid: int) -> Iterator[Reason]:
    if total != order.total:
        yield Reason(codes.SUMS_DO_NOT_ADD_UP, "/total", f"The total is {order.total}, the lines come to {total}")
    due = order.total + order.tip
    if paid != due:
        yield Reason(codes.PAYMENTS_DO_NOT_ADD_UP, "/payments", f"{due} with the tip, the payments come to {paid}")


def _unknown(order: Order, *, methods: Collection[str]) -> Iterator[Reason]:
    for index, line in enumerate(order.lines[:MAX_LINES]):
        if line.kind not in LINE_KINDS:
            yield Reason(codes.UNKNOWN_LINE_KIND, f"/lines/{index}/kind", f"No rule posts {line.kind[:MAX_CODE]!r}")
        for place, tax in enumerate(line.taxes[:MAX_TAXES]):
            if tax.kind not in TAX_KINDS:
                detail = f"Nobody knows what {tax.kind[:MAX_CODE]!r} is computed from"
                yield Reason(codes.UNKNOWN_TAX_KIND, f"/lines/{index}/taxes/{place}/kind", detail)
    for index, payment in enumerate(order.payments[:MAX_PAYMENTS]):
        if payment.method not in methods:
            detail = f"No account is mapped to {payment.method[:MAX_CODE]!r}"
            yield Reason(codes.UNMAPPED_METHOD, f"/payments/{index}/method", detail)


def flags(order: Order, *, shift: Shift, settings: StoreSettings, circumstances: Circumstances) -> tuple[Reason, ...]:
    """Flags that the order, its shift, the settings and the circumstances decide.

    Voided and training orders are not checked for arithmetic, nor against limits of money that they never moved.
    """
    found: list[Reason] = []
    if order.mode == "offline" and (order.customer is not None or order.printed_to == "network"):
        found += _offline_flags(order)
    found += _hours_flags("/closed_at", order.closed_at, shift=shift)
    found += _circumstance_flags(circumstances)
    if order.number < shift.first_number and order.opened_at >= shift.opened_at:
        detail = f"Below the shift's first number {shift.first_number}"
        found.append(Reason(codes.NUMBER_OUT_OF_RANGE, "/number", detail))
    if order.type is not None:
        known = ORDER_TYPES if settings.order_types is None else settings.order_types
        if order.type not in known:
            found.append(Reason(codes.UNKNOWN_TYPE, "/type", f"{order.type[:MAX_CODE]!r} is not known"))
    if order.status == "paid":
        for index, line in enumerate(order.lines):
            _check_line(line, f"/lines/{index}", shift=shift, found=found)
        _check_money(order, settings=settings, found=found)
    if has_long_texts(order):
        found += long_texts(order)
    return bounded(found)


def _offline_flags(order: Order) -> Iterator[Reason]:
    if order.customer is not None:
        yield Reason(codes.CUSTOMER_ON_OFFLINE_ORDER, "/customer", "A terminal that is offline knows no customers")
    if order.printed_to == "network":
        yield Reason(codes.NETWORK_PRINT_ON_OFFLINE_ORDER, "/printed_to", "Offline there is no network printer")


def _hours_flags(pointer: str, moment: datetime, *, shift: Shift) -> tuple[Reason, ...]:
    """Times are the device's own on both sides, so they are compared without tolerance.

    Of an order it is its closing: a table may be opened in one shift, under a number of that, and paid in the next.
    """
    if moment < shift.opened_at:
        return (Reason(codes.OUTSIDE_SHIFT_HOURS, pointer, "Before the shift opened"),)
    if shift.closed_at is not None and moment > shift.closed_at:
        return (Reason(codes.OUTSIDE_SHIFT_HOURS, pointer, "After the shift closed"),)
    return ()


def _circumstance_flags(circumstances: Circumstances) -> list[Reason]:
    found = []
    skew_ms = circumstances.clock_skew_ms
    if skew_ms is not None and abs(skew_ms) > MAX_CLOCK_SKEW_MS:
        direction = "ahead of" if skew_ms > 0 else "behind"
        found.append(Reason(codes.CLOCK_SKEW, "", f"The device's clock is {abs(skew_ms) // 1000} s {direction} ours"))
    if circumstances.late:
        found.append(Reason(codes.LATE, "", "Received after the close, in a batch that the close does not list"))
    if circumstances.entered_on is not None:
        found.append(Reason(codes.IN_LOCKED_PERIOD, "", f"Entered in the books on {circumstances.entered_on}"))
    return found


def _check_line(line: Line, pointer: str, *, shift: Shift, found: list[Reason]) -> None:
    """The base of a line's taxes is its amount less all taxes included in it (protocol §5)."""
    gross = gross_amount(quantity=line.quantity, unit_price=line.unit_price)
    if line.amount != gross - line.discount:
        detail = f"The amount is {line.amount}, quantity times price less discount is {gross - line.discount}"
        found.append(Reason(codes.LINE_AMOUNT_MISMATCH, f"{pointer}/amount", detail))
        if gross * (line.amount + line.discount) < 0:
            detail = f"{line.amount + line.discount} before discount, quantity times price is {gross}"
            found.append(Reason(codes.SIGN_MISMATCH, f"{pointer}/amount", detail))
    base = line.amount
    if shift.prices_include_tax:
        for tax in line.taxes:
            base -= tax.amount
    for place, tax in enumerate(line.taxes):
        if tax.kind == "percent":
            taxed = base
        elif tax.kind == "compound":
            taxed = base + _not_compound(line)
        else:
            continue
        if not tax_is_plausible(tax=tax.amount, base=taxed, rate=tax.rate, quantity=line.quantity):
            detail = f"{tax.amount} is not {tax.rate} of {taxed}"
            found.append(Reason(codes.TAX_MISMATCH, f"{pointer}/taxes/{place}/amount", detail))


def _not_compound(line: Line) -> int:
    return sum(tax.amount for tax in line.taxes if tax.kind != "compound")


def _check_money(order: Order, *, settings: StoreSettings, found: list[Reason]) -> None:
    step = settings.rounding_step
    if step is not None and order.rounding:
        _check_rounding(abs(order.rounding), step=step, mode=settings.rounding_mode, found=found)
    for index, payment in enumerate(order.payments):
        if payment.method == "cash" and (payment.tendered is not UNSET or payment.change is not UNSET):
            tendered, change = payment.tendered_minor or 0, payment.change_minor or 0
            if payment.amount != tendered - change:
                detail = f"{tendered} tendered less {change} change is not {payment.amount}"
                found.append(Reason(codes.CHANGE_MISMATCH, f"/payments/{index}/change", detail))
    highest, lowest = settings.max_order_total, settings.min_refund_total
    if highest is not None and abs(order.total) > highest:
        found.append(Reason(codes.OVER_MAX_ORDER_TOTAL, "/total", f"The store's maximum is {highest}"))
    if order.kind == "refund" and lowest is not None and -order.total < lowest:
        found.append(Reason(codes.REFUND_BELOW_MINIMUM, "/total", f"The store's minimum is {lowest}"))


def _check_rounding(moved: int, *, step: int, mode: str | None, found: list[Reason]) -> None:
    """Rounding moves a total by at most half a step to the nearest multiple, and by less than a step down or up."""
    if mode in {"down", "up"}:
        if moved >= step:
            found.append(Reason(codes.ROUNDING_EXCESSIVE, "/rounding", f"Not less than the step of {step}"))
    elif 2 * moved > step:
        found.append(Reason(codes.ROUNDING_EXCESSIVE, "/rounding", f"More than half of the step of {step}"))


class CardPayment(msgspec.Struct, kw_only=True, frozen=True):
    """A payment of another paid order of the same store. `family` is that order with all that it gives back or adjusts."""

    order_id: UUID
    family: frozenset[UUID]
    reference: str
    closed_at: datetime


def family_of(order: Order) -> frozenset[UUID]:
    """The order itself, and all that it gives back or adjusts."""
    named = (order.order_id, order.refund_of, order.adjusts, *[line.refund_of for line in order.lines])
    return frozenset(order_id for order_id in named if order_id is not None)


def card_references(order: Order) -> frozenset[str]:
    """The references to look up for `same_card_flags`: those of card and wallet payments of a paid order, none empty.

    Gift cards and vouchers keep their reference over many payments, so the same one twice says nothing of them.
    """
    if order.status != "paid":
        return NO_REFERENCES
    found = [payment.reference for payment in order.payments if is_compared(order, payment)]
    return frozenset(found) if found else NO_REFERENCES


def is_compared(order: Order, payment: Payment) -> bool:
    """Whether the payment's reference is compared with those of other orders; of a long one the tables have the beginning."""
    return 0 < len(payment.reference) <= MAX_CODE and payment.method in CARD_METHODS and order.status == "paid"


def same_card_flags(
    order: Order, *, others: Iterable[CardPayment], flagged: Collection[Reason] = ()
) -> tuple[Reason, ...]:
    """`same-card-payment`: another order of the store has the same reference within 24 hours either way.

    An order, its refunds, exchanges and adjustments share theirs, and are not flagged for it. A reference that more than
    `MOST_SHARING` others have is not flagged; that many and one of each reference are enough to be given. `flagged` are the order's own flags from an
    earlier look: what is returned comes on top of them.
    """
    near = [
        other
        for other in others
        if other.order_id != order.order_id and abs(other.closed_at - order.closed_at) <= CARD_WINDOW
    ]
    if not near:
        return ()
    sharing, family = Counter(other.reference for other in near), _with_relatives(family_of(order), near)
    suspect = {
        other.reference
        for other in near
        if family.isdisjoint(other.family) and sharing[other.reference] <= MOST_SHARING
    } & card_references(order)
    found = [
        Reason(codes.SAME_CARD_PAYMENT, f"/payments/{index}/reference", "Also on another order within 24 hours")
        for index, payment in enumerate(order.payments)
        if payment.method in CARD_METHODS and payment.reference in suspect
    ]
    before = [reason for reason in flagged if reason.code == codes.SAME_CARD_PAYMENT]
    return tuple(reason for reason in found if reason not in before)[: MAX_OF_A_CODE - len(before)]


def _with_relatives(family: frozenset[UUID], others: Sequence[CardPayment]) -> frozenset[UUID]:
    """With the families that touch it, and those that touch these: the refund of an exchange is of the first sale too."""
    strangers = others
    while True:
        relatives = [other.family for other in strangers if not family.isdisjoint(other.family)]
        if not relatives:
            return family
        strangers = [other for other in strangers if family.isdisjoint(other.family)]
        family = family.union(*relatives)


def movement_holds(movement: CashMovement) -> tuple[Reason, ...]:
    """Why the cash movement is held; () when it can be posted."""
    found = list(exceeded_by_movement(movement))
    if movement.amount <= 0:
        found.append(Reason(codes.AMOUNT_NOT_POSITIVE, "/amount", "`kind` says which way the money went"))
    return tuple(found)


def movement_flags(
    movement: CashMovement, *, shift: Shift, reasons: Collection[str], circumstances: Circumstances
) -> tuple[Reason, ...]:
    """Flags of a cash movement. `reasons` are those mapped to an account; no reason at all is an unknown one."""
    found = [
        *_hours_flags("/occurred_at", movement.occurred_at, shift=shift),
        *_circumstance_flags(circumstances),
    ]
    if movement.reason not in reasons:
        found.append(
            Reason(codes.UNKNOWN_CASH_REASON, "/reason", f"{movement.reason[:MAX_CODE]!r} is posted to suspense")
        )
    found += long_texts_of_movement(movement)
    return tuple(found)
