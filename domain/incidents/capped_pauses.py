"""Find the incidents whose pause allowance is used up, so that the pause ends automatically."""

from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.wakeups import DueColumn, WakeUp
from domain.incidents.model import Incident, Pause, Status

PAUSES_DUE: tuple[WakeUp, ...] = (
    DueColumn(
        Pause.cap_at,
        Pause.until_at.is_(None),
        exists().where(
            Incident.id == Pause.incident_id,
            Incident.status == Status.PAUSED,
            ~is_deferred("pauses", Incident.id),
        ),
    ),
)


async def capped_pauses(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select the incidents whose pause is to end: the companies alternately, the longest overdue of each first.

    An incident whose pause could not be ended waits until its next attempt.
    """
    turn = rank_of(Incident.tenant_id, Pause.cap_at, Pause.id)
    found = await session.execute(
        select(Incident.tenant_id, Incident.id)
        .join(Pause, Pause.incident_id == Incident.id)
        .where(
            Pause.until_at.is_(None),
            Pause.cap_at <= at,
            Incident.status == Status.PAUSED,
            ~is_deferred("pauses", Incident.id, at=at),
        )
        .order_by(turn, func.random())
        .limit(limit)
    )
    return [Subject(*row) for row in found]
