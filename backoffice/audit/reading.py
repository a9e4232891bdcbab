"""Bytes to values with the standard library alone: the audit's own reader of protocol §5.

No figure in the books may come from a float: a float in place of an integer makes its member unreadable.
"""

import json
import math
import re
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from backoffice.audit.values import Customer, Line, Movement, Order, Payment, Tax

MAX_MINOR = 10**12
MAX_NUMBER = 2**53 - 1
MAX_FINITE_DIGITS = 309
MAX_LINES, MAX_PAYMENTS, MAX_TAXES = 500, 20, 10
MAX_CODE = 64

UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
INSTANT = re.compile(r"20\d\d-\d\d-\d\d[Tt ]\d\d:\d\d:[0-5]\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
QUANTITY = re.compile(r"-?[0-9]+(?:\.[0-9]{1,4})?")
RATE = re.compile(r"-?[0-9]+(?:\.[0-9]{1,6})?")
NOT_TEXT = re.compile("[\0\ud800-\udfff]")


class ReadingError(Exception):
    """It is not a batch, an order or a cash movement; the message says why."""


def read_batch_body(body: bytes) -> tuple[list[Any], list[Any]]:
    """The JSON values of the orders and of the cash movements, in the order sent. Raises ReadingError."""
    try:
        envelope = _parse(body.decode())
    except (ValueError, RecursionError) as error:
        raise ReadingError(f"the stored body is not JSON: {error}") from None
    orders, movements = (
        (envelope.get("orders", []), envelope.get("cash_movements", [])) if isinstance(envelope, dict) else (None, None)
    )
    if not isinstance(orders, list) or not isinstance(movements, list):
        raise ReadingError("the stored body is not a batch")
    return orders, movements


def is_text_throughout(value: Any) -> bool:
    """Whether a value is free of U+0000 and of half surrogate pairs, which PostgreSQL cannot store."""
    if isinstance(value, str):
        return NOT_TEXT.search(value) is None
    if isinstance(value, dict):
        return all(is_text_throughout(name) and is_text_throughout(member) for name, member in value.items())
    return not isinstance(value, list) or all(map(is_text_throughout, value))


def item_identifier(value: Any, name: str) -> str | None:
    """The identifier called `name` in a member, in lower case; None if it cannot be read."""
    text = value.get(name) if isinstance(value, dict) else None
    return text.lower() if isinstance(text, str) and UUID.fullmatch(text) else None


def order_of_before(value: Any) -> Order | None:
    """One member of `orders` as it was read before `adjusts`, a line's `refund_of` and a tax's `kind` were known.

    What came under these names was passed over, whatever it was. None if it cannot be read so either.
    """
    try:
        return read_order(_without_new_names(value))
    except ReadingError:
        return None


def _without_new_names(order: Any) -> Any:
    if not isinstance(order, dict):
        return order
    lines = order.get("lines")
    if isinstance(lines, list):
        lines = [_line_without_new_names(line) if isinstance(line, dict) else line for line in lines]
    known = {name: member for name, member in order.items() if name != "adjusts"}
    return known | {"lines": lines} if "lines" in known else known


def _line_without_new_names(line: dict[str, Any]) -> dict[str, Any]:
    taxes = line.get("taxes")
    if isinstance(taxes, list):
        taxes = [{**tax, "kind": "percent"} if isinstance(tax, dict) else tax for tax in taxes]
    known = {**line, "refund_of": None}
    return known | {"taxes": taxes} if "taxes" in known else known


def read_order(value: Any) -> Order:
    """One member of `orders`, within the protocol's limits. Raises ReadingError."""
    try:
        return _order(value)
    except KeyError as error:
        raise ReadingError(f"{error} is missing") from None


def read_movement(value: Any) -> Movement:
    """One member of `cash_movements`. Raises ReadingError."""
    try:
        amount = _money(value, "amount")
        movement = Movement(
            movement_id=_uuid(value, "movement_id"),
            kind=_one_of(value, "kind", "cash_in", "cash_out"),
            amount=amount,
            reason=_text(value, "reason", MAX_CODE),
            occurred_at=_instant(value, "occurred_at"),
            cashier=_text(value, "cashier"),
        )
    except (KeyError, TypeError) as error:
        raise ReadingError(f"not a cash movement: {error}") from None
    if amount <= 0:
        raise ReadingError(f"amount is {amount}")
    return movement


def _order(value: Any) -> Order:
    if not isinstance(value, dict):
        raise ReadingError("it is not an object")
    number, order_type, customer = value["number"], value.get("type"), value.get("customer")
    if type(number) is not int or not 1 <= number <= MAX_NUMBER:
        raise ReadingError(f"number is {number!r:.40}")
    if not (customer is None or isinstance(customer, dict)):
        raise ReadingError("customer is not an object")
    return Order(
        order_id=_uuid(value, "order_id"),
        number=number,
        mode=_one_of(value, "mode", "online", "offline"),
        kind=_one_of(value, "kind", "sale", "refund"),
        status=_one_of(value, "status", "paid", "voided", "training"),
        type=None if order_type is None else _text(value, "type", MAX_CODE),
        opened_at=_instant(value, "opened_at"),
        closed_at=_instant(value, "closed_at"),
        cashier=_text(value, "cashier"),
        customer=None if customer is None else Customer(json.dumps(customer)),
        printed_to=_one_of(value, "printed_to", "none", "local", "network") if "printed_to" in value else "none",
        refund_of=_uuid_or_none(value, "refund_of"),
        adjusts=_uuid_or_none(value, "adjusts"),
        note=_text(value, "note"),
        rounding=_money(value, "rounding") if "rounding" in value else 0,
        total=_money(value, "total"),
        tip=_money(value, "tip") if "tip" in value else 0,
        lines=tuple(map(_line, _list(value["lines"], "lines", MAX_LINES))),
        payments=tuple(map(_payment, _list(value["payments"], "payments", MAX_PAYMENTS))),
    )


def _line(value: Any) -> Line:
    if not isinstance(value, dict):
        raise ReadingError("a line is not an object")
    price = value["unit_price"]
    return Line(
        kind=_text(value, "kind", MAX_CODE, "item"),
        sku=_text(value, "sku"),
        name=_text(value, "name"),
        quantity=_decimal(value["quantity"], QUANTITY),
        unit_price=Decimal(_money(value, "unit_price")) if type(price) is int else _decimal(price, QUANTITY),
        discount=_money(value, "discount") if "discount" in value else 0,
        amount=_money(value, "amount"),
        refund_of=_uuid_or_none(value, "refund_of"),
        taxes=tuple(map(_tax, _list(value.get("taxes", []), "taxes", MAX_TAXES))),
    )


def _tax(value: Any) -> Tax:
    if not isinstance(value, dict):
        raise ReadingError("a tax is not an object")
    code, rate, amount = _text(value, "code", MAX_CODE, None), _decimal(value["rate"], RATE), _money(value, "amount")
    return Tax(code, rate, amount, _text(value, "kind", default="percent"))


def _payment(value: Any) -> Payment:
    if not isinstance(value, dict):
        raise ReadingError("a payment is not an object")
    return Payment(
        method=_text(value, "method", MAX_CODE, None),
        amount=_money(value, "amount"),
        tendered=_money(value, "tendered") if "tendered" in value else None,
        change=_money(value, "change") if "change" in value else None,
        reference=_text(value, "reference"),
    )


def _list(value: Any, name: str, most: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise ReadingError(f"{name} is not an array of at most {most}")
    return value


def _money(value: dict[str, Any], name: str) -> int:
    amount = value[name]
    # bool is an int in Python, but not in the protocol.
    if type(amount) is not int or not -MAX_MINOR <= amount <= MAX_MINOR:
        raise ReadingError(f"{name} is not an amount: {amount!r:.40}")
    return amount


def _text(value: dict[str, Any], name: str, most: int | None = None, default: str | None = "") -> str:
    """A text of at most `most` characters, or of any length; required if there is no default."""
    text = value[name] if default is None else value.get(name, default)
    if not isinstance(text, str):
        raise ReadingError(f"{name} is not a text")
    if most is not None and len(text) > most:
        raise ReadingError(f"{name} is not a text of at most {most} characters")
    return text


def _one_of(value: dict[str, Any], name: str, *known: str) -> str:
    text = value[name]
    if text not in known:
        raise ReadingError(f"{name} is {text!r:.40}")
    return str(text)


def _uuid(value: dict[str, Any], name: str) -> str:
    text = item_identifier(value, name)
    if text is None:
        raise ReadingError(f"{name} is not a UUID: {value[name]!r:.40}")
    return text


def _uuid_or_none(value: dict[str, Any], name: str) -> str | None:
    return None if value.get(name) is None else _uuid(value, name)


def _instant(value: dict[str, Any], name: str) -> datetime:
    text = value[name]
    try:
        if isinstance(text, str) and INSTANT.fullmatch(text):
            return datetime.fromisoformat(text.upper())
    except ValueError:
        pass
    raise ReadingError(f"{name} is not an RFC 3339 time with an offset: {text!r:.40}")


def _decimal(text: Any, spelling: re.Pattern[str]) -> Decimal:
    if not isinstance(text, str):
        raise ReadingError(f"{text!r:.40} is not a decimal string")
    return _parse_decimal(text, spelling)


# Tills send the same few prices, quantities and rates all day.
@lru_cache(maxsize=8192)
def _parse_decimal(text: str, spelling: re.Pattern[str]) -> Decimal:
    if spelling.fullmatch(text) is None:
        raise ReadingError(f"{text!r:.40} is not a decimal string")
    number = Decimal(text)
    if abs(number) > MAX_MINOR:
        raise ReadingError(f"{text!r:.40} is beyond 10^12")
    return number


def _parse(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=no_constant)
    except json.JSONDecodeError:
        raise
    except ValueError:  # thousands of digits: the slower way is exact as well
        return json.loads(text, parse_constant=no_constant, parse_int=read_integer)


def read_integer(text: str) -> int | float:
    """An integer of any length; infinity where no double holds it."""
    # Python refuses thousands of digits; nothing beyond a double can be posted anyway.
    return int(text) if len(text) <= MAX_FINITE_DIGITS else math.inf


def no_constant(name: str) -> None:
    """Raises ValueError: NaN and Infinity are not JSON."""
    raise ValueError(f"{name} is not JSON")
