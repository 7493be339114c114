"""Cost budgets of actors: every operation costs what it may read at most, and budgets refill steadily."""

import time

import structlog
from cachetools import FIFOCache
from redis.asyncio import Redis
from redis.exceptions import RedisError

from api.support.rate_limit import InMemory, RateLimit, Throttle
from domain.core.settings import Settings

log = structlog.get_logger()

LOAN = 2_000  # cost drawn from Redis at once: small queries ask it once in fifty, not each time (0.3 ms)
LOAN_S = 2.0  # after which the rest of it expires
KEPT = 10_000
WITHOUT_END = 1e12  # a burst that is never exhausted
AWAY_S = 1.0  # time for which a Redis that failed is not used


class Budget:
    """Budgets of all actors, shared by all API processes through Redis."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._throttle = Throttle(redis)
        self._rate = RateLimit(settings.budget_per_s, settings.budget_burst)
        self._closed = settings.budget_without_redis == "closed"
        self._loans: FIFOCache[str, tuple[float, float]] = FIFOCache(KEPT)
        self._back_at = 0.0
        self._own = InMemory()

    async def wait_s(self, subject: str, cost: int) -> float:
        """Charge `cost` to an actor and return 0, or return the number of seconds to wait."""
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
            if wait_s > 0 and loan > cost:  # too little left for a loan, enough for this perhaps
                loan = cost
                wait_s = await self._throttle.wait_s(subject, cost, self._rate)
        except (RedisError, OSError) as error:
            self._note_away(error)
            return await self._without_redis(subject, cost)
        if wait_s == 0:
            self._loans[subject] = (loan - cost, now + LOAN_S)
        return wait_s

    async def charge(self, subject: str, cost: int) -> None:
        """Charge `cost` for work that was done already, also beyond the budget: later operations wait longer."""
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
        """Charge to a budget of this process: one that is too busy to reach Redis in time must not stop counting."""
        return AWAY_S if self._closed else await self._own.wait_s(subject, cost, self._rate)
