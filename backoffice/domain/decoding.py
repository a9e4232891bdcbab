"""Bytes to members: what is JSON, what is an envelope, and which member alone is at fault (protocol §9)."""

import msgspec

MAX_DEPTH = 32


class BodyMalformed(Exception):
    """400 `body-malformed`: the bytes are not RFC 8259 JSON in UTF-8, or nested deeper than 32."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class EnvelopeInvalid(Exception):
    """422 `envelope-invalid`: JSON, but not the message it should be."""

    def __init__(self, *, pointer: str, code: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.code = code
        self.detail = detail


class TooManyOrders(Exception):
    """413 `too-large`: more members in a list than a batch may carry."""

    def __init__(self, *, pointer: str, count: int, limit: int) -> None:
        super().__init__(f"{count} members, at most {limit} are taken in one batch.")
        self.pointer = pointer
        self.count = count
        self.limit = limit


class Envelope(msgspec.Struct, kw_only=True, frozen=True):
    """The members of a batch as bytes, exactly as sent, in the order sent; `sent_at` None unless readable."""

    orders: list[bytes]
    movements: list[bytes]
    sent_at: object | None = None


def decode_batch(body: bytes, *, max_orders: int) -> Envelope:
    """Raises `BodyMalformed`, `EnvelopeInvalid`, `TooManyOrders`."""
    raise NotImplementedError


def decode_object(body: bytes) -> dict[str, object]:
    """The JSON object of any other message. Raises `BodyMalformed`, `EnvelopeInvalid`."""
    raise NotImplementedError
