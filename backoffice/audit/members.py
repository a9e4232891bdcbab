"""Accounts for every member of a processed batch exactly once: it is posted, held, in conflict, or a repeat.

What is posted must follow from the bytes to the last field. What is neither posted nor held must repeat something that
is, with equal content (protocol §5, "Outcomes").
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.backends.utils import CursorWrapper

from backoffice.audit.batches import SentBatch, SentMember, where_batch
from backoffice.audit.corrections import corrected
from backoffice.audit.decided import Decided, is_as_decided, load_corrections, load_decisions, subject_of
from backoffice.audit.detached import Detached
from backoffice.audit.drawers import ShiftBooks, TillBooks
from backoffice.audit.entries import Entry, Source, load_entries
from backoffice.audit.fleet import AuditedStore
from backoffice.audit.gathered import Gathered
from backoffice.audit.posted import MemberContext, Posted, check_movement, check_order
from backoffice.audit.repeats import Originals, same_member
from backoffice.audit.rows import (
    FoundMovement,
    FoundOrder,
    Held,
    Version,
    load_held,
    load_movements,
    load_orders,
    load_versions,
)
from backoffice.audit.values import Movement, Order, as_stored, movement_as_stored, same_content


@dataclass
class Chunk:
    """What the tables hold for a chunk of batches."""

    held: dict[tuple[str, str, int], Held]
    versions: dict[str, list[Version]]
    orders: dict[int, FoundOrder]
    movements: dict[str, FoundMovement]
    entries: dict[Source, Entry]
    decisions: dict[str, Decided]
    corrections: dict[str, list[Decided]]


def load_chunk(cursor: CursorWrapper, batches: list[SentBatch]) -> Chunk:
    """Reads everything about the members of these batches, and what they may repeat."""
    held = load_held(cursor, [batch.received_at for batch in batches], [batch.batch_id for batch in batches])
    ids: dict[str, set[str]] = {"order": set(), "movement": set()}
    for batch in batches:
        for member in batch.members:
            if member.item_id is not None:
                ids[member.what].add(member.item_id)
    versions = load_versions(cursor, ids["order"] | ids["movement"] | {item.item_id for item in held.values()})
    known = [version for several in versions.values() for version in several if version.item_id in ids["order"]]
    orders = load_orders(
        cursor, [version.row_id for version in known], list({version.business_date for version in known})
    )
    movements = load_movements(cursor, ids["movement"]) if ids["movement"] else {}
    entries = load_entries(cursor, ["order"], ids["order"])
    if ids["movement"]:
        entries |= load_entries(cursor, ["movement"], ids["movement"])
    named = {batch.batch_id for batch in batches} | {item.decision_id for item in held.values() if item.decision_id}
    corrections = load_corrections(cursor, ids["order"])
    if corrections:
        entries |= load_entries(cursor, ["void", "retender"], corrections)
    return Chunk(held, versions, orders, movements, entries, load_decisions(cursor, named), corrections)


class Accounting:
    """Accounts for the batches of one terminal, member by member."""

    def __init__(
        self,
        books: TillBooks,
        *,
        stores: Mapping[int, AuditedStore],
        gathered: Gathered,
        originals: Originals,
        detached: Detached,
    ) -> None:
        self._books = books
        self._till = books.till
        self._stores = stores
        self._met = gathered.met
        self._ledger = gathered.ledger
        self._findings = gathered.findings
        self._originals = originals
        self._detached = detached
        self._namesakes: dict[str, list[SentMember]] = {}

    def settle(self, batch: SentBatch, chunk: Chunk) -> None:
        """Accounts for every member of a batch, and compares the outcomes with its receipt."""
        shift = self._books.shifts.get(batch.shift_id)
        where = where_batch(batch.batch_id, self._till)
        if shift is None:
            self._add(where, "shift", expected="one of this terminal", found=batch.shift_id)
            return
        # The versions of this batch's held members: its other versions belong to posted ones.
        claimed = {(item.item_id, item.content_hash) for key, item in chunk.held.items() if key[0] == batch.batch_id}
        self._namesakes = _namesakes(batch)
        outcomes: dict[str, Counter[str]] = {"order": Counter(), "movement": Counter()}
        for member in batch.members:
            outcomes[member.what][self._settle(member, batch, chunk, shift=shift, claimed=claimed)] += 1
        for what, counted in outcomes.items():
            receipt = {outcome: count for outcome, count in batch.outcomes[what].items() if count}
            if receipt != counted and "lost" not in counted:
                self._add(where, f"outcomes of {what}s in its receipt", expected=dict(counted), found=receipt)

    def _settle(
        self, member: SentMember, batch: SentBatch, chunk: Chunk, *, shift: ShiftBooks, claimed: set[tuple[str, bytes]]
    ) -> str:
        decision = chunk.decisions.get(batch.batch_id)
        if decision is not None:
            return self._settle_decided(decision, member, batch, chunk, shift=shift)
        held = chunk.held.get((batch.batch_id, member.what, member.position))
        if held is not None:
            self._check_held(held, member, batch, chunk, shift=shift)
            return held.outcome
        versions = chunk.versions.get(member.item_id or "", [])
        own = [
            version
            for version in versions
            if version.batch_id == batch.batch_id
            and version.terminal_id == self._till.id
            and (version.item_id, version.content_hash) not in claimed
            and version.row_id not in self._met.versions
        ]
        if own:
            self._check_posted(own[0], versions, member, batch, chunk, shift=shift)
            return "posted"
        return "duplicate" if self._repeats(member, versions, batch, chunk) else "lost"

    def _check_held(self, held: Held, member: SentMember, batch: SentBatch, chunk: Chunk, *, shift: ShiftBooks) -> None:
        where = self._where(member, batch)
        self._met.held.add(held.id)
        for version in chunk.versions.get(held.item_id, []):
            if (version.content_hash, version.batch_id) == (held.content_hash, batch.batch_id):
                if not self._met.versions.add(version.row_id):
                    self._add(where, "is held, and its version is posted", expected="one of the two", found="both")
                break
        else:
            self._add(where, "is held, and no version of it is remembered", expected=held.item_id, found=None)
        number = member.read.number if isinstance(member.read, Order) else held.number
        expected = (member.item_id, number, shift.row.store_id, self._till.id, batch.shift_id)
        found = (held.order_id, held.number, held.store_id, held.terminal_id, held.shift_id)
        for name, one, other in zip(
            ("identifier", "number", "store", "terminal", "shift"), expected, found, strict=True
        ):
            if one != other:
                self._add(where, f"{name} of the held item", expected=one, found=other)
        if member.read is None:
            self._originals.remember_unreadable(member.digest)
        if held.decision_id is not None:
            decided = chunk.decisions.get(held.decision_id)
            about = None if decided is None else (decided.about, decided.subject)
            if about != ("held", subject_of(held)):
                self._add(where, "decision by which it is held no more", expected=subject_of(held), found=about)

    def _settle_decided(
        self, decision: Decided, member: SentMember, batch: SentBatch, chunk: Chunk, *, shift: ShiftBooks
    ) -> str:
        """The one member of a batch that head office posts: what was held, or what the decision says."""
        where = f"{self._where(member, batch)}, by the decision to {decision.verb} {decision.subject}"
        versions = chunk.versions.get(member.item_id or "", [])
        own = next((version for version in versions if version.version == 0), None)
        if own is None or member.read is None:
            self._add(where, "cannot be posted", expected="an order that is remembered", found=member.why or None)
            return "lost"
        if own.batch_id == batch.batch_id:
            self._met.versions.add(own.row_id)
        self._met.decided.add(own.row_id)
        if not is_as_decided(decision, member.read, self._originals):
            self._add(where, "content", expected="what was decided", found="something else")
        store = self._stores[shift.row.store_id]
        context = MemberContext(store, self._till.id, batch, member.position, shift, where, of_before=False)
        if isinstance(member.read, Order):
            self._post_order(own, member.read, context, chunk)
        else:
            self._post_movement(own, member.read, context, chunk)
        return "posted"

    def _check_posted(
        self,
        own: Version,
        versions: list[Version],
        member: SentMember,
        batch: SentBatch,
        chunk: Chunk,
        *,
        shift: ShiftBooks,
    ) -> None:
        self._met.versions.add(own.row_id)
        where = self._where(member, batch)
        if own.version != 0:
            self._add(where, "is posted as a later version", expected="held beside the first", found=own.version)
        earlier = [v for v in versions if v.terminal_id == self._till.id and v.row_id < own.row_id]
        if earlier:
            self._add(where, "an earlier version", expected=None, found=f"in batch {earlier[0].batch_id}")
        namesakes = self._namesakes.get(own.item_id, ())
        if not all(same_member(member, other, of_before=own.is_of_before) for other in namesakes):
            self._add(where, "was sent with two contents in one batch", expected="both held", found="one posted")
        read = member.read_as(of_before=own.is_of_before)
        if read is None:
            self._add(where, "cannot be posted", expected=f"held: {member.why}", found="not held")
            return
        store = self._stores[shift.row.store_id]
        context = MemberContext(store, self._till.id, batch, member.position, shift, where, own.is_of_before)
        if isinstance(read, Order):
            self._post_order(own, read, context, chunk)
        else:
            self._post_movement(own, read, context, chunk)

    def _post_order(self, own: Version, order: Order, context: MemberContext, chunk: Chunk) -> None:
        if own.number != order.number and context.batch.batch_id not in chunk.decisions:
            self._add(context.where, "number that it took", expected=order.number, found=own.number)
        found = chunk.orders.get(own.row_id)
        if found is not None:
            self._met.orders.add(own.row_id)
            self._met.lines += len(found.order.lines)
            self._met.payments += len(found.order.payments)
        later = chunk.corrections.get(order.order_id, ())
        posted = Posted(order, corrected(order, later), chunk.entries, context)
        check_order(posted, found, books=self._books, ledger=self._ledger, findings=self._findings)

    def _post_movement(self, own: Version, movement: Movement, context: MemberContext, chunk: Chunk) -> None:
        found = chunk.movements.get(movement.movement_id)
        if found is not None:
            self._met.movements.add(own.row_id)
        entry = chunk.entries.get(("movement", movement.movement_id, 0))
        check_movement(movement, found, entry, context, books=self._books, ledger=self._ledger, findings=self._findings)

    def _repeats(self, member: SentMember, versions: list[Version], batch: SentBatch, chunk: Chunk) -> bool:
        """Whether a member that is neither posted nor held repeats something; if not, it is lost, which is a difference."""
        where = self._where(member, batch)
        if member.read is None and member.item_id is None:
            self._originals.expect_unreadable(member.digest, where)
            return True
        for version in versions:
            if version.terminal_id != self._till.id:
                continue
            posted: FoundOrder | FoundMovement | None = chunk.orders.get(version.row_id)
            if posted is None and member.what == "order" and self._detached.covers(version.business_date):
                return True  # its month is detached: there is nothing left to compare it with
            if member.what == "movement":
                posted = chunk.movements.get(version.item_id)
            read = member.read_as(of_before=version.is_of_before)
            if posted is not None and read is not None and same_content(posted[1], _as_it_stands(read, chunk)):
                return True
        if versions and self._originals.is_held(member):
            return True
        why = f" ({member.why})" if member.why else ""
        self._add(where, f"is neither posted nor held, and repeats nothing{why}", expected="one of them", found=None)
        return False

    def _where(self, member: SentMember, batch: SentBatch) -> str:
        return where_member(member, batch, self._books)

    def _add(self, where: str, what: str, *, expected: object, found: object) -> None:
        self._findings.add(self._till.store_code, where, what, expected=expected, found=found)


def _as_it_stands(member: Order | Movement, chunk: Chunk) -> Order | Movement:
    """As the tables hold it, with what was corrected since."""
    if isinstance(member, Movement):
        return movement_as_stored(member)
    return as_stored(corrected(member, chunk.corrections.get(member.order_id, ())).order)


def _namesakes(batch: SentBatch) -> dict[str, list[SentMember]]:
    """The members of a batch that share an identifier with another member, by identifier."""
    counts = Counter(member.item_id for member in batch.members)
    shared: dict[str, list[SentMember]] = defaultdict(list)
    for member in batch.members:
        if member.item_id is not None and counts[member.item_id] > 1:
            shared[member.item_id].append(member)
    return shared


def where_member(member: SentMember, batch: SentBatch, books: TillBooks) -> str:
    """A member in words."""
    if member.number is not None and member.what == "order":
        return f"order {member.number!r:.20} ({member.item_id}) of {books.till.name}"
    what = "order" if member.what == "order" else "cash movement"
    named = member.item_id or f"at position {member.position} of batch {batch.batch_id}"
    return f"{what} {named} of {books.till.name}"
