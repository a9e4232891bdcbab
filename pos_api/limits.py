"""What a terminal may send at once (protocol §4, `limits`)."""

from django.conf import settings

MAX_SMALL_BODY = 64 * 1024
"""Bytes of an activation, opening or heartbeat, as sent and decoded alike."""


def limits_json(*, small: bool = False) -> dict[str, int]:
    """Orders and bytes of one batch, as `GET /terminal` and a 413 tell them.

    `small` adds what other messages may have, for the 413 of one of them.
    """
    limits = {
        "max_batch_orders": settings.MAX_BATCH_ORDERS,
        "max_batch_bytes": settings.MAX_BATCH_BYTES,
        "max_decoded_bytes": settings.MAX_DECODED_BYTES,
    }
    return limits | {"max_message_bytes": MAX_SMALL_BODY} if small else limits
