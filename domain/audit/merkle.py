"""Merkle trees as in RFC 6962 §2.1, stored in tiles, so that a proof costs O(log n) reads of bounded size.

Tile (L, N) holds the roots of complete subtrees of 256^L leaves, from the 256·N-th on, 256 at most. The levels in
between are computed when needed. A tree takes 32 bytes per leaf, and appending rewrites only its rightmost tiles.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

HEIGHT = 8
WIDTH = 1 << HEIGHT
BYTES = 32

Range = tuple[int, int]
"""Range of leaves, the end not included."""
Node = tuple[int, int]
"""Level and number: the complete subtree over leaves number·2^level … (number+1)·2^level."""
Tile = tuple[int, int]
"""Level and number of a tile."""


def leaf_hash(content: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two adjacent subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def path(leaf: int, size: int) -> list[Range]:
    """Return the subtrees whose roots prove that leaf number `leaf` is in a tree of `size` leaves; nearest first."""
    if not 0 <= leaf < size:
        raise ValueError(f"there is no leaf {leaf} in a tree of {size}")
    found: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if leaf < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def extension(old: int, new: int) -> list[Range]:
    """Return the subtrees whose roots prove that the tree of `new` leaves begins with the one of `old` leaves."""
    if not 0 <= old <= new:
        raise ValueError(f"a tree of {new} leaves does not begin with one of {old}")
    if old in {0, new}:
        return []
    found: list[Range] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, whole = middle, False
    return [*([] if whole else [(start, end)]), *found[::-1]]


def tiles_for(ranges: Iterable[Range]) -> set[Tile]:
    """Return the tiles that `Roots` reads for these subtrees."""
    return {_tile(node) for each in ranges for node in _nodes(each)}


class Roots:
    """Roots over ranges of leaves, computed from tiles and cached: neighbours' proofs share most of theirs."""

    def __init__(self, tiles: Mapping[Tile, bytes]) -> None:
        self._tiles = tiles
        self._known: dict[Node, bytes] = {}

    def __call__(self, leaves: Range) -> bytes:
        """Return the root over these leaves; a range starts at a multiple of its size's power of two."""
        if leaves[0] == leaves[1]:
            return hashlib.sha256(b"").digest()
        roots = [self._of(*node) for node in _nodes(leaves)]
        root = roots.pop()
        while roots:
            root = node_hash(roots.pop(), root)
        return root

    def _of(self, level: int, number: int) -> bytes:
        if level % HEIGHT == 0:
            position = number % WIDTH * BYTES
            found = self._tiles[level // HEIGHT, number // WIDTH][position : position + BYTES]
            if len(found) != BYTES:
                raise ValueError(f"the tile of node {level}, {number} ends before it")
            return found
        found = self._known.get((level, number), b"")
        if not found:
            found = node_hash(self._of(level - 1, 2 * number), self._of(level - 1, 2 * number + 1))
            self._known[level, number] = found
        return found


def frontier(size: int) -> list[Tile]:
    """Return the tiles that a tree of `size` leaves has begun and not filled."""
    found, level = [], 0
    while size:
        if size % WIDTH:
            found.append((level, size // WIDTH))
        level, size = level + 1, size // WIDTH
    return found


def appended(
    size: int, edge_tiles: Mapping[Tile, bytes], leaves: Sequence[bytes]
) -> dict[Tile, bytes]:
    """Return the tiles that change when leaf hashes are appended to a tree of `size`; needs its `frontier`."""
    changed: dict[Tile, bytes] = {}
    level, new = 0, list(leaves)
    while new:
        position, above = size >> (HEIGHT * level), list[bytes]()
        while new:
            number, used = divmod(position, WIDTH)
            fits, new = new[: WIDTH - used], new[WIDTH - used :]
            before = edge_tiles[level, number] if used else b""
            changed[level, number] = before + b"".join(fits)
            position += len(fits)
            if position % WIDTH == 0:
                above.append(_folded(changed[level, number]))
        level, new = level + 1, above
    return changed


def _split(width: int) -> int:
    """Return the largest power of two smaller than `width`."""
    return 1 << (width - 1).bit_length() - 1


def _nodes(leaves: Range) -> list[Node]:
    """Return the complete subtrees that make up a range, left to right."""
    found = []
    start, end = leaves
    while start < end:
        level = (end - start).bit_length() - 1
        found.append((level, start >> level))
        start += 1 << level
    return found


def _tile(node: Node) -> Tile:
    level, number = node
    return level // HEIGHT, (number << level % HEIGHT) // WIDTH


def _folded(hashes: bytes) -> bytes:
    """Return the root over 2^k adjacent hashes."""
    row = hashes
    while len(row) > BYTES:
        row = b"".join(
            node_hash(row[at : at + BYTES], row[at + BYTES : at + 2 * BYTES])
            for at in range(0, len(row), 2 * BYTES)
        )
    return row
