"""What a terminal may send at once (protocol §4, `limits`)."""

from django.conf import settings


def limits_json() -> dict[str, int]:
    """Orders and bytes of one batch, as `GET /terminal` and a 413 tell them."""
    return {
        "max_batch_orders": settings.MAX_BATCH_ORDERS,
        "max_batch_bytes": settings.MAX_BATCH_BYTES,
        "max_decoded_bytes": settings.MAX_DECODED_BYTES,
    }
