"""An order or cash movement as a form: each field of what was sent, to be corrected one by one."""

from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import msgspec
from django import forms

from backoffice.books.held import IDENTIFIERS
from backoffice.domain.orders import Line, Order, Payment
from backoffice.languages.formats import sendable
from backoffice.review.admin.deciding.amounts import amount_field, to_major, to_minor
from backoffice.review.comparing import AMOUNTS, is_amount
from backoffice.review.words import place

# As many as a form may have, but for its own.
FIELDS_OFFERED = 900
MOST_CHARACTERS = 500
# What names it stays, and what is no plain value is not typed.
STAYS = frozenset({*IDENTIFIERS.values(), "number"})

Way = tuple[str | int, ...]


class TypedValue(NamedTuple):
    """One value of what was sent: where it is, and what it is. `is_money` where it is an amount in minor units."""

    path: Way
    value: Any
    is_money: bool

    @property
    def label(self) -> str:
        """The place in words: `Line 1, amount`."""
        pointer = "".join(f"/{str(token).replace('/', '∕')}" for token in self.path)
        return sendable(place(pointer).capitalize(), limit=MOST_CHARACTERS)


def leaves_of(value: Any, path: Way = ()) -> Iterator[TypedValue]:
    """Every plain value in a member, in its order; not what identifies it."""
    if isinstance(value, dict):
        for key, member in value.items():
            if path or key not in STAYS:
                yield from leaves_of(member, (*path, key))
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from leaves_of(member, (*path, index))
    elif path and _can_be_typed(value):
        yield TypedValue(path, value, path[-1] in AMOUNTS and is_amount(value))


def _can_be_typed(value: Any) -> bool:
    """Not what no field can carry, such as half of a surrogate pair, a second line, or a number beyond all numbers."""
    if isinstance(value, str):
        return sendable(value, limit=MOST_CHARACTERS) == value and len(value.splitlines()) <= 1
    return value is None or isinstance(value, int | float)


def typed_values(sent: Any) -> dict[str, TypedValue]:
    """The values that are typed, by the names of their fields; none of what is no order, or has too many of them."""
    found = list(leaves_of(sent)) if isinstance(sent, dict) else []
    return {f"leaf_{index}": leaf for index, leaf in enumerate(found)} if len(found) <= FIELDS_OFFERED else {}


def lacks_only_values(sent: dict[str, Any], pointers: Collection[str]) -> bool:
    """Whether an order has every field that it needs, and what stands at each of these places is one of those typed."""
    lines, payments = sent.get("lines"), sent.get("payments")
    if not (_has_all(sent, Order) and isinstance(lines, list) and isinstance(payments, list)):
        return False
    if not all(_has_all(line, Line) for line in lines) or not all(_has_all(paid, Payment) for paid in payments):
        return False
    typed = {"".join(f"/{token}" for token in leaf.path) for leaf in typed_values(sent).values()}
    return typed.issuperset(pointers)


def _has_all(value: Any, kind: type[Order | Line | Payment]) -> bool:
    needed = {field.name for field in msgspec.structs.fields(kind) if field.required}
    return isinstance(value, dict) and needed <= value.keys()


def initial_of(leaf: TypedValue, currency: str) -> Any:
    """What its field shows to begin with."""
    return to_major(leaf.value, currency) if leaf.is_money else _typed(leaf.value)


def field_of(leaf: TypedValue, currency: str) -> forms.Field:
    """The field in which a value is typed."""
    if leaf.is_money:
        return amount_field(currency, leaf.label, required=True)
    if isinstance(leaf.value, bool):
        return forms.BooleanField(label=leaf.label, required=False)
    if isinstance(leaf.value, int):
        return forms.IntegerField(label=leaf.label)
    return forms.CharField(label=leaf.label, required=False, strip=False)


def correction_of(sent: Any, leaves: Mapping[str, TypedValue], said: Mapping[str, Any], currency: str) -> Any:
    """The version as corrected: what was not touched is as it was sent."""
    if not leaves:
        return said["whole"]
    version = deepcopy(sent)
    for name, leaf in leaves.items():
        part = version
        for token in leaf.path[:-1]:
            part = part[token]
        part[leaf.path[-1]] = _untyped(leaf, said[name], currency=currency)
    return version


def _untyped(leaf: TypedValue, typed: Any, *, currency: str) -> Any:
    """What was typed, as the member has it."""
    if leaf.is_money:
        return to_minor(typed, currency)
    return leaf.value if str(typed) == str(_typed(leaf.value)) else typed


def _typed(value: Any) -> Any:
    return "" if value is None else value
