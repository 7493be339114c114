"""Change a site: its name, address, services and coordinates."""

from typing import Any
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Right, Tx
from domain.accounts.events import SiteChanged
from domain.accounts.model import Site
from domain.accounts.rules import changes_of
from domain.core.errors import Code, Refused, must_be_current


async def change_site(
    tx: Tx, site_id: UUID, *, expected_version: int | None = None, **changes: Any
) -> Site:
    """Change a site; omitted fields stay as they are.

    A site with a geofence keeps its coordinates, because earlier positions were compared with that geofence. Remove the
    geofence first, move the site, then set it again. Refuses incomplete coordinates and a name that another site has.
    """
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    site = await tx.get(Site, site_id, "site", lock=True)
    must_be_current(site.version, expected_version)
    changed = changes_of(site, changes)
    await _check(tx.session, site, changed)
    if changed:
        before = {name: getattr(site, name) for name in changed}
        for name, value in changed.items():
            setattr(site, name, value)
        fact = SiteChanged(
            account_id=site.account_id, subject_id=site.id, at=tx.at, before=before, after=changed
        )
        tx.record(fact)
        await tx.session.flush()
    return site


async def _check(session: AsyncSession, site: Site, changed: dict[str, Any]) -> None:
    lat, lon = changed.get("lat", site.lat), changed.get("lon", site.lon)
    if (lat is None) != (lon is None):
        missing = "lat" if lat is None else "lon"
        raise Refused(Code.INVALID, "Give both lat and lon, or neither.", argument=missing)
    fenced = site.fence_radius_m is not None or site.fence_outline is not None
    if fenced and changed.keys() & {"lat", "lon"}:
        where = "lat" if "lat" in changed else "lon"
        raise Refused(
            Code.INVALID,
            "Remove the geofence with fenceSite before you move the site.",
            argument=where,
        )
    if "name" in changed:
        twin = exists().where(Site.account_id == site.account_id, Site.name == changed["name"])
        if await session.scalar(select(twin)):
            raise Refused(
                Code.ALREADY_EXISTS, "Another site of this client has this name.", argument="name"
            )
