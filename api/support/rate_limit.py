"""Rate limits by the generic cell rate algorithm: in Redis for all processes, in memory for one.

A key holds the instant at which everything spent so far will be paid off at the given rate. Spending moves it on; it
may not be further ahead of now than the burst allows. One number a key, and the wait that helps is known exactly.
"""

import asyncio
import math
import time
from dataclasses import dataclass

import structlog
from cachetools import FIFOCache
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

STALLED_S = (
    0.5  # a frozen Redis keeps its connections open and would hold up every request for ever
)
KEPT = 50_000  # keys in memory: about 10 MB

# Milliseconds by Redis' own clock, so that API processes need not agree about the time.
_GCRA = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local paid = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + tonumber(ARGV[1])
local wait = paid - now - tonumber(ARGV[2])
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%d', math.ceil(paid)), 'PX', math.ceil(paid - now) + 1000)
return 0
"""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """So much a second, and so much at once."""

    per_s: float
    burst: float


class Throttle:
    """Spends in Redis. Raises redis-py's errors, and `TimeoutError` (an `OSError`) when it answers nothing."""

    def __init__(self, redis: Redis) -> None:
        self._spend = redis.register_script(_GCRA)

    async def wait_s(self, key: str, amount: float, rate: RateLimit) -> float:
        """Spend `amount` under `key` and answer 0, or spend nothing and answer how long to wait."""
        ms = 1000 / rate.per_s
        async with asyncio.timeout(STALLED_S):
            wait_ms = await self._spend(
                keys=[f"waarborg:rate:{{{key}}}"], args=[amount * ms, rate.burst * ms]
            )
        return float(wait_ms) / 1000


class InMemory:
    """Spends in this process; for when Redis is away."""

    def __init__(self) -> None:
        self._paid: FIFOCache[str, float] = FIFOCache(KEPT)

    async def wait_s(self, key: str, amount: float, rate: RateLimit) -> float:
        """As `Throttle.wait_s`."""
        now = time.monotonic()
        paid = max(self._paid.get(key, now), now) + amount / rate.per_s
        wait_s = paid - now - rate.burst / rate.per_s
        if wait_s > 0:
            return math.ceil(wait_s * 1000) / 1000
        self._paid[key] = paid
        return 0.0

    def note(self, key: str, amount: float, rate: RateLimit) -> None:
        """Count what was spent elsewhere under `key`."""
        now = time.monotonic()
        self._paid[key] = max(self._paid.get(key, now), now) + amount / rate.per_s


class RedisWithFallback:
    """Spends in Redis, and in this process while Redis is away: never not at all.

    What Redis grants is counted in this process too, so that the loss of Redis does not renew an allowance.
    """

    def __init__(self, redis: Redis) -> None:
        self._shared, self._own = Throttle(redis), InMemory()

    async def wait_s(self, key: str, amount: float, rate: RateLimit) -> float:
        """As `Throttle.wait_s`; raises nothing."""
        try:
            wait_s = await self._shared.wait_s(key, amount, rate)
        except (RedisError, OSError) as error:
            log.warning("throttle.redis_away", error=repr(error))
            return await self._own.wait_s(key, amount, rate)
        if wait_s == 0:
            self._own.note(key, amount, rate)
        return wait_s
