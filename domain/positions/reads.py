"""Reads of positions: the duties and geofences of a device, and the last positions of guards."""

from collections.abc import Collection, MutableMapping
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, or_, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, visible_to
from domain.accounts.model import Site
from domain.core.ledger import LedgerRow
from domain.credentials.model import Device
from domain.duties.model import Duty
from domain.positions.events import SiteFenced
from domain.positions.geofences import Geofence, GeofencePeriod, fence_of
from domain.positions.model import Whereabouts
from domain.positions.rules import LivePosition, ms_of

_OLDEST = (
    "SELECT right(min(c.relname), 8) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = 'fix'::regclass"
)
HAS_GEOFENCE = or_(Site.fence_outline.is_not(None), Site.fence_radius_m.is_not(None))
"""Condition for the sites with a geofence, where positions can prove presence."""


Fences = tuple[tuple[UUID, Geofence], ...]
# Columns, not ORM rows: a device is looked up every 4 s, and this is 5 times cheaper.
_TOUR = (
    *(Device.tenant_id, Device.clock_ms, Duty.id, Duty.account_id, Duty.number),
    *(Duty.from_at, Duty.until_at, Duty.ended_at, Whereabouts.at),
)

_DRAWN = (
    *(Site.id, Site.lat, Site.lon, Site.fence_radius_m, Site.fence_outline),
    *(LedgerRow.id, LedgerRow.at, LedgerRow.body),
)


class ShiftWindow(NamedTuple):
    """A duty as ingest needs it: [from, until) in milliseconds, and the account's geofences."""

    duty_id: UUID
    account_id: UUID
    number: int
    from_ms: int
    until_ms: int
    over: bool
    fences: Fences


class DeviceAssignment(NamedTuple):
    """A device, its owner, and its duties by their beginning."""

    device_id: UUID
    tenant_id: UUID
    tours: tuple[ShiftWindow, ...]
    latest_ms: int
    """The newest known fix of its current duty."""
    clock_ms: int = 0
    """Milliseconds added to its times."""

    def on_duty(self, at_ms: int) -> bool:
        """Return whether a duty of the device covers a time."""
        return any(tour.from_ms <= at_ms < tour.until_ms for tour in self.tours)


async def device_assignment(
    session: AsyncSession,
    device_id: UUID,
    *,
    since: datetime,
    fences: MutableMapping[UUID, Fences] | None = None,
) -> DeviceAssignment | None:
    """Return a device with its duties that lasted after `since`; adds the accounts' geofences to `fences`."""
    found = (
        await session.execute(
            select(*_TOUR)
            .outerjoin(
                Duty,
                and_(
                    Duty.device_id == Device.id,
                    func.coalesce(Duty.ended_at, Duty.until_at) > since,
                ),
            )
            .outerjoin(Whereabouts, Whereabouts.duty_id == Duty.id)
            .where(Device.id == device_id)
            .order_by(Duty.from_at)
        )
    ).all()
    if not found:
        return None
    fences = {} if fences is None else fences
    on_duty = [row for row in found if row.id is not None]
    unknown = {row.account_id for row in on_duty} - fences.keys()
    if unknown:
        drawn = await fences_of(session, unknown)
        fences.update((account_id, drawn.get(account_id, ())) for account_id in unknown)
    tours = tuple(
        ShiftWindow(
            row.id,
            row.account_id,
            row.number,
            ms_of(row.from_at),
            ms_of(row.ended_at or row.until_at),
            row.ended_at is not None,
            fences[row.account_id],
        )
        for row in on_duty
    )
    latest_ms = max((ms_of(row.at) for row in on_duty if row.at is not None), default=-1)
    return DeviceAssignment(device_id, found[0].tenant_id, tours, latest_ms, found[0].clock_ms)


async def fences_of(session: AsyncSession, account_ids: Collection[UUID]) -> dict[UUID, Fences]:
    """Return the sites with a geofence of accounts."""
    if not account_ids:
        return {}
    found: dict[UUID, Fences] = {}
    sites = await session.scalars(
        select(Site).where(Site.account_id.in_(account_ids), HAS_GEOFENCE).order_by(Site.id)
    )
    for site in sites:
        fence = fence_of(site.lat, site.lon, site.fence_radius_m, site.fence_outline)
        if fence is not None:
            found[site.account_id] = (*found.get(site.account_id, ()), (site.id, fence))
    return found


async def fence_history(
    session: AsyncSession, account_id: UUID
) -> list[tuple[UUID, tuple[GeofencePeriod, ...]]]:
    """Return the geofences of an account's sites with their starts, from the ledger."""
    rows: Any = await session.execute(
        select(*_DRAWN)
        .outerjoin(
            LedgerRow, and_(LedgerRow.subject_id == Site.id, LedgerRow.kind == SiteFenced.kind)
        )
        .where(Site.account_id == account_id, or_(HAS_GEOFENCE, LedgerRow.id.is_not(None)))
        .order_by(Site.id, LedgerRow.at, LedgerRow.id)
    )
    found: dict[UUID, list[GeofencePeriod]] = {}
    for site_id, lat, lon, radius_m, outline, fact, at, body in rows.all():
        if fact is None:  # the site was created with its geofence
            found[site_id] = [GeofencePeriod(None, fence_of(lat, lon, radius_m, outline))]
            continue
        if site_id not in found:
            was = fence_of(lat, lon, body["was_radius_m"], body["was_outline"])
            found[site_id] = [GeofencePeriod(None, was)]
        found[site_id].append(
            GeofencePeriod(at, fence_of(lat, lon, body["radius_m"], body["outline"]))
        )
    return [(site_id, tuple(drawn)) for site_id, drawn in found.items()]


async def kept_since(session: AsyncSession) -> datetime | None:
    """Return the oldest day with stored fixes; None when no day exists yet."""
    day = await session.scalar(text(_OLDEST))
    return None if day is None else datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)


async def last_positions(
    session: AsyncSession,
    actor: Actor,
    *,
    account_id: UUID | None = None,
    site_id: UUID | None = None,
    limit: int | None = None,
) -> list[LivePosition]:
    """Return the last positions visible to the actor, by duty: clients see those inside their sites' geofences."""
    query = select(Whereabouts).where(
        visible_to(actor, Whereabouts), Whereabouts.at.is_not(None), Whereabouts.over.is_(False)
    )
    if account_id is not None:
        query = query.where(Whereabouts.account_id == account_id)
    if site_id is not None:
        seen = select(Site.id).where(Site.id == site_id, visible_to(actor, Site))
        query = query.where(Whereabouts.site_id == site_id, seen.correlate(None).exists())
    rows = await session.scalars(query.order_by(Whereabouts.duty_id).limit(limit))
    return [_position(row) for row in rows]


async def changed_since(session: AsyncSession, since: datetime) -> list[LivePosition]:
    """Return everybody with new fixes, or whose duty ended, after `since`. For the system."""
    rows = await session.scalars(select(Whereabouts).where(Whereabouts.received_at > since))
    return [_position(row) for row in rows]


def _position(row: Whereabouts) -> LivePosition:
    return LivePosition(
        tenant_id=row.tenant_id,
        account_id=row.account_id,
        duty_id=row.duty_id,
        number=row.number,
        at_ms=0 if row.at is None else ms_of(row.at),
        lat=row.lat or 0.0,
        lon=row.lon or 0.0,
        accuracy_m=row.accuracy_m,
        speed_mps=row.speed_mps,
        heading_deg=row.heading_deg,
        battery_pct=row.battery_pct,
        site_id=row.site_id,
        over=row.over,
    )
