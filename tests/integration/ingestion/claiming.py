"""A try of one certain batch, as a worker makes it once it has claimed the batch."""

from uuid import UUID

from backoffice.inbox.claims import Claim
from backoffice.inbox.models import Batch


def claim_of(batch_id: str | UUID, *, attempts: int = 1) -> Claim:
    """The claim of a stored batch, with its body; nothing is counted."""
    stored = Batch.objects.get(batch_id=batch_id)
    return Claim(stored.batch_id, attempts, bytes(stored.body))
