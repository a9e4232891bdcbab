"""The rows of a journal as values: a snapshot of when they were read."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from backoffice_terminal.api import Result
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


def saved_shift(row: sqlite3.Row) -> SavedShift:
    return SavedShift(**{**dict(row), "opened": bool(row["opened"]), "declared": bool(row["declared"])})


def saved_batch(row: sqlite3.Row) -> SavedBatch:
    lists = {"orders": listed(row["orders"]), "movements": listed(row["movements"])}
    outcomes = msgspec.json.decode(row["outcomes"], type=dict[str, int])
    return SavedBatch(**{**dict(row), **lists, "outcomes": outcomes})


def saved_order(row: sqlite3.Row) -> SavedOrder:
    order = msgspec.json.decode(row["body"], type=Order)
    return SavedOrder(row["order_id"], row["number"], order, row["outcome"], listed(row["reasons"]))


def outcomes_of(ids: list[str], results: Sequence[Result]) -> list[tuple[str, str, str]]:
    """Outcome, reasons and id of every member. A receipt does not list members that were posted without a reason."""
    told = {result.index: (result.outcome, as_json([reason.code for reason in result.reasons])) for result in results}
    return [(*told.get(index, ("posted", "[]")), id_) for index, id_ in enumerate(ids)]


def as_json(value: list[str]) -> str:
    return msgspec.json.encode(value).decode()


def listed(text: str) -> list[str]:
    return msgspec.json.decode(text, type=list[str])


learn_types(globals())
