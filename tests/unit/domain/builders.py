"""What the tests of the rules are made of: orders as a terminal sends them, and their shift."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import msgspec

from backoffice.domain.orders import CashMovement, Order
from backoffice.domain.reasons import REASONS, Reason
from backoffice.domain.rules import Circumstances, Shift, StoreSettings
from backoffice.domain.wire.members import read_movement, read_order

ORDER_ID = "01953a3e-0000-7000-8000-000000000001"
OTHER_ID = "01953a3e-0000-7000-8000-000000000002"
SHIFT_ID = UUID("01953a3e-0000-7000-8000-0000000000aa")
OTHER_SHIFT_ID = UUID("01953a3e-0000-7000-8000-0000000000bb")


def wire_tax(amount: int, rate: str = "0.055", code: str = "FR-5.5") -> dict[str, Any]:
    return {"code": code, "rate": rate, "amount": amount}


def wire_line(**fields: Any) -> dict[str, Any]:
    """2 of 1.20 with 0.13 tax included."""
    return {"quantity": "2", "unit_price": 120, "amount": 240, "taxes": [wire_tax(13)], **fields}


def plain_line(amount: int, **fields: Any) -> dict[str, Any]:
    """One untaxed piece."""
    return {"quantity": "1" if amount >= 0 else "-1", "unit_price": abs(amount), "amount": amount, **fields}


def cash(amount: int, **fields: Any) -> dict[str, Any]:
    return {"method": "cash", "amount": amount, **fields}


def paid_by(method: str, amount: int, **fields: Any) -> dict[str, Any]:
    return {"method": method, "amount": amount, **fields}


def wire_order(**fields: Any) -> dict[str, Any]:
    """The first worked example: 2 of 1.20 at 5.5 % included, paid 5.00 in cash."""
    return {
        "order_id": ORDER_ID,
        "number": 1017,
        "mode": "online",
        "kind": "sale",
        "status": "paid",
        "opened_at": "2026-03-01T11:00:00+01:00",
        "closed_at": "2026-03-01T11:02:00+01:00",
        "lines": [wire_line()],
        "total": 240,
        "payments": [cash(240, tendered=500, change=260)],
        **fields,
    }


def wire_movement(**fields: Any) -> dict[str, Any]:
    return {
        "movement_id": ORDER_ID,
        "kind": "cash_in",
        "amount": 5000,
        "reason": "change",
        "occurred_at": "2026-03-01T11:00:00+01:00",
        "cashier": "Anna",
        **fields,
    }


def raw(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def spelled_out(member: msgspec.Struct) -> bytes:
    """A member as read, to compare by: two orders are never the same object."""
    return msgspec.json.encode(member, enc_hook=str, order="deterministic")


def an_order(**fields: Any) -> Order:
    order = read_order(raw(wire_order(**fields)))
    assert isinstance(order, Order), order
    return order


def a_movement(**fields: Any) -> CashMovement:
    movement = read_movement(raw(wire_movement(**fields)))
    assert isinstance(movement, CashMovement), movement
    return movement


def a_shift(**fields: Any) -> Shift:
    usual: dict[str, Any] = {
        "shift_id": SHIFT_ID,
        "terminal_id": 1,
        "currency": "EUR",
        "prices_include_tax": True,
        "opened_at": datetime(2026, 3, 1, 7, tzinfo=UTC),
        "first_number": 1001,
        "business_date": date(2026, 3, 1),
    }
    return Shift(**{**usual, **fields})


NO_SETTINGS = StoreSettings()
ORDINARY = Circumstances()


def places(reasons: tuple[Reason, ...]) -> list[tuple[str, str]]:
    """Codes and pointers, each code known to the catalogue."""
    assert all(reason.code in REASONS for reason in reasons)
    return [(reason.code, reason.pointer) for reason in reasons]
