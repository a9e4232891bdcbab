"""Numbers that a close carries over: still open on the terminal, and for its next close to bring (protocol §6)."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.utils import CursorWrapper

from backoffice.postgres.arrays import integer_array
from backoffice.postgres.transactions import transaction_required
from backoffice.sales.models import Shift

SELECT_LAST_CARRIED = """
SELECT carried_on FROM sales_shift
WHERE terminal_id = %(terminal_id)s AND close_received_at IS NOT NULL ORDER BY close_received_at DESC LIMIT 1
"""

# Numbers that were used are passed over, and what an earlier shift still waits for stays that shift's.
SELECT_OPEN = """
WITH waiting AS MATERIALIZED (
    SELECT carried_in, declared FROM sales_shift
    WHERE terminal_id = %(terminal_id)s AND state = 'closing' AND close_received_at IS NOT NULL
    ORDER BY close_received_at DESC LIMIT %(most)s
)
SELECT DISTINCT listed.number FROM unnest(%(numbers)s::bigint[]) AS listed (number)
WHERE NOT EXISTS (
    SELECT FROM sales_identity i WHERE i.terminal_id = %(terminal_id)s AND i.number = listed.number
) AND NOT EXISTS (
    SELECT FROM waiting s WHERE (listed.number = ANY(s.carried_in)
        OR listed.number BETWEEN (s.declared ->> 'first_number')::bigint AND (s.declared ->> 'last_number')::bigint
        AND NOT coalesce(s.declared -> 'carried_over' @> to_jsonb(listed.number), false))
) ORDER BY 1
"""
# The last that closed: whoever has more that wait must bring what is theirs in any case.
MOST_WAITING = 100


def last_carried(cursor: CursorWrapper, *, terminal_id: int) -> list[int] | None:
    """What the terminal's last close left to the next; None where that is nothing."""
    cursor.execute(SELECT_LAST_CARRIED, {"terminal_id": terminal_id})
    row = cursor.fetchone()
    return row[0] if row and row[0] else None


@transaction_required
def carry_over(cursor: CursorWrapper, shift: Shift, *, listed: Sequence[int]) -> None:
    """Notes what a shift that closes now brings from the close before, and what it leaves to the next. The caller saves it.

    Call it before the close is stored: the close before is the last that is.
    """
    key: dict[str, Any] = {"terminal_id": shift.terminal_id}
    brought = sorted(set(last_carried(cursor, terminal_id=shift.terminal_id) or ()).difference(listed))
    shift.carried_in = brought or None
    if listed:
        cursor.execute(SELECT_OPEN, key | {"numbers": integer_array(listed), "most": MOST_WAITING})
        shift.carried_on = [number for (number,) in cursor.fetchall()] or None
