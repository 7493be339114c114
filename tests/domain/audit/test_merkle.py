"""Merkle trees: the vectors of Certificate Transparency, random trees against a naive twin, and tampered proofs.

Vectors: https://github.com/transparency-dev/merkle, proof/verify_test.go (they come from the first CT implementation).
"""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from api import verify
from domain.audit import merkle

LEAVES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    bytes.fromhex(text)
    for text in (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
A = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
B = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
C = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
D = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"
E = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
F = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
G = "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
H = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
J = "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"
INCLUSION = [
    *((0, 1, []), (0, 8, [B, C, D]), (5, 8, [E, F, G])),
    *((2, 3, [ROOTS[1].hex()]), (1, 5, [A, C, E])),
]
CONSISTENCY = [
    *((1, 1, []), (1, 8, [B, C, D]), (6, 8, [H, F, G])),
    *((2, 5, [C, E]), (6, 7, [H, J, G])),
]

Tree = tuple[int, dict[merkle.Tile, bytes]]


def planted(contents: Sequence[bytes], steps: Sequence[int] = ()) -> Tree:
    """A tree grown in steps of these sizes, the rest at the end."""
    hashes = [merkle.leaf_hash(content) for content in contents]
    size, tiles = 0, dict[merkle.Tile, bytes]()
    for step in (*steps, len(hashes)):
        new = hashes[size : size + step]
        edge = {tile: tiles[tile] for tile in merkle.frontier(size)}
        tiles |= merkle.appended(size, edge, new)
        size += len(new)
    return size, tiles


def proof(ranges: Sequence[merkle.Range], tiles: dict[merkle.Tile, bytes]) -> list[bytes]:
    assert merkle.tiles_for(ranges) <= tiles.keys()
    root = merkle.Roots(tiles)
    return [root(each) for each in ranges]


def naive_root(contents: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1 word for word."""
    if not contents:
        return hashlib.sha256(b"").digest()
    if len(contents) == 1:
        return hashlib.sha256(b"\x00" + contents[0]).digest()
    k = 1
    while k * 2 < len(contents):
        k *= 2
    return hashlib.sha256(b"\x01" + naive_root(contents[:k]) + naive_root(contents[k:])).digest()


def naive_path(m: int, contents: Sequence[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.1 word for word."""
    if len(contents) == 1:
        return []
    k = 1
    while k * 2 < len(contents):
        k *= 2
    if m < k:
        return [*naive_path(m, contents[:k]), naive_root(contents[k:])]
    return [*naive_path(m - k, contents[k:]), naive_root(contents[:k])]


def naive_extension(m: int, contents: Sequence[bytes], whole: bool = True) -> list[bytes]:
    """RFC 6962 §2.1.2 word for word."""
    n = len(contents)
    if m == n:
        return [] if whole else [naive_root(contents)]
    k = 1
    while k * 2 < n:
        k *= 2
    if m <= k:
        return [*naive_extension(m, contents[:k], whole), naive_root(contents[k:])]
    return [*naive_extension(m - k, contents[k:], False), naive_root(contents[:k])]


def test_the_roots_are_those_of_certificate_transparency() -> None:
    assert merkle.Roots({})((0, 0)) == hashlib.sha256(b"").digest()
    for n, root in enumerate(ROOTS, 1):
        size, tiles = planted(LEAVES[:n])
        assert merkle.Roots(tiles)((0, size)) == root


@pytest.mark.parametrize(("leaf", "size", "hashes"), INCLUSION)
def test_inclusion_proofs_are_those_of_certificate_transparency(
    leaf: int, size: int, hashes: list[str]
) -> None:
    _, tiles = planted(LEAVES)
    assert [h.hex() for h in proof(merkle.path(leaf, size), tiles)] == hashes
    found = [bytes.fromhex(h) for h in hashes]
    assert (
        verify.root_by_inclusion(leaf, size, verify.leaf_hash(LEAVES[leaf]), found)
        == ROOTS[size - 1]
    )


@pytest.mark.parametrize(("old", "new", "hashes"), CONSISTENCY)
def test_consistency_proofs_are_those_of_certificate_transparency(
    old: int, new: int, hashes: list[str]
) -> None:
    _, tiles = planted(LEAVES)
    assert [h.hex() for h in proof(merkle.extension(old, new), tiles)] == hashes
    found = [bytes.fromhex(h) for h in hashes]
    assert verify.is_consistent(old, new, ROOTS[old - 1], ROOTS[new - 1], found)


# 257 and 65,793 leaves are where a tile, and a tile of tiles, is full and another one begun.
SIZES = st.one_of(st.integers(1, 40), st.integers(250, 520))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_random_trees_agree_with_the_words_of_the_rfc_and_their_proofs_hold(
    data: st.DataObject,
) -> None:
    n = data.draw(SIZES)
    contents = [i.to_bytes(4, "big") for i in range(n)]
    steps = data.draw(st.lists(st.integers(0, n), max_size=4))
    size, tiles = planted(contents, steps)
    leaf = data.draw(st.integers(0, n - 1))
    old = data.draw(st.integers(1, n))

    inclusion = proof(merkle.path(leaf, size), tiles)
    extension = proof(merkle.extension(old, size), tiles)

    root = merkle.Roots(tiles)((0, size))
    assert root == naive_root(contents)
    assert inclusion == naive_path(leaf, contents)
    assert extension == naive_extension(old, contents)
    held = verify.leaf_hash(contents[leaf])
    assert verify.root_by_inclusion(leaf, size, held, inclusion) == root
    assert verify.is_consistent(old, size, naive_root(contents[:old]), root, extension)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_proof_that_was_tampered_with_does_not_hold(data: st.DataObject) -> None:
    n = data.draw(st.integers(2, 70))
    contents = [i.to_bytes(4, "big") for i in range(n)]
    size, tiles = planted(contents)
    root = merkle.Roots(tiles)((0, size))
    leaf, old = data.draw(st.integers(0, n - 1)), data.draw(st.integers(1, n - 1))
    of_leaf, of_tree = proof(merkle.path(leaf, n), tiles), proof(merkle.extension(old, n), tiles)
    kind = data.draw(st.sampled_from(["bit", "drop", "add", "leaf", "place"]))

    def spoilt(hashes: list[bytes]) -> list[bytes]:
        at = data.draw(st.integers(0, len(hashes) - 1))
        if kind == "bit":
            bit = data.draw(st.integers(0, 255))
            flipped = (int.from_bytes(hashes[at], "big") ^ 1 << bit).to_bytes(32, "big")
            return [*hashes[:at], flipped, *hashes[at + 1 :]]
        if kind == "drop":
            return hashes[:at] + hashes[at + 1 :]
        return [*hashes[:at], data.draw(st.binary(min_size=32, max_size=32)), *hashes[at:]]

    held = verify.leaf_hash(contents[leaf])
    if kind == "leaf":
        assert verify.root_by_inclusion(leaf, n, verify.leaf_hash(b"other"), of_leaf) != root
    elif kind == "place":
        other = data.draw(st.integers(0, n + 3))
        assume(other != leaf)
        assert verify.root_by_inclusion(other, n, held, of_leaf) != root
    else:
        assert verify.root_by_inclusion(leaf, n, held, spoilt(of_leaf)) != root
        before = naive_root(contents[:old])
        assert not verify.is_consistent(old, n, before, root, spoilt(of_tree))


def test_a_tree_of_seventy_thousand_leaves_is_proven_from_a_few_tiles() -> None:
    n = 70_000
    size, tiles = planted([i.to_bytes(4, "big") for i in range(n)], [300, 65_000, 536])
    ranges = merkle.path(66_000, n)
    read = merkle.tiles_for(ranges)
    found = proof(ranges, tiles)
    root = merkle.Roots(tiles)((0, size))
    held = verify.leaf_hash((66_000).to_bytes(4, "big"))
    assert verify.root_by_inclusion(66_000, n, held, found) == root
    assert len(read) <= 6
    assert max(map(len, tiles.values())) == 8192
    assert sum(map(len, tiles.values())) <= 32 * n * 257 // 256 + 8192


def test_a_leaf_or_a_tree_that_is_not_there_has_no_proof() -> None:
    for leaf, size in ((0, 0), (3, 3), (-1, 3)):
        with pytest.raises(ValueError, match="no leaf"):
            merkle.path(leaf, size)
    with pytest.raises(ValueError, match="does not begin"):
        merkle.extension(5, 4)
