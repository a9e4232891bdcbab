"""Why something is not decided: words for the person, a code for a program, and places where there are some."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from backoffice.domain.reasons import Reason, reasons_json


class NotDecided(Exception):
    """Nothing was decided. `errors` are places in what was handed in: `[{"code", "pointer", "detail"}]`."""

    def __init__(self, code: str, detail: str, errors: Iterable[Reason] = ()) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.errors: list[dict[str, Any]] = reasons_json(errors)


class AlreadyDecided(NotDecided):
    """Somebody else was first."""

    def __init__(self, detail: str) -> None:
        super().__init__("already-decided", detail)


def read_uuid(value: Any, *, code: str, detail: str) -> UUID:
    """An identifier as people name it. Raises NotDecided, with these words, where it is none."""
    try:
        return UUID(str(value))
    except ValueError:
        raise NotDecided(code, detail) from None
