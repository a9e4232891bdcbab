"""A writer that is a part of something larger refuses to run where nobody has opened a transaction for the whole."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import transaction

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class OutsideTransaction(RuntimeError):
    """A function was called outside a transaction that may only be called inside one: a mistake in the calling code."""


def transaction_required(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Marks a function whose caller opens the transaction. Raises `OutsideTransaction` where the caller has not.

    Use cases alone open transactions (`transaction.atomic`), so that what belongs together is committed together.
    """

    @wraps(function)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        if not transaction.get_connection().in_atomic_block:
            raise OutsideTransaction(f"{function.__qualname__} must be called inside a transaction.")
        return function(*args, **kwargs)

    return checked
