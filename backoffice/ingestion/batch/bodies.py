"""Claimed batches, read before anything is locked: the largest take seconds, and a lock keeps others waiting."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from backoffice.inbox.claims import Claim
from backoffice.inbox.packing import unpack
from backoffice.ingestion.batch.members import ReadMember, read_members


def read_batches(claims: Sequence[Claim]) -> Mapping[UUID, Sequence[ReadMember]]:
    """The members of each batch. What a request still has in hand is not decoded again."""
    envelopes = {
        claim.batch_id: unpack(claim.body) if isinstance(claim.body, bytes) else claim.body
        for claim in claims
        if claim.body is not None
    }
    return {batch_id: read_members(envelope) for batch_id, envelope in envelopes.items()}
