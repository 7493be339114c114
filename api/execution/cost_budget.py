"""Cost budget per actor: each operation spends its estimated cost, and the budget refills at a constant rate."""

import time

import structlog
from cachetools import FIFOCache
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.support.rate_limit import InMemory, RateLimit, Throttle
from domain.core.settings import Settings

log = structlog.get_logger()

LOAN = 2_000  # cost reserved in Redis at once, so that small queries call Redis (0.3 ms) about once in fifty
LOAN_S = 2.0  # after which the unused rest of a reservation expires
KEPT = 10_000
WITHOUT_END = 1e12  # a practically unlimited burst
AWAY_S = 1.0  # how long Redis is not called after it failed


class Budget:
    """The budgets of all actors, shared by all API processes through Redis."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._throttle = Throttle(redis)
        self._rate = RateLimit(settings.budget_per_s, settings.budget_burst)
        self._closed = settings.budget_without_redis == "closed"
        self._loans: FIFOCache[str, tuple[float, float]] = FIFOCache(KEPT)
        self._back_at = 0.0
        self._own = InMemory()

    async def wait_s(self, subject: str, cost: int) -> float:
        """Spend `cost` of an actor's budget and return 0, or return the seconds to wait without spending it."""
        left, until = self._loans.get(subject, (0.0, 0.0))
        now = time.monotonic()
        if now < until and cost <= left:
            self._loans[subject] = (left - cost, until)
            return 0.0
        if now < self._back_at:
            return await self._without_redis(subject, cost)
        try:
            loan = max(cost, LOAN)
            wait_s = await self._throttle.wait_s(subject, loan, self._rate)
            if (
                wait_s > 0 and loan > cost
            ):  # too little for a reservation, perhaps enough for this operation
                loan = cost
                wait_s = await self._throttle.wait_s(subject, cost, self._rate)
        except (RedisError, OSError) as error:
            self._note_away(error)
            return await self._without_redis(subject, cost)
        if wait_s == 0:
            self._loans[subject] = (loan - cost, now + LOAN_S)
        return wait_s

    async def charge(self, subject: str, cost: int) -> None:
        """Charge `cost` for finished work, even if it exceeds the budget; later operations then wait longer."""
        rate = RateLimit(self._rate.per_s, WITHOUT_END)
        try:
            if time.monotonic() < self._back_at:
                await self._own.wait_s(subject, cost, rate)
            else:
                await self._throttle.wait_s(subject, cost, rate)
        except (RedisError, OSError) as error:
            self._note_away(error)
            await self._own.wait_s(subject, cost, rate)

    def _note_away(self, error: Exception) -> None:
        self._back_at = time.monotonic() + AWAY_S
        log.warning("budget.redis_away", error=repr(error), closed=self._closed)

    async def _without_redis(self, subject: str, cost: int) -> float:
        """Spend from a budget in this process, so that a process without Redis still limits its actors."""
        return AWAY_S if self._closed else await self._own.wait_s(subject, cost, self._rate)
