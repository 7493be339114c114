"""Outbox draining: executes due jobs straight from PostgreSQL and reports a backlog.

The queue brings new rows within milliseconds. Every other row is claimed here, one company after another:
rows for which the queue had no room, rows that it lost or did not bring in time, rows of a killed worker, and
rows to retry. So a backlog drains at the pace of the workers, whatever the state of Redis.
"""

import asyncio
from datetime import UTC, datetime

import structlog

from domain.core import outbox
from domain.core.backlog import Backlog, backlog
from realtime.changes import ChangeWaiter
from realtime.tasks import done_within, end
from workers.jobs import LIMIT_S, Runner
from workers.periodic import BACKSTOP_S, WakeAlarm, WorkContext

log = structlog.get_logger()

AT_ONCE = 8  # attempts in parallel, in addition to those of the queue
IDLE_S = 0.25
REPEAT_S = 300.0  # a lasting backlog is logged again after this time


async def drain_outbox(runner: Runner, work: WorkContext) -> None:
    """Execute due jobs until cancelled; attempts in progress are finished first. Several workers may do so."""
    running: set[asyncio.Task[None]] = set()
    with work.changes.waiting_for(outbox.DUE) as waiter:
        await _drain(
            runner, running, waiter, WakeAlarm(work.make, work.changes, waiter, outbox.DUE)
        )


async def _drain(
    runner: Runner, running: set[asyncio.Task[None]], waiter: ChangeWaiter, alarm: WakeAlarm
) -> None:
    try:
        while True:
            waiter.begin()
            free = AT_ONCE - len(running)
            claimed = await runner.claim(free) if free else []
            for outbox_id, attempt in claimed:
                running.add(asyncio.create_task(runner.attempt(outbox_id, attempt)))
            if not running:
                await alarm.wait(IDLE_S, BACKSTOP_S)
                continue
            # A batch that was not full means that nothing more is due: poll again soon. A full one: continue as
            # soon as an attempt ends.
            wait_s = IDLE_S if len(claimed) < free else None
            done, running = await asyncio.wait(
                running, timeout=wait_s, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
    finally:
        await done_within(running, LIMIT_S)
        await end(*running)


class BacklogReport:
    """Logs a warning when workers are behind or jobs are dead, at most every five minutes while it lasts."""

    def __init__(self) -> None:
        self._dead = 0
        self._late_at: float | None = None

    async def look(self, work: WorkContext, _limit: int) -> int:
        """Measure the backlog and log it if it has changed."""
        now = asyncio.get_running_loop().time()
        async with work.make() as session:
            left = await backlog(session, at=datetime.now(UTC))
        if left.is_late and (self._late_at is None or now - self._late_at >= REPEAT_S):
            log.warning("outbox.behind", **_figures(left))
            self._late_at = now
        elif self._late_at is not None and not left.is_late:
            log.info("outbox.caught_up", **_figures(left))
            self._late_at = None
        if left.dead > self._dead:
            log.warning("outbox.given_up", **_figures(left))
        self._dead = left.dead
        return 0


def _figures(left: Backlog) -> dict[str, float]:
    return {
        "pending": left.pending,
        "failed": left.failed,
        "dead": left.dead,
        "lag_s": round(left.lag_s, 1),
        "oldest_s": round(left.oldest_s, 1),
    }
