"""Cache of values that never change once they are written, such as the terms of an agreement."""

from collections.abc import Hashable, Iterable, Mapping
from threading import Lock
from typing import Generic, TypeVar

from cachetools import FIFOCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ConstantsCache(Generic[K, V]):
    """At most `most` values, shared by all threads of a process; the oldest entry makes room for a new one."""

    def __init__(self, most: int) -> None:
        self._values: FIFOCache[K, V] = FIFOCache(most)
        self._lock = Lock()  # the worker evaluates promises in a thread of its own

    def get(self, key: K) -> V | None:
        """Return the value under this key; None where it is not cached."""
        with self._lock:
            return self._values.get(key)

    def known(self, keys: Iterable[K]) -> dict[K, V]:
        """Return those of the values that are cached."""
        with self._lock:
            return {key: self._values[key] for key in keys if key in self._values}

    def add(self, values: Mapping[K, V]) -> None:
        """Keep more values."""
        with self._lock:
            self._values.update(values)
