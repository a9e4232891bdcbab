"""Who is new: every member of a batch is compared with what is remembered, and remembered itself (protocol §5).

Batches that are all new cost one INSERT. Only where that finds something known is it taken back, and each batch
compared member by member.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from backoffice.domain.identity import NEW, KnownItem, Recognition, identify
from backoffice.ingestion.batch.lock import LockedBatch
from backoffice.ingestion.batch.members import Member
from backoffice.postgres.pipeline import pipelined
from backoffice.postgres.transactions import transaction_required
from backoffice.sales.identities import BatchKey, IdentityRow, KnownVersion, insert_identities, select_known

# Another terminal may insert the same identifier between our look and our insert; it is then known at the next look.
RACES_ALLOWED = 3


class RacedTooOften(Exception):
    """Other terminals kept being first with our identifiers: the batch is tried again later."""


@transaction_required
def recognise(
    cursor: CursorWrapper, batches: Sequence[tuple[LockedBatch, Sequence[Member]]]
) -> list[list[Recognition]]:
    """For each batch one recognition per member, in the order sent; what is not a duplicate is remembered on return."""
    if _all_distinct(batches):
        rows = [
            _row(member, number=member.incoming.number, version=0, place=place)
            for place, (_, members) in enumerate(batches, start=1)
            for member in members
        ]
        # A batch comes again as a whole: where its first member is known, nothing is tried. Of several batches one is asked about.
        first = rows[0].item_id if rows else None
        if _insert(cursor, rows, batches=[batch for batch, _ in batches], unless_known=first):
            return [[NEW] * len(members) for _, members in batches]
    return [_recognise_batch(cursor, batch, members) for batch, members in batches]


def _recognise_batch(cursor: CursorWrapper, batch: LockedBatch, members: Sequence[Member]) -> list[Recognition]:
    for _ in range(RACES_ALLOWED):
        recognised = _recognise_one_by_one(cursor, batch, members)
        if recognised is not None:
            return recognised
    raise RacedTooOften


def _all_distinct(batches: Sequence[tuple[LockedBatch, Sequence[Member]]]) -> bool:
    incoming = [(batch.terminal_id, member.incoming) for batch, members in batches for member in members]
    item_ids = [item.item_id for _, item in incoming]
    numbers = [(terminal_id, item.number) for terminal_id, item in incoming if item.number is not None]
    return len(set(item_ids)) == len(item_ids) and len(set(numbers)) == len(numbers)


def _insert(
    cursor: CursorWrapper,
    rows: Sequence[IdentityRow],
    *,
    batches: Sequence[LockedBatch],
    unless_known: UUID | None = None,
) -> bool:
    """Remembers all rows or, where something among them is known already, none; says which."""
    with pipelined():  # the savepoint costs no round trip of its own
        cursor.execute("SAVEPOINT identities")
        keys = [
            BatchKey(batch.terminal_id, batch.shift.shift_id, batch.batch_id, batch.business_date) for batch in batches
        ]
        insert_identities(cursor, rows, batches=keys, unless_known=unless_known)
    if cursor.rowcount == len(rows):
        return True
    cursor.execute("ROLLBACK TO SAVEPOINT identities")
    return False


def _recognise_one_by_one(
    cursor: CursorWrapper, batch: LockedBatch, members: Sequence[Member]
) -> list[Recognition] | None:
    """None where another terminal was first with one of the identifiers while we looked."""
    incoming = [member.incoming for member in members]
    versions = select_known(
        cursor,
        terminal_id=batch.terminal_id,
        item_ids=[item.item_id for item in incoming],
        numbers=[item.number for item in incoming if item.number is not None],
    )
    recognised = identify(
        incoming=incoming,
        known=_known(versions, terminal_id=batch.terminal_id),
        numbers={
            version.number: version.item_id
            for version in versions
            if version.number is not None and version.terminal_id == batch.terminal_id
        },
        terminal_id=batch.terminal_id,
        shift_id=batch.shift.shift_id,
    )
    next_version: dict[UUID, int] = {}
    for known in versions:
        next_version[known.item_id] = max(next_version.get(known.item_id, 0), known.version + 1)
    rows = []
    for member, recognition in zip(members, recognised, strict=True):
        if recognition.version == "duplicate":
            continue
        item_id = member.incoming.item_id
        version = next_version.get(item_id, 0)
        next_version[item_id] = version + 1
        number = member.incoming.number if recognition.takes_number else None
        rows.append(_row(member, number=number, version=version, place=1))
    return recognised if not rows or _insert(cursor, rows, batches=[batch]) else None


def _row(member: Member, *, number: int | None, version: int, place: int) -> IdentityRow:
    return IdentityRow(member.incoming.item_id, number, member.incoming.content_hash, version, member.row_id, place)


def _known(versions: Sequence[KnownVersion], *, terminal_id: int) -> dict[UUID, KnownItem]:
    first = {version.item_id: version for version in versions if version.version == 0}
    own: dict[UUID, list[KnownVersion]] = {item_id: [] for item_id in first}
    for version in versions:
        if version.terminal_id == terminal_id and version.item_id in own:
            own[version.item_id].append(version)
    return {
        item_id: KnownItem(
            version.terminal_id,
            {sent.content_hash: sent.shift_id for sent in own[item_id]},
            {sent.content_hash for sent in own[item_id] if sent.hash_version is None},
        )
        for item_id, version in first.items()
    }
