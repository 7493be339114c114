"""Wait until what was imported is all there: numbered by the relay, and measured."""

import asyncio
import time
from dataclasses import dataclass
from uuid import UUID

from domain.core.db import Sessions
from domain.imports import Progress, Remaining, left
from workers import relay

EVERY_S = 0.5
STALLED_S = 60.0
"""Time without progress after which waiting ends with a message."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Work that has not arrived, and the reason why waiting for it ended."""

    left: Remaining
    why: str = ""

    @property
    def words(self) -> str:
        """Return the message for the user of the command."""
        if self.left.is_nothing:
            return "All of it is there: numbered in the ledger, and measured."
        return (
            f"It is in the database. Still to do: {self.left.facts:,} facts to number, "
            f"{self.left.accounts:,} clients to measure. {self.why}"
        )


async def arrived(
    make: Sessions, tenant_id: UUID, *, is_awaited: bool, progress: Progress
) -> Arrival:
    """Wait until workers have done everything that follows from a company's imports, as long as they get on with it."""
    first, moved_at = await _left(make, tenant_id), time.monotonic()
    last = now = first
    has_been_led = False
    while not now.is_nothing:
        if not is_awaited:
            return Arrival(now, "Workers do that by themselves.")
        if not await _is_led(make, has_been=has_been_led):
            return Arrival(
                now,
                "No worker is running: `waarborg up` or `waarborg worker` does it.",
            )
        has_been_led = True
        progress("Numbering", 1 - now.facts / max(first.facts, now.facts, 1))
        if now.facts == 0:
            progress("Measuring", 1 - now.accounts / max(first.accounts, now.accounts, 1))
        if now != last:
            last, moved_at = now, time.monotonic()
        elif time.monotonic() - moved_at > STALLED_S:
            return Arrival(
                now, f"Nothing has moved for {STALLED_S:.0f} s: `waarborg doctor` says more."
            )
        began = time.monotonic()
        now = await _left(make, tenant_id)
        # Counting costs the server something: at most a tenth of the time is spent on it.
        await asyncio.sleep(0 if now.is_nothing else max(EVERY_S, 9 * (time.monotonic() - began)))
    return Arrival(now)


async def _left(make: Sessions, tenant_id: UUID) -> Remaining:
    async with make() as session:
        return await left(session, tenant_id)


async def _is_led(make: Sessions, *, has_been: bool) -> bool:
    """Whether a relay leads; where one did, the next one gets a moment to take over."""
    for pause_s in (0.0, 1.0, 2.0, 4.0) if has_been else (0.0,):
        await asyncio.sleep(pause_s)
        async with make() as session:
            if await relay.is_led(session):
                return True
    return False
