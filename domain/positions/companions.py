"""Several devices of one guard at one post: the guard is present when any of the devices proves it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.duties.model import Duty
from domain.positions.model import Kind, Presence, Watched


async def stays(session: AsyncSession, duty: Duty) -> Sequence[Presence]:
    """Return the stays at the post of a duty that other devices of the guard prove."""
    if duty.site_id is None:
        return []
    rows = await session.scalars(
        select(Presence).where(
            Presence.duty_id.in_(_companions(duty)),
            Presence.kind == Kind.STAY,
            Presence.site_id == duty.site_id,
        )
    )
    return rows.all()


def own_stays(duty: Duty, rows: Iterable[Presence]) -> set[tuple[datetime, datetime | None]]:
    """Return when the guard was at the post of the duty, by the duty's own device."""
    if duty.site_id is None:
        return set()
    return {
        (row.from_at, row.until_at)
        for row in rows
        if row.kind is Kind.STAY and row.site_id == duty.site_id
    }


async def judge_soon(session: AsyncSession, duty: Duty, *, at: datetime) -> bool:
    """Schedule the guard's other duties at this post for evaluation; False when one is being evaluated now."""
    wanted = set(await session.scalars(_companions(duty)))
    if not wanted:
        return True
    free = set(
        await session.scalars(
            select(Watched.duty_id)
            .where(Watched.duty_id.in_(wanted))
            .with_for_update(
                skip_locked=True
            )  # two concurrent evaluations of companions would deadlock
        )
    )
    await session.execute(update(Watched).where(Watched.duty_id.in_(free)).values(next_check_at=at))
    return free == wanted


def _companions(duty: Duty) -> Select[Any]:
    return select(Duty.id).where(
        Duty.user_id == duty.user_id,
        Duty.id != duty.id,
        Duty.account_id == duty.account_id,
        Duty.site_id == duty.site_id,
        Duty.from_at < (duty.ended_at or duty.until_at),
        func.coalesce(Duty.ended_at, Duty.until_at) > duty.from_at,
    )
