"""Drain the outbox: execute what is due straight from PostgreSQL, and report a backlog.

The queue brings new rows within milliseconds. Everything else is claimed here, the companies in turn: what the queue
had no room for, lost or did not bring in time, what a killed worker left, what failed before. So a backlog drains at
the pace of the workers, whatever Redis does.
"""

import asyncio
from datetime import UTC, datetime

import structlog

from domain.core.backlog import Backlog, backlog
from realtime.tasks import done_within, end
from workers.jobs import LIMIT_S, Runner
from workers.periodic import WorkContext

log = structlog.get_logger()

AT_ONCE = 8  # attempts beside those of the queue
IDLE_S = 0.25
REPEAT_S = 300.0  # a backlog that lasts is logged again


async def drain_outbox(runner: Runner) -> None:
    """Execute what is due until cancelled; attempts that were begun are finished first. Any number may run."""
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            free = AT_ONCE - len(running)
            claimed = await runner.claim(free) if free else []
            for outbox_id, attempt in claimed:
                running.add(asyncio.create_task(runner.attempt(outbox_id, attempt)))
            if not running:
                await asyncio.sleep(IDLE_S)
                continue
            # Nothing more is due: look again soon. Everything is taken: as soon as an attempt ends.
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
    """Logs a warning when workers are behind or work was given up; not again for five minutes."""

    def __init__(self) -> None:
        self._dead = 0
        self._late_at: float | None = None

    async def look(self, work: WorkContext, _limit: int) -> int:
        """Look at the backlog, and log what has changed."""
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
