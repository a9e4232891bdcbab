"""Opening an upload: the only way from the bytes of a request to what may be stored (protocol §5, §7)."""

from typing import Any, NamedTuple

from backoffice.domain.cards.masking import Finding, mask_cards
from backoffice.domain.wire.envelope import Envelope, decode_batch


class Upload(NamedTuple):
    """A batch as it may be stored: an envelope, and without card data.

    `gzip` is what the body came as, where it came compressed and nothing was taken out of it. `findings` say what was
    masked or removed.
    """

    body: bytes
    gzip: bytes | None
    envelope: Envelope
    findings: tuple[Finding, ...]

    @property
    def card_flags(self) -> list[list[Any]]:
        """What was masked or removed in members, as it is kept with the batch: list, place, code, pointer."""
        return [[found.list, found.index, found.code, found.pointer] for found in self.findings if found.list]


def open_upload(body: bytes, *, gzip: bytes | None, max_orders: int) -> Upload:
    """Opens the decoded `body`, which came as `gzip` where it was compressed.

    Raises BodyMalformed, EnvelopeInvalid, TooManyOrders. What is wrong is said before anything is masked, and what was
    masked is decoded again: neither the members nor the compressed bytes that are kept have card data in them.
    """
    envelope = decode_batch(body, max_orders=max_orders)
    masked = mask_cards(body)
    if not masked.findings:
        return Upload(body, gzip, envelope, ())
    return Upload(masked.body, None, decode_batch(masked.body, max_orders=max_orders), masked.findings)
