"""Merkle trees as RFC 6962 has them (§2.1): hashes of leaves and nodes, the root of a tree that grows, paths to a leaf."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node above two others."""
    return sha256(b"\x01" + left + right).digest()


class GrowingTree:
    """The root of a tree that only grows, in as many hashes as its size has bits that are set.

    These are the roots of the whole subtrees that it consists of, the largest first: of a tree with 6 leaves, those of the
    first 4 and of the next 2.
    """

    def __init__(self, size: int = 0, packed: bytes = b"") -> None:
        self.size = size
        self._hashes = [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)]
        if len(self._hashes) != size.bit_count():
            raise ValueError(f"A tree of {size} leaves has {size.bit_count()} hashes, not {len(self._hashes)}.")

    @property
    def packed(self) -> bytes:
        """Its hashes in a row, as they are stored."""
        return b"".join(self._hashes)

    def add(self, hashed_leaf: bytes) -> None:
        """Adds the hash of the next leaf."""
        right = hashed_leaf
        rest = self.size
        while rest & 1:
            right = node_hash(self._hashes.pop(), right)
            rest >>= 1
        self._hashes.append(right)
        self.size += 1

    def root(self) -> bytes:
        """The hash of the tree as it is now."""
        if not self._hashes:
            return EMPTY_ROOT
        *others, right = self._hashes
        for left in reversed(others):
            right = node_hash(left, right)
        return right


def root_of(hashed_leaves: Iterable[bytes]) -> bytes:
    """The root of a whole tree."""
    tree = GrowingTree()
    for hashed in hashed_leaves:
        tree.add(hashed)
    return tree.root()


def inclusion_path(hashed_leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from one leaf to the root, the nearest first (RFC 6962 §2.1.1). Raises IndexError."""
    if not 0 <= index < len(hashed_leaves):
        raise IndexError(f"There is no leaf {index} among {len(hashed_leaves)}.")
    path = []
    level = list(hashed_leaves)
    while len(level) > 1:
        beside = index ^ 1
        if beside < len(level):
            path.append(level[beside])
        above = [node_hash(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])  # what has nothing beside it goes up as it is
        level, index = above, index // 2
    return path


def root_by_path(hashed_leaf: bytes, path: Iterable[bytes], *, index: int, size: int) -> bytes:
    """The root of a tree of `size` leaves to which a path leads (RFC 9162 §2.1.3.2). Raises ValueError for a path of another length."""
    found, last = hashed_leaf, size - 1
    for beside in path:
        if last == 0:
            raise ValueError("The path is too long.")
        if index % 2 or index == last:
            found = node_hash(beside, found)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            found = node_hash(found, beside)
        index, last = index // 2, last // 2
    if last:
        raise ValueError("The path is too short.")
    return found
