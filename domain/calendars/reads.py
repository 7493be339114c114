"""Read calendars. Versions never change, so each process caches those it has read."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.calendars.model import CalendarVersion
from domain.calendars.spec import CalendarSpec
from domain.core.constants_cache import ConstantsCache

_cache: ConstantsCache[UUID, CalendarSpec] = ConstantsCache(10_000)


async def specs(session: AsyncSession, version_ids: Iterable[UUID]) -> dict[UUID, CalendarSpec]:
    """Return the hours of each calendar version; unknown ids are left out."""
    wanted = set(version_ids)
    known = _cache.known(wanted)
    missing = wanted - known.keys()
    if missing:
        rows = await session.scalars(select(CalendarVersion).where(CalendarVersion.id.in_(missing)))
        loaded = {row.id: CalendarSpec.from_dict(row.spec) for row in rows}
        _cache.add(loaded)
        known.update(loaded)
    return known
