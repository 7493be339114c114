"""State of a device besides its position: its clock offset, and what was refused last."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.credentials.model import Device
from domain.positions.rules import RIGHT_MS, Reason, clock_ms

LONGEST_MESSAGE = 200


async def set_clock(session: AsyncSession, device_id: UUID, told_s: float) -> int:
    """Store the clock offset that a device reports, and return what to add to its times.

    Of two concurrent reports with the same offset, the second gets the value that the first stored.
    """
    told_ms = clock_ms(told_s, 0)
    kept: int | None = await session.scalar(
        update(Device)
        .where(
            Device.id == device_id, ~Device.clock_ms.between(told_ms - RIGHT_MS, told_ms + RIGHT_MS)
        )
        .values(clock_ms=told_ms)
        .returning(Device.clock_ms)
    )
    if kept is not None:
        return kept
    known = (await session.get_one(Device, device_id, populate_existing=True)).clock_ms
    return clock_ms(told_s, known)


async def note_refusal(
    session: AsyncSession,
    device_id: UUID,
    reason: Reason,
    message: str,
    *,
    count: int = 1,
    at: datetime,
) -> None:
    """Record that something from a device was refused, and why, for the people who manage guards."""
    await session.execute(
        update(Device)
        .where(Device.id == device_id)
        .values(
            refusals=Device.refusals + count,
            refused_at=at,
            refused_for=reason.name.lower(),
            refused_message=message[:LONGEST_MESSAGE],
        )
    )
