"""A proof that one order is in the books: its entry, and the way from there to a signed head, to be checked without us."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.backends.utils import CursorWrapper

from backoffice.books.evidence.journal import read_entries
from backoffice.books.evidence.models import DayRoot, Leaf
from backoffice.books.evidence.trees import store_uuids
from backoffice.domain.evidence.leaves import ENTRY, day_texts, encode, entry_values, leaf_texts
from backoffice.domain.evidence.merkle import inclusion_path, leaf_hash
from backoffice.domain.evidence.notes import read_head
from backoffice.ledger.models import EntrySource

FORMAT = "backoffice-proof/1"
HASHES_OF_DAY = "SELECT hash FROM evidence_leaf WHERE store_id = %s AND day = %s AND position < %s ORDER BY position"
HASHES_OF_ROOTS = "SELECT hash FROM evidence_dayroot WHERE position < %s ORDER BY position"


class NotProvable(Exception):
    """There is no proof of this order; the text says why."""


class _Sealed(NamedTuple):
    """An entry's leaf, and the newest root of its day that the checkpoint covers."""

    leaf: Leaf
    root: DayRoot


def prove_order(*, order_id: UUID, note: str) -> Mapping[str, Any]:
    """The proof of an order's entry under a checkpoint: texts, indexes and hashes, ready for JSON. Raises NotProvable."""
    size = read_head(note).size
    sealed = _find(order_id, size=size)
    leaf, root = sealed
    with connection.cursor() as cursor:
        store = str(store_uuids([leaf.store_id])[leaf.store_id])
        texts = _texts(cursor, leaf, store=store)
        day_path = _path(cursor, HASHES_OF_DAY, [leaf.store_id, leaf.day, root.size], index=leaf.position)
        root_path = _path(cursor, HASHES_OF_ROOTS, [size], index=root.position)
    return {
        "format": FORMAT,
        "order_id": str(order_id),
        "leaf": texts,
        "leaf_index": leaf.position,
        "leaf_path": day_path,
        "day": day_texts(store=store, day=leaf.day, size=root.size, root=bytes(root.root)),
        "day_index": root.position,
        "day_path": root_path,
        "checkpoint": note,
    }


def _find(order_id: UUID, *, size: int) -> _Sealed:
    source = EntrySource.objects.filter(source_kind="order", source_id=order_id).first()
    if source is None:
        raise NotProvable(f"Order {order_id} has no entry in the books: unknown, held, or nothing was to be posted.")
    leaf = Leaf.objects.filter(kind=ENTRY.name, row_id=source.entry_id).first()
    roots = DayRoot.objects.none()
    if leaf is not None:
        covering = DayRoot.objects.filter(store_id=leaf.store_id, day=leaf.day, size__gt=leaf.position)
        roots = covering.filter(position__lt=size).order_by("-position")
    root = roots.first()
    if leaf is None or root is None:
        raise NotProvable(
            f"Order {order_id} is posted, and not sealed under this checkpoint yet: try again in a minute."
        )
    return _Sealed(leaf, root)


def _texts(cursor: CursorWrapper, leaf: Leaf, *, store: str) -> list[str]:
    """The texts of a leaf as the books say them today, which must be those that were sealed."""
    assert leaf.row_id is not None  # noqa: S101 - every entry's leaf has both
    assert leaf.business_date is not None  # noqa: S101
    where: tuple[int, date] = (leaf.row_id, leaf.business_date)
    entry = read_entries(cursor, [where]).get(leaf.row_id)
    if entry is None:
        raise NotProvable(f"The entry is in a month that is detached: attach {leaf.business_date:%Y-%m} first.")
    texts = leaf_texts(ENTRY, store=store, number=leaf.number, values=entry_values(entry))
    if leaf_hash(encode(texts)) != bytes(leaf.hash):
        raise NotProvable("The entry is not what was sealed. Run manage.py verify_books, and ask who has changed it.")
    return texts


def _path(cursor: CursorWrapper, statement: str, values: list[Any], *, index: int) -> list[str]:
    cursor.execute(statement, values)
    return [step.hex() for step in inclusion_path([bytes(hashed) for (hashed,) in cursor.fetchall()], index)]
