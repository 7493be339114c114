"""LRU cache bounded by the total weight of its entries."""

from collections.abc import Hashable
from operator import itemgetter
from typing import Generic, TypeVar

from cachetools import LRUCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class WeightedCache(Generic[K, V]):
    """LRU cache whose entries weigh at most `most` in total."""

    def __init__(self, most: int) -> None:
        self._entries: LRUCache[K, tuple[V, int]] = LRUCache(most, getsizeof=itemgetter(1))

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    @property
    def weight(self) -> int:
        """The total weight of the entries."""
        return int(self._entries.currsize)

    def get(self, key: K) -> V | None:
        """Return the value of a key, or None, and mark it as used."""
        found = self._entries.get(key)
        return None if found is None else found[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Add an entry and evict the least recently used ones; an entry heavier than the limit is not stored."""
        if weight <= self._entries.maxsize:
            self._entries[key] = (value, weight)
