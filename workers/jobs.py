"""Jobs: what a consequence is given to work with, and the one way in which every consequence is executed."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.core import claims, outbox, sequencing
from domain.core.db import Sessions, reason, transaction
from domain.core.sequencing import SequencedEvent
from workers.outbound.senders import Senders, TryLater

log = structlog.get_logger()

BEGUN = timedelta(seconds=5)
"""How long an attempt keeps others away before it holds its row's lock. So work of a killed process is taken up
again in 5 s: its lock dies with its connection, where arq alone would wait for its timeout and 10 s more."""
LIMIT_S = 30.0
"""How long an attempt may take."""
LONGEST_S = 3600.0
"""The longest pause between attempts; they start at 2 s and double, each shortened by up to half at random."""


class Reschedule(Exception):
    """It is not yet time: the job wants to be done at `at`, and this was no attempt.

    `lets_pass`: meanwhile later jobs of its lane may be done, because it waits on purpose.
    """

    def __init__(self, at: datetime, why: str, *, lets_pass: bool = False) -> None:
        super().__init__(why)
        self.at = at
        self.lets_pass = lets_pass


@dataclass(frozen=True, slots=True)
class JobContext:
    """What a job has in context: a session whose commit also marks the job done, and the fact it follows from."""

    session: AsyncSession
    fact: SequencedEvent
    at: datetime
    is_last: bool  # no attempt comes after this one
    make: Sessions
    senders: Senders

    @property
    def actor(self) -> Actor:
        """The software, acting for the fact's tenant under the fact's trace."""
        return replace(Actor.system(self.fact.tenant_id, "worker"), trace_id=self.fact.trace_id)


Job = Callable[[JobContext], Awaitable[None]]


def pause_s(attempt: int, chance: float) -> float:
    """How long to wait after a failed attempt (1, 2, …); `chance` in [0, 1) spreads those that failed together."""
    longest: float = min(LONGEST_S, 2.0 ** min(attempt, 16))
    return longest * (1 - chance / 2)


class Runner:
    """Executes consequences: each one once, each attempt in one transaction with its mark."""

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
        """Try one consequence. Done, dead, begun by others or not its turn: nothing happens.

        Raises only what PostgreSQL raises.
        """
        await self._run(outbox_id, first_only=False)

    async def run_new(self, outbox_id: UUID) -> None:
        """Try one consequence that was never tried; see `run`."""
        await self._run(outbox_id, first_only=True)

    async def _run(self, outbox_id: UUID, *, first_only: bool) -> None:
        at = datetime.now(UTC)
        async with transaction(self._make) as session:
            attempt = await claims.start_attempt(
                session, outbox_id, at=at, lease=BEGUN, first_only=first_only
            )
            if (
                attempt is None
            ):  # behind an earlier one of its lane: whoever drains finds it in time
                await outbox.release(session, [outbox_id], at=at)
        if attempt is not None:
            await self.attempt(outbox_id, attempt)

    async def claim(self, limit: int) -> list[tuple[UUID, int]]:
        """Begin an attempt of up to `limit` due rows; each has to be passed to `attempt` at once."""
        async with transaction(self._make) as session:
            return await claims.claim(session, at=datetime.now(UTC), lease=BEGUN, limit=limit)

    async def attempt(self, outbox_id: UUID, attempt: int) -> None:
        """Do the work of an attempt that was begun. Raises only what PostgreSQL raises."""
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
        except Exception as error:  # noqa: BLE001 - whatever it is, it is written down and tried again
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
            pause = pause_s(attempt, random.random())  # noqa: S311 - spreads load, guards nothing
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
