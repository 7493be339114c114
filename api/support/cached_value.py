"""Cache one computed value for a short time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

FRESH_S = 1.0
T = TypeVar("T")


class Cached(Generic[T]):
    """A value computed at most once per `fresh_s`; callers who come meanwhile share the computation under way."""

    def __init__(self, compute: Callable[[], Awaitable[T]], fresh_s: float = FRESH_S) -> None:
        self._compute = compute
        self._fresh_s = fresh_s
        self._until = 0.0
        self._running: asyncio.Task[T] | None = None

    async def get(self) -> T:
        """Return the value; raise what its computation raised."""
        if self._running is None or (self._running.done() and time.monotonic() >= self._until):
            self._running = asyncio.create_task(self._refresh())
        return await asyncio.shield(self._running)

    def expire(self) -> None:
        """Let the next `get` compute the value again."""
        self._until = 0.0

    async def _refresh(self) -> T:
        try:
            return await self._compute()
        finally:
            self._until = time.monotonic() + self._fresh_s
