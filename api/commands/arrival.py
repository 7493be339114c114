"""Waiting until imported data is processed: numbered by the relay and measured by the workers."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

from domain.core.db import Sessions
from domain.imports import Progress, Remaining, left
from workers import relay

EVERY_S = 0.5
STALLED_S = 60.0
"""Time without progress after which the command stops waiting."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """The remaining work, and why the command no longer waits for it."""

    left: Remaining
    why: str = ""

    @property
    def words(self) -> str:
        """The message for the user of the command."""
        if self.left.is_nothing:
            return "All imported facts are numbered in the ledger, and all accounts are measured."
        return (
            f"The import is in the database. Remaining work: {self.left.facts:,} facts to number, "
            f"{self.left.accounts:,} accounts to measure. {self.why}"
        )


async def arrived(
    make: Sessions, tenant_id: UUID, *, is_awaited: bool, progress: Progress
) -> Arrival:
    """Wait until workers have processed a company's imports; stop when they make no progress."""
    first, moved_at = await _left(make, tenant_id), time.monotonic()
    last = now = first
    had_leader = False
    while not now.is_nothing:
        if not is_awaited:
            return Arrival(now, "Workers do that by themselves.")
        if not await _has_leader(make, had_leader=had_leader):
            return Arrival(
                now,
                "No worker is running: `waarborg up` or `waarborg worker` does it.",
            )
        had_leader = True
        progress("Numbering", 1 - now.facts / max(first.facts, now.facts, 1))
        if now.facts == 0:
            progress("Measuring", 1 - now.accounts / max(first.accounts, now.accounts, 1))
        if now != last:
            last, moved_at = now, time.monotonic()
        elif time.monotonic() - moved_at > STALLED_S:
            return Arrival(
                now, f"No progress for {STALLED_S:.0f} s: run `waarborg doctor` for the cause."
            )
        began = time.monotonic()
        now = await _left(make, tenant_id)
        # Counting is expensive for the database, so it takes at most a tenth of the time.
        await asyncio.sleep(0 if now.is_nothing else max(EVERY_S, 9 * (time.monotonic() - began)))
    return Arrival(now)


async def _left(make: Sessions, tenant_id: UUID) -> Remaining:
    async with make() as session:
        return await left(session, tenant_id)


async def _has_leader(make: Sessions, *, had_leader: bool) -> bool:
    """Return whether a relay is the leader; if one was before, give the next one a few seconds to take over."""
    for pause_s in (0.0, 1.0, 2.0, 4.0) if had_leader else (0.0,):
        await asyncio.sleep(pause_s)
        async with make() as session:
            if await relay.is_led(session):
                return True
    return False
