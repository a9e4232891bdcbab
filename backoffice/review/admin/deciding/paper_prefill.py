"""What can still be told of an order that cannot be read, to begin with when it is typed anew.

It may be any JSON: what is not as expected is left out, and a person types it.
"""

import contextlib
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from backoffice.domain.limits import MAX_CODE, MAX_NAME, MAX_PAYMENTS
from backoffice.domain.scalars import MAX_NUMBER, Quantity, UnitPrice
from backoffice.languages.formats import sendable
from backoffice.review.admin.deciding.amounts import to_major
from backoffice.review.admin.deciding.paper_rows import MOST_LINES, PaperSettings, key_of_taxes
from backoffice.review.comparing import is_amount
from backoffice.review.words import KINDS, LINE_KINDS, TYPES


class ReadLoosely(NamedTuple):
    """Initial values: of the form's own fields, and of each row."""

    heads: dict[str, Any]
    lines: list[dict[str, Any]]
    payments: list[dict[str, Any]]


def read_loosely(sent: Any, settings: PaperSettings, *, zone: str) -> ReadLoosely:
    """What stands where it should in what was sent."""
    if not isinstance(sent, dict):
        return ReadLoosely({}, [], [])
    lines, payments = (
        [each for each in _list(sent.get(name)) if isinstance(each, dict)] for name in ("lines", "payments")
    )
    return ReadLoosely(
        _heads(sent, settings.currency, zone),
        [_line(line, settings) for line in lines[:MOST_LINES]],
        [_payment(payment, settings) for payment in payments[:MAX_PAYMENTS]],
    )


def _heads(sent: dict[str, Any], currency: str, zone: str) -> dict[str, Any]:
    number = sent.get("number")
    found: dict[str, Any] = {"is_offline": sent.get("mode") == "offline", "cashier": _text(sent, "cashier", MAX_NAME)}
    if type(number) is int and 1 <= number <= MAX_NUMBER:
        found["number"] = number
    found |= {name: sent[name] for name, known in (("kind", KINDS), ("type", TYPES)) if _is_one(sent.get(name), known)}
    found |= {name: _amount(sent, name, currency) for name in ("total", "tip", "rounding") if sent.get(name)}
    found["gives_back"] = _text(sent, "refund_of", MAX_CODE)
    with contextlib.suppress(ValueError, OverflowError):
        at = datetime.fromisoformat(_text(sent, "closed_at", MAX_CODE)).astimezone(ZoneInfo(zone))
        found |= {"day": at.date(), "time": at.time()}
    return found


def _line(line: dict[str, Any], settings: PaperSettings) -> dict[str, Any]:
    price = _decimal(line.get("unit_price"), UnitPrice)
    key = ""
    with contextlib.suppress(ValueError, TypeError, KeyError, AttributeError):
        key = key_of_taxes(line.get("taxes") or [])
    return {
        "name": _text(line, "name", MAX_NAME),
        "quantity": _decimal(line.get("quantity"), Quantity),
        "unit_price": None if price is None else to_major(price, settings.currency),
        "discount": _amount(line, "discount", settings.currency) if line.get("discount") else None,
        "kind": line["kind"] if _is_one(line.get("kind"), LINE_KINDS) else "item",
        "tax": key if key in settings.taxes else "",
    }


def _payment(payment: dict[str, Any], settings: PaperSettings) -> dict[str, Any]:
    known = {
        "amount": _amount(payment, "amount", settings.currency),
        "reference": _text(payment, "reference", MAX_CODE),
    }
    method = payment.get("method")
    return {**known, "method": method} if _is_one(method, settings.methods) else known


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_one(value: Any, known: Any) -> bool:
    return isinstance(value, str) and value in known


def _text(of: dict[str, Any], name: str, most: int) -> str:
    value = of.get(name)
    return sendable(value, limit=most) if isinstance(value, str) else ""


def _amount(of: dict[str, Any], name: str, currency: str) -> Decimal | None:
    value = of.get(name)
    return to_major(value, currency) if is_amount(value) else None


def _decimal(value: Any, kind: type[Quantity | UnitPrice]) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        return Decimal(kind(str(value)))
    except ValueError:
        return None
