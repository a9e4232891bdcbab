"""Claimed batches, read before anything is locked: the largest take seconds, and a lock keeps others waiting."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import connection

from backoffice.inbox.claims import Claim
from backoffice.inbox.packing import unpack
from backoffice.ingestion.batch.members import ReadMember, read_members
from backoffice.postgres.arrays import uuid_array

SELECT_BODIES = "SELECT batch_id, body FROM inbox_batch WHERE batch_id = ANY(%s::uuid[]) AND state <> 'processed'"


def read_batches(claims: Sequence[Claim]) -> Mapping[UUID, Sequence[ReadMember]]:
    """The members of each batch. Left out is what is processed by now; what a request still has in hand is not decoded again."""
    envelopes = {claim.batch_id: claim.envelope for claim in claims if claim.envelope is not None}
    stored = [claim.batch_id for claim in claims if claim.envelope is None]
    if stored:
        with connection.cursor() as cursor:
            cursor.execute(SELECT_BODIES, [uuid_array(stored)])
            envelopes |= {batch_id: unpack(packed) for batch_id, packed in cursor}
    return {batch_id: read_members(envelope) for batch_id, envelope in envelopes.items()}
