"""Cache of the entries used last, bounded by the bytes that they take together."""

from collections.abc import Hashable
from typing import TypeVar

from cachetools import LRUCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class WeightedCache(LRUCache[K, V]):
    """The entries used last that weigh no more than `most` together."""

    def __init__(self, most: int) -> None:
        super().__init__(most, getsizeof=lambda _value: self._next_weight)
        self._next_weight = 0

    @property
    def weight(self) -> int:
        """Return the total weight of the entries."""
        return int(self.currsize)

    def put(self, key: K, value: V, weight: int) -> None:
        """Keep one more entry and drop those not used for longest; one that alone weighs too much is not kept."""
        if weight <= self.maxsize:
            self._next_weight = weight
            self[key] = value
