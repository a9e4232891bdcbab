"""Hashes of leaves and trees, worked out a second time (RFC 6962 §2.1)."""

import hashlib
import struct
from collections.abc import Iterable
from functools import lru_cache

four_bytes = struct.Struct(">I").pack
NOTHING = hashlib.sha256().digest()


def hash_texts(texts: Iterable[str]) -> bytes:
    """The hash of a leaf that consists of these texts, each behind its length."""
    return hashlib.sha256(b"\0" + b"".join(map(_piece, texts))).digest()


# Most texts are dates, accounts, tax codes and amounts that come again and again.
@lru_cache(maxsize=1 << 15)
def _piece(text: str) -> bytes:
    data = text.encode()
    return four_bytes(len(data)) + data


class Peaks:
    """A tree that grows by leaves: the tops of its whole subtrees, each with its height."""

    def __init__(self) -> None:
        self.size = 0
        self._tops: list[tuple[int, bytes]] = []

    def grow(self, leaf: bytes) -> None:
        """Adds a leaf's hash; two tops of one height become one above them."""
        height, top = 0, leaf
        while self._tops and self._tops[-1][0] == height:
            top = hashlib.sha256(b"\1" + self._tops.pop()[1] + top).digest()
            height += 1
        self._tops.append((height, top))
        self.size += 1

    def head(self) -> bytes:
        """The root of the tree."""
        if not self._tops:
            return NOTHING
        found = self._tops[-1][1]
        for _, top in self._tops[-2::-1]:
            found = hashlib.sha256(b"\1" + top + found).digest()
        return found

    @property
    def packed(self) -> bytes:
        """The tops as the sealer keeps them."""
        return b"".join(top for _, top in self._tops)
