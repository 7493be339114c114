"""Attempts to sign in: how many are judged, for whom and how fast, without ever locking a password's owner out.

Attempts are counted for each pair of an account and a client address (or a device that signed in before), and for
each client address in total. Within its allowance an attempt is judged at once. Beyond it, it waits for its turn in the
slow lane, one at a time for each pair: a wrong password is answered 429 there, the right one still signs in. So who
guesses from another address cost the owner nothing; guesses from the owner's own address cost the owner seconds.
"""

import asyncio
import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeVar

from api.support.client_address import throttle_name
from api.support.errors import HttpRefusal
from api.support.rate_limit import RateLimit, RedisWithFallback

T = TypeVar("T")

OF_A_PAIR = RateLimit(per_s=1 / 60, burst=5)
OF_AN_ADDRESS = RateLimit(per_s=0.5, burst=30)
SLOW_S = 2.0  # between two attempts of a pair in the slow lane
WAITING_PER_PAIR, WAITING_PER_ADDRESS, WAITING = 3, 12, 1000
REFUSED_S = (
    0.5  # no refusal comes sooner, so that its time does not say how many hashes were compared
)

_TOO_MANY = "That is wrong, and there were too many attempts; wait a moment."
_FULL = "Too many attempts; wait a moment."


class Attempts:
    """Judges attempts in this process; the allowances are shared by all processes through Redis."""

    def __init__(self, throttle: RedisWithFallback) -> None:
        self._throttle = throttle
        self._lanes: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: Counter[str] = Counter()
        self._one_at_a_time = asyncio.Semaphore(1)

    async def judge(
        self,
        account: str,
        address: str,
        check: Callable[[], Awaitable[T | None]],
        *,
        wrong: str,
        device: str | None = None,
    ) -> T:
        """Return the result of `check`. Raises `HttpRefusal`: 401 with the text `wrong`, or 429."""
        began = asyncio.get_running_loop().time()
        address = throttle_name(address)
        named = hashlib.sha256(account.strip().lower().encode(errors="replace")).hexdigest()[:32]
        pair = f"login:pair:{named}:{device or address}"
        wait_s = await self._throttle.wait_s(pair, 1, OF_A_PAIR)
        if device is None:
            total = await self._throttle.wait_s(f"login:address:{address}", 1, OF_AN_ADDRESS)
            wait_s = max(wait_s, total)
        found = await check() if wait_s == 0 else await self._slowly(pair, address, check, wait_s)
        if found is not None:
            return found
        await asyncio.sleep(began + REFUSED_S - asyncio.get_running_loop().time())
        if wait_s > 0:
            raise _busy(_TOO_MANY, wait_s)
        raise HttpRefusal(401, wrong, "UNAUTHENTICATED")

    async def _slowly(
        self, pair: str, address: str, check: Callable[[], Awaitable[T | None]], wait_s: float
    ) -> T | None:
        """Wait for this pair's turn, then judge; raises `HttpRefusal` at once when too many wait already."""
        own = f"address:{address}"
        if (
            self._waiting[pair] >= WAITING_PER_PAIR
            or self._waiting[own] >= WAITING_PER_ADDRESS
            or self._waiting["all"] >= WAITING
        ):
            raise _busy(_FULL, wait_s)
        for name in (pair, own, "all"):
            self._waiting[name] += 1
        try:
            async with self._lanes[pair]:
                await asyncio.sleep(min(wait_s, SLOW_S))
                async with self._one_at_a_time:
                    return await check()
        finally:
            for name in (pair, own, "all"):
                self._waiting[name] -= 1
                if not self._waiting[name]:
                    del self._waiting[name]
            if pair not in self._waiting:
                self._lanes.pop(pair, None)


def _busy(message: str, wait_s: float) -> HttpRefusal:
    return HttpRefusal(429, message, "RATE_LIMITED", retry_after=str(math.ceil(wait_s)))
