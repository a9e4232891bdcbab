"""The rows of a journal as values: a snapshot of when they were read."""

from dataclasses import dataclass

import msgspec

from backoffice_terminal.learning import learn_types
from backoffice_terminal.orders import Order


class Opening(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body that opens a shift (§4)."""

    number: int
    opened_at: str
    cashier: str
    opening_float: int
    first_number: int
    currency: str
    prices_include_tax: bool
    closed_at: str | None = None


class Movement(msgspec.Struct, frozen=True):
    """Cash put into or taken out of the drawer; `amount` > 0."""

    movement_id: str
    kind: str
    amount: int
    reason: str
    occurred_at: str
    cashier: str


@dataclass(frozen=True)
class SavedShift:
    shift_id: str
    number: int
    first_number: int
    opening: bytes
    opened: bool
    counted: int | None
    closed_at: str | None
    declaration: bytes | None
    declared: bool
    state: str
    settled_at: str | None

    @property
    def terms(self) -> Opening:
        return msgspec.json.decode(self.opening, type=Opening)


@dataclass(frozen=True)
class SavedBatch:
    batch_id: str
    shift_id: str
    sent_at: str
    orders: list[str]
    movements: list[str]
    state: str
    problem: str
    outcomes: dict[str, int]


@dataclass(frozen=True)
class Cached:
    """Orders that only the terminal has. `total` covers the paid ones: signed, in minor units."""

    orders: int
    total: int
    oldest_at: str | None


@dataclass(frozen=True)
class SavedOrder:
    order_id: str
    number: int
    order: Order
    outcome: str | None
    reasons: list[str]


@dataclass(frozen=True)
class Sold:
    """An order as the terminal knows it. `label` is what the cashier sees; `outcome` is None until it is known."""

    order: Order
    label: str
    outcome: str | None
    reasons: list[str]


learn_types(globals())
