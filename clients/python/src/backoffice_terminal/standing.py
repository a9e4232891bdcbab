"""What a terminal says of itself in a heartbeat (§4)."""

from backoffice_terminal.api import Heartbeat
from backoffice_terminal.journal import Journal
from backoffice_terminal.orders import Mode


def standing(journal: Journal, *, sent_at: str, mode: Mode, app_version: str) -> Heartbeat:
    """By its own journal."""
    shift, cached = journal.current_shift(), journal.cached()
    next_number = journal.next_number("order_number")
    return Heartbeat(
        sent_at=sent_at,
        offline_mode=mode == "offline",
        cached_orders=cached.orders,
        cached_total=cached.total,
        oldest_cached_at=cached.oldest_at,
        last_number=next_number - 1 if next_number > 1 else None,
        shift_id=shift.shift_id if shift is not None and shift.opened else None,
        app_version=app_version,
    )
