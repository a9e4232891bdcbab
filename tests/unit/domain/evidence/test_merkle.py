"""Trees as RFC 6962 has them: the vectors of Certificate Transparency, and properties of every size up to some."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backoffice.domain.evidence.merkle import (
    EMPTY_ROOT,
    GrowingTree,
    inclusion_path,
    leaf_hash,
    root_by_path,
    root_of,
)

# Leaves and roots that implementations of Certificate Transparency share.
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def hashes(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_certificate_transparency(size: int) -> None:
    assert root_of(leaf_hash(leaf) for leaf in LEAVES[:size]).hex() == ROOTS[size - 1]


def test_an_empty_tree_has_the_hash_of_nothing() -> None:
    assert GrowingTree().root() == EMPTY_ROOT


@pytest.mark.parametrize("size", range(1, 70))
def test_a_path_leads_from_every_leaf_to_the_root(size: int) -> None:
    leaves = hashes(size)
    root = root_of(leaves)
    for index in range(size):
        path = inclusion_path(leaves, index)
        assert root_by_path(leaves[index], path, index=index, size=size) == root


@given(st.integers(2, 200).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))))
def test_no_other_leaf_and_no_other_place_has_that_path(chosen: tuple[int, int]) -> None:
    size, index = chosen
    leaves = hashes(size)
    path = inclusion_path(leaves, index)
    other = (index + 1) % size
    assert root_by_path(leaves[other], path, index=index, size=size) != root_of(leaves)
    try:
        moved = root_by_path(leaves[index], path, index=other, size=size)
    except ValueError:
        return
    assert moved != root_of(leaves)


@pytest.mark.parametrize("change", [lambda path: path[:-1], lambda path: [*path, bytes(32)]])
def test_a_path_that_is_too_short_or_too_long_is_refused(change) -> None:
    leaves = hashes(13)
    with pytest.raises(ValueError, match="path is too"):
        root_by_path(leaves[4], change(inclusion_path(leaves, 4)), index=4, size=13)


@given(st.integers(0, 300), st.integers(0, 100))
def test_a_tree_that_was_put_away_goes_on_as_if_it_had_not_been(first: int, more: int) -> None:
    leaves = hashes(first + more)
    tree = GrowingTree()
    for leaf in leaves[:first]:
        tree.add(leaf)
    again = GrowingTree(tree.size, tree.packed)
    for leaf in leaves[first:]:
        again.add(leaf)
    assert again.root() == root_of(leaves)
    assert again.size == first + more


def test_what_was_put_away_must_fit_its_size() -> None:
    with pytest.raises(ValueError, match="6 leaves has 2 hashes, not 1"):
        GrowingTree(6, bytes(32))
