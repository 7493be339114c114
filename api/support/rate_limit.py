"""Rate limiting with the generic cell rate algorithm (GCRA), in Redis for all processes, or in memory for one.

Each key stores the instant at which everything spent so far is paid off at the given rate. Spending moves the instant
forward, and it may not be further ahead of now than the burst allows. This takes one number per key and gives the exact
waiting time.
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

STALLED_S = 0.5  # timeout, because a frozen Redis keeps its connections open and would block requests for ever
KEPT = 50_000  # keys in memory: about 10 MB

# Milliseconds of Redis's clock, so that the clocks of API processes may differ.
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
    """A rate per second and the largest burst."""

    per_s: float
    burst: float


class Throttle:
    """Rate limiter in Redis. Raises redis-py's errors, and `TimeoutError` (an `OSError`) when Redis does not reply."""

    def __init__(self, redis: Redis) -> None:
        self._spend = redis.register_script(_GCRA)

    async def wait_s(self, key: str, amount: float, rate: RateLimit) -> float:
        """Spend `amount` for `key` and return 0, or spend nothing and return the seconds to wait."""
        ms = 1000 / rate.per_s
        async with asyncio.timeout(STALLED_S):
            wait_ms = await self._spend(
                keys=[f"waarborg:rate:{{{key}}}"], args=[amount * ms, rate.burst * ms]
            )
        return float(wait_ms) / 1000


class InMemory:
    """Rate limiter in the memory of this process, used while Redis is unavailable."""

    def __init__(self) -> None:
        self._paid: FIFOCache[str, float] = FIFOCache(KEPT)

    async def wait_s(self, key: str, amount: float, rate: RateLimit) -> float:
        """Do the same as `Throttle.wait_s`."""
        now = time.monotonic()
        paid = max(self._paid.get(key, now), now) + amount / rate.per_s
        wait_s = paid - now - rate.burst / rate.per_s
        if wait_s > 0:
            return math.ceil(wait_s * 1000) / 1000
        self._paid[key] = paid
        return 0.0


class RedisWithFallback:
    """Rate limiter in Redis that uses the memory of this process while Redis is unavailable."""

    def __init__(self, redis: Redis) -> None:
        self._shared, self._own = Throttle(redis), InMemory()

    async def wait_s(self, key: str, amount: float, rate: RateLimit) -> float:
        """Do the same as `Throttle.wait_s`, without raising errors of Redis."""
        try:
            return await self._shared.wait_s(key, amount, rate)
        except (RedisError, OSError) as error:
            log.warning("throttle.redis_away", error=repr(error))
            return await self._own.wait_s(key, amount, rate)
