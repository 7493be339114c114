"""Cache of the entries used last, bounded by the bytes that they take together."""

from collections.abc import Hashable
from operator import itemgetter
from typing import Generic, TypeVar

from cachetools import LRUCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class WeightedCache(Generic[K, V]):
    """The entries used last that weigh no more than `most` together."""

    def __init__(self, most: int) -> None:
        self._entries: LRUCache[K, tuple[V, int]] = LRUCache(most, getsizeof=itemgetter(1))

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    @property
    def weight(self) -> int:
        """What the entries weigh together."""
        return int(self._entries.currsize)

    def get(self, key: K) -> V | None:
        """Return the value under this key, which counts as a use."""
        found = self._entries.get(key)
        return None if found is None else found[0]

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep one more entry and drop those not used for longest; one that alone weighs too much is not kept."""
        if weight <= self._entries.maxsize:
            self._entries[key] = (value, weight)
