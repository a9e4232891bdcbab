"""The trees that the sealer grows: one per store and day, and the installation's, whose leaves are the roots of the first."""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from backoffice.books.evidence.models import DayRoot, InstallationTree, StoreTree
from backoffice.domain.evidence.leaves import day_texts, encode
from backoffice.domain.evidence.merkle import GrowingTree, leaf_hash
from backoffice.fleet.models import Store
from backoffice.postgres.transactions import transaction_required


class StoreSeals:
    """A store's tree of the day that is being sealed, and the last number of each kind."""

    def __init__(self, tree: GrowingTree, numbers: dict[str, int]) -> None:
        self.tree = tree
        self.numbers = numbers

    def next_number(self, kind: str) -> int:
        """Takes the next number of a kind."""
        self.numbers[kind] = self.numbers.get(kind, 0) + 1
        return self.numbers[kind]


class Trees:
    """The installation's tree, and those of the stores in which something is being sealed."""

    def __init__(self, day: date | None, tree: GrowingTree) -> None:
        self.day = day
        self.tree = tree
        self.stores: dict[int, StoreSeals] = {}

    def begin_day(self, day: date, store_ids: Collection[int]) -> None:
        """Loads the stores' trees of a day; a store whose newest tree is of an earlier day begins an empty one."""
        known = {row.store_id: row for row in StoreTree.objects.filter(store_id__in=store_ids)}
        self.day = day
        for store_id in store_ids:
            row = known.get(store_id)
            goes_on = row is not None and row.day == day
            tree = GrowingTree(row.size, bytes(row.packed)) if row is not None and goes_on else GrowingTree()
            self.stores[store_id] = StoreSeals(tree, {} if row is None else row.numbers)


class SealerAtWork(Exception):
    """Another sealer holds the trees just now."""


@transaction_required
def lock_trees(*, wait: bool = True) -> Trees:
    """The installation's tree as it stands, kept from other sealers until the transaction ends.

    Raises SealerAtWork where another has it and nobody is to wait.
    """
    row = InstallationTree.objects.select_for_update(skip_locked=not wait).filter(pk=1).first()
    if row is None:
        raise SealerAtWork
    return Trees(row.day, GrowingTree(row.size, bytes(row.packed)))


@transaction_required
def write_trees(trees: Trees, uuids: Mapping[int, UUID], *, now: datetime) -> None:
    """Keeps the stores' trees, adds the root of each to the installation's, and keeps that."""
    assert trees.day is not None  # noqa: S101 - `begin_day` has set it
    roots = []
    for store_id, store in sorted(trees.stores.items()):
        root = store.tree.root()
        texts = day_texts(store=str(uuids[store_id]), day=trees.day, size=store.tree.size, root=root)
        hashed = leaf_hash(encode(texts))
        place: dict[str, Any] = {"position": trees.tree.size, "store_id": store_id, "day": trees.day}
        roots.append(DayRoot(**place, size=store.tree.size, root=root, hash=hashed, sealed_at=now))
        trees.tree.add(hashed)
    DayRoot.objects.bulk_create(roots)
    StoreTree.objects.bulk_create(
        [
            StoreTree(
                store_id=store_id,
                day=trees.day,
                size=store.tree.size,
                packed=store.tree.packed,
                numbers=store.numbers,
            )
            for store_id, store in trees.stores.items()
        ],
        update_conflicts=True,
        unique_fields=["store_id"],
        update_fields=["day", "size", "packed", "numbers"],
    )
    InstallationTree.objects.filter(pk=1).update(day=trees.day, size=trees.tree.size, packed=trees.tree.packed)


# What is of no store, such as its people, has a tree among those of the stores.
THE_HOUSE, ITS_UUID = 0, UUID(int=0)


def store_uuids(store_ids: Collection[int]) -> dict[int, UUID]:
    """The identifiers by which terminals know stores; of the house itself, zeros."""
    return {THE_HOUSE: ITS_UUID, **dict(Store.objects.filter(pk__in=store_ids).values_list("pk", "uuid"))}
