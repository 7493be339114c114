"""Working time of a guard: check the rules over all shifts around those that are planned."""

from collections.abc import Collection, Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.errors import Code, Refused
from domain.shifts.model import Shift, ShiftState
from domain.shifts.recurrence import Occurrence
from domain.shifts.working_time import WorkPeriod, check

AROUND = timedelta(weeks=17)
"""How far shifts count for each other: the longest average is of sixteen weeks."""


async def must_keep_working_time(
    session: AsyncSession,
    user_id: UUID,
    occurrences: Sequence[Occurrence],
    zone: str,
    *,
    argument: str,
    apart_from: Collection[UUID] = (),
) -> list[str]:
    """Refuse shifts of a guard that break a rule on working time; return what they break that only warns.

    What the guard's other shifts break without them is not held against them. The guard's row is locked.
    """
    if not occurrences:
        return []
    others = await session.execute(
        select(Shift.from_at, Shift.until_at).where(
            Shift.user_id == user_id,
            Shift.state != ShiftState.CANCELLED,
            Shift.from_at < max(each.until_at for each in occurrences) + AROUND,
            Shift.until_at > min(each.from_at for each in occurrences) - AROUND,
            Shift.id.not_in(apart_from),
        )
    )
    known = [WorkPeriod(*row) for row in others]
    planned = [WorkPeriod(each.from_at, each.until_at) for each in occurrences]
    earlier = set(check(known, zone))
    found = [each for each in check([*known, *planned], zone) if each not in earlier]
    refusing = [each.words for each in found if each.refuses]
    if refusing:
        more = f" (and {len(refusing) - 1} more)" if len(refusing) > 1 else ""
        raise Refused(
            Code.INVALID,
            f"The guard's working time breaks {refusing[0]}{more}.",
            argument=argument,
        )
    return [each.words for each in found]
