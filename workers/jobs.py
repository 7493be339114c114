"""Jobs: the context a job receives, and the runner that executes every job in the same way."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.core import claims, outbox, sequencing
from domain.core.db import Sessions, reason, transaction
from domain.core.sequencing import SequencedEvent
from workers.outbound.senders import Senders, TryLater

log = structlog.get_logger()

BEGUN = timedelta(seconds=5)
"""How long an attempt excludes other workers before it holds its row's lock.

So the job of a killed process is taken up again after 5 s: its lock ends with its connection, whereas arq
alone would wait for its timeout and 10 s more.
"""
LIMIT_S = 30.0
"""Time limit of one attempt."""
LONGEST_S = 3600.0
"""Longest pause between attempts; pauses start at 2 s and double, each shortened by up to half at random."""


class Reschedule(Exception):
    """Raised by a job to be run again at `at` without counting an attempt.

    `lets_pass` allows later jobs of the same lane to run meanwhile, because the job waits on purpose.
    """

    def __init__(self, at: datetime, why: str, *, lets_pass: bool = False) -> None:
        super().__init__(why)
        self.at = at
        self.lets_pass = lets_pass


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a job receives: a session whose commit also marks the job as done, and the fact it follows from."""

    session: AsyncSession
    fact: SequencedEvent
    at: datetime
    is_last: bool  # no attempt follows this one
    make: Sessions
    senders: Senders

    @property
    def actor(self) -> Actor:
        """The system actor of the fact's tenant, with the fact's trace id."""
        return replace(Actor.system(self.fact.tenant_id, "worker"), trace_id=self.fact.trace_id)

    @property
    def tx(self) -> Tx:
        """The job's transaction, actor and time."""
        return Tx(self.session, self.actor, self.at)


Job = Callable[[JobContext], Awaitable[None]]


def pause_s(attempt: int, chance: float) -> float:
    """Return the pause after a failed attempt (1, 2, …); `chance` in [0, 1) spreads jobs that failed together."""
    longest: float = min(LONGEST_S, 2.0 ** min(attempt, 16))
    return longest * (1 - chance / 2)


class Runner:
    """Executes jobs: each one once, in a transaction that also marks it as done."""

    def __init__(
        self,
        make: Sessions,
        jobs: Mapping[str, Job],
        senders: Senders,
        *,
        attempts: int,
    ) -> None:
        self._make = make
        self._jobs = jobs
        self._senders = senders
        self._attempts = attempts

    async def run(self, outbox_id: UUID) -> None:
        """Attempt one job; do nothing if it is done, dead, in progress elsewhere, or behind another job of its lane.

        Raises only PostgreSQL's errors.
        """
        await self._run(outbox_id, first_only=False)

    async def run_new(self, outbox_id: UUID) -> None:
        """Attempt one job that was never attempted; see `run`."""
        await self._run(outbox_id, first_only=True)

    async def _run(self, outbox_id: UUID, *, first_only: bool) -> None:
        at = datetime.now(UTC)
        async with transaction(self._make) as session:
            attempt = await claims.start_attempt(
                session, outbox_id, at=at, lease=BEGUN, first_only=first_only
            )
            if attempt is None:
                # behind an earlier job of its lane: draining claims it when that one is done
                await outbox.release(session, [outbox_id], at=at)
        if attempt is not None:
            await self.attempt(outbox_id, attempt)

    async def claim(self, limit: int) -> list[tuple[UUID, int]]:
        """Start an attempt of up to `limit` due rows; the caller passes each to `attempt` at once."""
        async with transaction(self._make) as session:
            return await claims.claim(session, at=datetime.now(UTC), lease=BEGUN, limit=limit)

    async def attempt(self, outbox_id: UUID, attempt: int) -> None:
        """Execute an attempt that was started. Raises only PostgreSQL's errors."""
        try:
            async with asyncio.timeout(LIMIT_S), transaction(self._make) as session:
                await self._do(session, outbox_id, attempt)
        except Reschedule as later:
            async with transaction(self._make) as session:
                await outbox.reschedule(
                    session,
                    outbox_id,
                    attempt=attempt,
                    until=later.at,
                    lets_pass=later.lets_pass,
                )
        except Exception as error:  # noqa: BLE001 - any failure of a job is recorded and the job is retried
            await self._note_failure(outbox_id, attempt, error)

    async def _do(self, session: AsyncSession, outbox_id: UUID, attempt: int) -> None:
        row = await outbox.lock_attempt(session, outbox_id, attempt=attempt)
        if row is None:
            return
        fact = await sequencing.fact(session, row.fact_id)
        context = JobContext(
            session,
            fact,
            datetime.now(UTC),
            attempt >= self._attempts,
            self._make,
            self._senders,
        )
        await self._jobs[row.job](context)
        outbox.finish(row, at=datetime.now(UTC))

    async def _note_failure(self, outbox_id: UUID, attempt: int, error: Exception) -> None:
        at = datetime.now(UTC)
        again_at = None
        if attempt < self._attempts:
            pause = pause_s(attempt, random.random())  # noqa: S311 - spreads load, not a secret
            if isinstance(error, TryLater):
                pause = max(pause, min(error.wait_s, LONGEST_S))
            again_at = at + timedelta(seconds=pause)
        error_text = reason(error)
        async with transaction(self._make) as session:
            await outbox.fail(
                session,
                outbox_id,
                attempt=attempt,
                failure=outbox.AttemptFailure(error_text, at, again_at),
            )
        facts = {"outbox_id": str(outbox_id), "attempt": attempt, "error": error_text}
        if again_at is None:
            log.error("job.dead", **facts, exc_info=error)
        else:
            log.warning("job.failed", **facts)
