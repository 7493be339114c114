"""What the positions of a guard's devices prove about the guard at a site, apart from incidents."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import evidence
from domain.duties.model import Duty
from domain.evidence import NOT_PROVEN, Assessment
from domain.positions.arrival_grades import grader_of

_AROUND = timedelta(seconds=evidence.BEFORE_S)


@dataclass(frozen=True, slots=True)
class _Stay:
    """The time around an instant, as a stay at the site."""

    id: UUID
    site_id: UUID | None
    from_at: datetime
    until_at: datetime | None = None


async def grade_presence(
    session: AsyncSession, user_id: UUID, account_id: UUID, site_id: UUID, instant: datetime
) -> Assessment:
    """Grade a guard's presence at a site at an instant by the devices that the guard carried for the client then."""
    duties = await session.scalars(
        select(Duty)
        .where(
            Duty.user_id == user_id,
            Duty.account_id == account_id,
            Duty.from_at < instant + _AROUND,
            Duty.until_at > instant - _AROUND,
        )
        .order_by(Duty.id)
    )
    best = NOT_PROVEN
    for duty in duties.all():
        grader = await grader_of(session, duty)
        found = await grader.grade(_Stay(duty.id, site_id, instant - _AROUND), instant)
        best = evidence.stronger(best, found)
    return best
