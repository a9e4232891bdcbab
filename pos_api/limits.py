"""How much a terminal may send at once (protocol §4, `limits`)."""

from django.conf import settings
from msgspec import UNSET

from backoffice.domain.limits import MAX_MEMBER_BYTES
from backoffice.domain.wire.answers import LimitsAnswer

MAX_SMALL_BODY = 64 * 1024
"""Bytes of an activation, opening or heartbeat, both as sent and decoded."""


def current_limits(*, small: bool = False) -> LimitsAnswer:
    """The limits of a batch, as `GET /terminal` and a 413 give them; `small` adds the limit of the small messages."""
    return LimitsAnswer(
        max_batch_orders=settings.MAX_BATCH_ORDERS,
        max_batch_bytes=settings.MAX_BATCH_BYTES,
        max_decoded_bytes=settings.MAX_DECODED_BYTES,
        max_member_bytes=MAX_MEMBER_BYTES,
        max_message_bytes=MAX_SMALL_BODY if small else UNSET,
    )
