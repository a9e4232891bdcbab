"""Cache files for the tests: what a till of theirs would save, signed by the client."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from backoffice_terminal.cache_file import signed

from tests.till import Till

OPENING = {
    "number": 311,
    "opened_at": "2026-03-01T08:00:00+01:00",
    "cashier": "Anna",
    "opening_float": 20000,
    "first_number": 1001,
}
SENT_AT = "2026-03-01T18:00:00+01:00"
SAVED_AT = "2026-03-01T19:00:00+01:00"


def cached_batch(*orders: Any, movements: Sequence[Any] = (), batch_id: UUID | str | None = None) -> dict[str, str]:
    """A batch that was not sent, in the very bytes in which `Till.upload` would send it."""
    body = {"sent_at": SENT_AT, "orders": list(orders), "cash_movements": list(movements)}
    return {"batch_id": str(batch_id or uuid4()), "body": json.dumps(body)}


def cached_shift(shift_id: UUID | str, *batches: Any, close: Any = None, **opening: Any) -> dict[str, Any]:
    """What is left of a shift that began as `Till.open` says, unless the test says otherwise."""
    closing = None if close is None else json.dumps(close)
    said = json.dumps(OPENING | opening)
    return {"shift_id": str(shift_id), "opening": said, "batches": list(batches), "close": closing}


def saved_cache(till: Till, *shifts: dict[str, Any], token: str | None = None, **changes: Any) -> bytes:
    """The file of a till, signed with its token or another."""
    terminal_id = str(till.terminal.uuid)
    content = {
        "terminal_id": terminal_id,
        "store_id": str(till.store.uuid),
        "books": None,
        "saved_at": SAVED_AT,
        "shifts": list(shifts),
    }
    text = json.dumps(content | changes).encode()
    return signed(text, terminal_id=terminal_id, token=token or str(till.token))
