"""What an opening says that is not as it should be, and when it really was (protocol §4)."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from backoffice.domain import reasons as codes
from backoffice.domain.limits import MAX_CODE
from backoffice.domain.reasons import Reason
from backoffice.domain.rules import MAX_CLOCK_SKEW_MS
from backoffice.domain.wire.messages import OpenShift

HEARTBEAT_COUNTS_FOR = timedelta(hours=24)
"""Back from the receipt of the opening: an older heartbeat says nothing of the clock."""


class TerminalBefore(NamedTuple):
    """What is known of a terminal when it opens a shift.

    `skew_ms` (device minus server) is what its last heartbeat, received at `told_at`, said of its clock.
    """

    skew_ms: int | None = None
    told_at: datetime | None = None
    number_used: bool = False
    first_number_used: bool = False


def corrected_opening(message: OpenShift, *, before: TerminalBefore, received_at: datetime) -> datetime | None:
    """When the shift really opened, where the device's clock is known to be wrong; None where `opened_at` stands.

    A shift opens online, so what is nearer to our own time is right. One that is recorded as ended keeps its time.
    """
    skew_ms, told_at = before.skew_ms, before.told_at
    if skew_ms is None or told_at is None or message.closed_at is not None:
        return None
    if abs(skew_ms) <= MAX_CLOCK_SKEW_MS or received_at - told_at > HEARTBEAT_COUNTS_FOR:
        return None
    corrected = message.opened_at.astimezone(UTC) - timedelta(milliseconds=skew_ms)
    return corrected if abs(corrected - received_at) < abs(message.opened_at - received_at) else None


def opening_flags(
    message: OpenShift, *, before: TerminalBefore, float_left: int | None, is_corrected: bool
) -> tuple[Reason, ...]:
    """Why a shift is flagged as it opens, in the order of the rules; pointers are within the opening.

    `float_left` is what the last close left in the drawer, in minor units; None where it said nothing.
    """
    found = []
    if is_corrected and before.skew_ms is not None:
        direction = "ahead of" if before.skew_ms > 0 else "behind"
        detail = f"The device's clock is {abs(before.skew_ms) // 1000} s {direction} ours"
        found.append(Reason(codes.CLOCK_SKEW, "/opened_at", detail))
    if before.number_used:
        found.append(Reason(codes.NUMBER_USED_BEFORE, "/number", "Another shift of this terminal has this number"))
    if before.first_number_used:
        detail = "An order of this terminal has this number; go on behind `last_number`"
        found.append(Reason(codes.NUMBER_USED_BEFORE, "/first_number", detail))
    if float_left is not None and float_left != message.opening_float:
        detail = f"The last close left {float_left}, the shift opened with {message.opening_float}"
        found.append(Reason(codes.OPENING_FLOAT_DIFFERS, "/opening_float", detail))
    if len(message.cashier) > MAX_CODE:
        detail = f"{len(message.cashier)} characters, of which {MAX_CODE} are shown"
        found.append(Reason(codes.TEXT_SHORTENED, "/cashier", detail))
    return tuple(found)
