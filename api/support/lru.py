"""What is kept for the next who asks: the things used last, bounded by what they weigh together."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class WeightedCache(Generic[K, V]):
    """The things used last that weigh no more than `most` together."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._things: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.weight = 0

    def __contains__(self, key: K) -> bool:
        return key in self._things

    def get(self, key: K) -> V | None:
        """What is kept under this key."""
        found = self._things.get(key)
        if found is None:
            return None
        self._things.move_to_end(key)
        return found[0]

    def put(self, key: K, thing: V, weight: int) -> None:
        """Keep one more; those that were not used for longest go."""
        _, before = self._things.pop(key, (None, 0))
        self._things[key] = (thing, weight)
        self.weight += weight - before
        while self.weight > self._most:
            _, (_, dropped) = self._things.popitem(last=False)
            self.weight -= dropped
