"""Amounts by payment method, as people hand them in."""

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import gettext

from backoffice.books.refusals import NotDecided
from backoffice.domain.reasons import Reason
from backoffice.domain.scalars import MAX_MINOR


def read_amounts(value: Any, *, known: Collection[str], name: str) -> dict[str, int]:
    """Method → minor units, of `{"card": 1500}` or `[{"method": "card", "amount": 1500}]`.

    `name` is what it is called where it is wrong. Raises NotDecided, which names every place.
    """
    errors: list[Reason] = []
    amounts: dict[str, int] = {}
    for pointer, method, amount in _pairs(value, name=name):
        if not isinstance(method, str) or method not in known:
            errors.append(Reason("unmapped-method", pointer, f"No account is mapped to {method!r:.70}"))
        elif type(amount) is not int or abs(amount) > MAX_MINOR:
            errors.append(Reason("not-an-amount", pointer, f"{amount!r:.40} is no amount in minor units"))
        else:
            amounts[method] = amounts.get(method, 0) + amount
    if errors:
        raise NotDecided("cannot-be-posted", gettext("The {name} cannot be read.").format(name=name), errors)
    return amounts


def _pairs(value: Any, *, name: str) -> list[tuple[str, Any, Any]]:
    """Each with the place where it stands."""
    if isinstance(value, Mapping):
        return [(f"/{name}/{method}", method, amount) for method, amount in value.items()]
    if isinstance(value, list) and all(isinstance(paid, dict) for paid in value):
        return [(f"/{name}/{place}", paid.get("method"), paid.get("amount")) for place, paid in enumerate(value)]
    raise NotDecided("cannot-be-posted", gettext("The {name} must be amounts by method.").format(name=name))
