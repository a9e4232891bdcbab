"""Who is new: every member of a batch is held against what is remembered, and remembered itself (protocol §5).

Batches that are all new cost one INSERT. Only where that finds something known is it taken back, and each batch
decided member by member.
"""

from collections.abc import Sequence
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from backoffice.domain.identity import Decision, Incoming, KnownOrder, identify
from backoffice.ingestion.batch.lock import Work
from backoffice.ingestion.batch.members import Member
from backoffice.postgres.copying import pipelined
from backoffice.sales.writers import IdentityRow, KnownVersion, Origin, insert_identities, select_known

NEW = Decision("new", (), takes_number=True)
# Another terminal may insert the same identifier between our look and our insert; it is then known at the next look.
RACES_ALLOWED = 3


class RacedTooOften(Exception):
    """Other terminals kept being first with our identifiers: the batch is tried again later."""


def decide_identities(cursor: CursorWrapper, batches: Sequence[tuple[Work, Sequence[Member]]]) -> list[list[Decision]]:
    """For each batch one decision per member, in the order sent; what is new or in conflict is remembered on return."""
    incoming = [(work, [member.incoming for member in members]) for work, members in batches]
    if _all_distinct(incoming):
        rows = [
            IdentityRow(item.order_id, 0, item.number, item.content_hash, row_id, place)
            for place, (work, items) in enumerate(incoming, start=1)
            for item, row_id in zip(items, work.row_ids, strict=True)
        ]
        if _insert(cursor, rows, works=[work for work, _ in incoming]):
            return [[NEW] * len(items) for _, items in incoming]
    return [_decide_batch(cursor, items, work=work) for work, items in incoming]


def _decide_batch(cursor: CursorWrapper, incoming: Sequence[Incoming], *, work: Work) -> list[Decision]:
    for _ in range(RACES_ALLOWED):
        decisions = _decide_one_by_one(cursor, incoming, work=work)
        if decisions is not None:
            return decisions
    raise RacedTooOften


def _all_distinct(incoming: Sequence[tuple[Work, Sequence[Incoming]]]) -> bool:
    order_ids = [item.order_id for _, items in incoming for item in items]
    numbers = [(work.terminal_id, item.number) for work, items in incoming for item in items if item.number is not None]
    return len(set(order_ids)) == len(order_ids) and len(set(numbers)) == len(numbers)


def _insert(cursor: CursorWrapper, rows: Sequence[IdentityRow], *, works: Sequence[Work]) -> bool:
    """Remembers all rows or, where something among them is known already, none; says which."""
    with pipelined():  # the savepoint costs no round trip of its own
        cursor.execute("SAVEPOINT identities")
        origins = [Origin(work.terminal_id, work.shift.shift_id, work.batch_id, work.business_date) for work in works]
        insert_identities(cursor, rows, origins=origins)
    if cursor.rowcount == len(rows):
        return True
    cursor.execute("ROLLBACK TO SAVEPOINT identities")
    return False


def _decide_one_by_one(cursor: CursorWrapper, incoming: Sequence[Incoming], *, work: Work) -> list[Decision] | None:
    """None where another terminal was first with one of the identifiers while we looked."""
    versions = select_known(
        cursor,
        terminal_id=work.terminal_id,
        item_ids=[item.order_id for item in incoming],
        numbers=[item.number for item in incoming if item.number is not None],
    )
    decisions = identify(
        incoming=incoming,
        known=_known(versions, terminal_id=work.terminal_id),
        numbers={
            version.number: version.item_id
            for version in versions
            if version.number is not None and version.terminal_id == work.terminal_id
        },
        terminal_id=work.terminal_id,
        shift_id=work.shift.shift_id,
    )
    next_version: dict[UUID, int] = {}
    for known in versions:
        next_version[known.item_id] = max(next_version.get(known.item_id, 0), known.version + 1)
    rows = []
    for item, decision, row_id in zip(incoming, decisions, work.row_ids, strict=True):
        if decision.version == "duplicate":
            continue
        version = next_version.get(item.order_id, 0)
        next_version[item.order_id] = version + 1
        rows.append(
            IdentityRow(
                item.order_id, version, item.number if decision.takes_number else None, item.content_hash, row_id, 1
            )
        )
    return decisions if _insert(cursor, rows, works=[work]) else None


def _known(versions: Sequence[KnownVersion], *, terminal_id: int) -> dict[UUID, KnownOrder]:
    first = {version.item_id: version for version in versions if version.version == 0}
    own: dict[UUID, list[KnownVersion]] = {item_id: [] for item_id in first}
    for version in versions:
        if version.terminal_id == terminal_id and version.item_id in own:
            own[version.item_id].append(version)
    return {
        item_id: KnownOrder(version.terminal_id, {sent.content_hash: sent.shift_id for sent in own[item_id]})
        for item_id, version in first.items()
    }
