"""What cases are made of: lines, payments, orders and where they are sold. All amounts are in minor units."""

from dataclasses import dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from backoffice.domain.money import gross_amount
from backoffice.domain.scalars import Quantity, UnitPrice

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A store with its settings, and a shift of one of its terminals."""

    currency: str = "EUR"
    timezone: str = "Europe/Paris"
    prices_include_tax: bool = True
    settings: Json = field(default_factory=dict)
    opened_at: str = "2026-03-01T08:00:00+01:00"
    closed_at: str | None = None
    first_number: int = 1001


PARIS = Place()
NEW_YORK = Place(
    currency="USD", timezone="America/New_York", prices_include_tax=False, opened_at="2026-03-01T02:00:00-05:00"
)
TOKYO = Place(currency="JPY", timezone="Asia/Tokyo", opened_at="2026-03-01T09:00:00+09:00")
KUWAIT = Place(currency="KWD", timezone="Asia/Kuwait", opened_at="2026-03-01T09:00:00+03:00")
ZURICH = Place(currency="CHF", timezone="Europe/Zurich", settings={"rounding_step": 5, "rounding_mode": "nearest"})
ON_TOP = Place(prices_include_tax=False)


@dataclass(frozen=True, kw_only=True)
class OrderCase:
    """One order, and the reasons that it must get: `code@pointer`. `entry` is written by hand where a document has it."""

    name: str
    order: Any
    reasons: tuple[str, ...] = ()
    at: Place = PARIS
    source: str = "protocol §5"
    late: bool = False
    clock_skew_ms: int | None = None
    entry: str | None = None


@dataclass(frozen=True, kw_only=True)
class MovementCase:
    """One cash movement."""

    name: str
    movement: Any
    reasons: tuple[str, ...] = ()
    at: Place = PARIS
    source: str = "protocol §5"
    entry: str | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A batch of orders. `outcomes` has one line for each: the outcome, then its reasons as `code@pointer`."""

    orders: tuple[Any, ...]
    outcomes: tuple[str, ...]
    terminal: int = 1
    shift: int = 1


@dataclass(frozen=True, kw_only=True)
class SequenceCase:
    """Batches that are processed one after the other. `afterwards` has orders whose flags changed, as a line of `Step`."""

    name: str
    steps: tuple[Step, ...]
    at: Place = PARIS
    source: str = "protocol §5, Outcomes"
    afterwards: Json = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ShiftOfDay:
    """A shift of a drawer: its float, what was sold and moved in it, and its close, with all that must come of it."""

    opening_float: int
    orders: tuple[Json, ...] = ()
    movements: tuple[Json, ...] = ()
    counted: int | None
    float_left: int | None = None
    state: str = "reconciled"
    flags: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()
    opening_entry: str = ""
    over_short_entry: str = ""
    to_the_safe_entry: str = ""


@dataclass(frozen=True, kw_only=True)
class DrawerCase:
    """Shifts of one terminal, one after the other."""

    name: str
    shifts: tuple[ShiftOfDay, ...]
    at: Place = PARIS
    source: str = "protocol §6"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """A heartbeat before an opening: what it said of the clock, and when the service received the two."""

    clock_skew_ms: int
    heartbeat_at: str
    opening_at: str


@dataclass(frozen=True, kw_only=True)
class ShiftInARow:
    """One of a terminal's shifts, and how it stands once all of them were sent.

    `declared` is what the close says besides what follows from the orders; None leaves it open. `missing` are inclusive
    ranges; `corrected` is the true time of the opening, "" where it is as it was sent.
    """

    opening: Json
    heard: Heard | None = None
    orders: tuple[Json, ...] = ()
    unreadable: tuple[Json, ...] = ()
    declared: Json | None = None
    flags: tuple[str, ...] = ()
    state: str = "reconciled"
    missing: tuple[tuple[int, int], ...] = ()
    corrected: str = ""
    business_date: str = "2026-03-01"


@dataclass(frozen=True, kw_only=True)
class ShiftsCase:
    """Shifts of one terminal, one after the other: their numbers, their tables and their clocks.

    Each order is posted, and each that cannot be read is held.
    """

    name: str
    shifts: tuple[ShiftInARow, ...]
    at: Place = PARIS
    source: str = "protocol §4"


def id_of(name: str) -> str:
    """The identifier of the order or movement of that name: the same in every run."""
    return str(uuid5(NAMESPACE_URL, f"https://vectors.example/{name}"))


def tax(code: str, rate: str, amount: int, **fields: Any) -> Json:
    """One tax of a line; `kind` where it is no plain percentage."""
    return {"code": code, "rate": rate, "amount": amount, **fields}


def line(quantity: str, unit_price: int | str, *taxes: Json, **fields: Any) -> Json:
    """A line whose amount is right, unless `amount` says otherwise."""
    gross = gross_amount(quantity=Quantity(quantity), unit_price=UnitPrice(str(unit_price)))
    usual = {"quantity": quantity, "unit_price": unit_price, "amount": gross - fields.get("discount", 0)}
    return {**usual, **fields, "taxes": list(taxes)}


def goods(amount: int, **fields: Any) -> Json:
    """One untaxed piece that is sold, or given back where it is below 0."""
    return line("1" if amount >= 0 else "-1", abs(amount), **fields)


def pay(**amounts: int) -> list[Json]:
    """Payments, by method."""
    return [{"method": method, "amount": amount} for method, amount in amounts.items()]


def order(name: str, *lines: Json, on_top: bool = False, **fields: Any) -> Json:
    """A paid sale whose sums are right: in cash, unless `payments` or `by` (a method) say otherwise.

    `on_top` adds the taxes to the total. The name gives the identifier.
    """
    taxes = sum(each["amount"] for one in lines for each in one.get("taxes", ())) if on_top else 0
    total = fields.get("total", sum(one["amount"] for one in lines) + taxes + fields.get("rounding", 0))
    paid = {fields.pop("by", "cash"): total + fields.get("tip", 0)}
    usual = {
        "order_id": id_of(name),
        "number": 1001,
        "mode": "online",
        "kind": "sale",
        "status": "paid",
        "opened_at": "2026-03-01T11:00:00+01:00",
        "closed_at": "2026-03-01T11:02:00+01:00",
        "lines": list(lines),
        "total": total,
        "payments": pay(**paid),
    }
    return {**usual, **fields}


def refund(name: str, *lines: Json, of: str | None = None, **fields: Any) -> Json:
    """As `order`, a refund of the order of the name `of`."""
    original = {} if of is None else {"refund_of": id_of(of)}
    return order(name, *lines, kind="refund", **original, **fields)


def adjustment(name: str, *, of: str, tip: int = 0, **fields: Any) -> Json:
    """An order that changes how the order of the name `of` was paid, or its tip; its payments by method."""
    payments = fields.pop("payments")
    return order(name, adjusts=id_of(of), tip=tip, payments=payments, **fields)


def movement(name: str, amount: int, **fields: Any) -> Json:
    """Cash that is put into the drawer."""
    usual = {
        "movement_id": id_of(name),
        "kind": "cash_in",
        "amount": amount,
        "reason": "change",
        "occurred_at": "2026-03-01T11:00:00+01:00",
        "cashier": "Anna",
    }
    return {**usual, **fields}


def case(name: str, *lines: Json, reasons: tuple[str, ...] = (), at: Place = PARIS, **fields: Any) -> OrderCase:
    """A sale with its case: the case's own fields are taken out of the order's."""
    own = {key: fields.pop(key) for key in ("source", "late", "clock_skew_ms", "entry") if key in fields}
    on_top = not at.prices_include_tax
    return OrderCase(name=name, order=order(name, *lines, on_top=on_top, **fields), reasons=reasons, at=at, **own)


def refund_case(name: str, *lines: Json, of: str, **fields: Any) -> OrderCase:
    """As `case`, a refund of an order that is not in the books: no order alone can tell what it gives back."""
    unknown = "refund-of-unknown-order@/refund_of"
    reasons = (*fields.pop("reasons", ()), unknown)
    return case(name, *lines, kind="refund", refund_of=id_of(of), reasons=reasons, **fields)
