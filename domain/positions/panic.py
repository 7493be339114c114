"""Panic calls from a device on duty: each opens one critical incident."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import duties, incidents
from domain.access import Actor, Tx
from domain.accounts.model import Site
from domain.agreements.model import Priority, TicketKind
from domain.core.errors import Code, Refused
from domain.duties.model import Duty
from domain.incidents import OPEN, Incident
from domain.positions.geofences import Geofence
from domain.positions.model import Whereabouts

SOURCE = "panic"
"""External source of such incidents; their number is the duty and the time that the device gives."""


def not_called_from(duty_id: UUID) -> ColumnElement[bool]:
    """Select the incidents that were not opened by a call from this duty: who calls is already there."""
    return or_(
        Incident.external_source.is_distinct_from(SOURCE),
        ~Incident.external_id.startswith(f"{duty_id}:"),
    )


async def call_for_help(
    session: AsyncSession, device_id: UUID, *, told_ms: int, at: datetime
) -> Incident:
    """Open a critical incident where the device's owner is on duty, at `at`; a repeated call returns the same one.

    A second call while the first incident is open is added to it as an update. Refused when the device is on no duty.
    """
    duty = await session.scalar(
        select(Duty).where(Duty.device_id == device_id, duties.running(at)).with_for_update()
    )
    if duty is None:
        raise Refused(
            Code.NOT_FOUND,
            "The device is not on duty, so nobody was alerted: phone the control room.",
            argument="deviceId",
        )
    number = f"{duty.id}:{told_ms}"
    calls = select(Incident).where(
        Incident.account_id == duty.account_id,
        Incident.external_source == SOURCE,
        Incident.external_id.startswith(f"{duty.id}:"),
    )
    known = list(await session.scalars(calls))
    actor = Actor.system(duty.tenant_id, "panic")
    for incident in known:
        if incident.external_id == number:
            return incident
    for incident in known:
        if incident.status in OPEN:
            words = f"Panic alarm again, at {at:%H:%M:%S} UTC."
            return await incidents.update(
                Tx(session, actor, at), incident.id, body=words, client_visible=False
            )
    site_id = await _site(session, duty)
    return await incidents.open_incident(
        Tx(session, actor, at),
        site_id=site_id,
        priority=Priority.CRITICAL,
        summary=f"Panic alarm of guard {duty.number}",
        source=incidents.Source.GUARD,
        reporter=f"Guard {duty.number}",
        kind=TicketKind.ALARM,
        external_source=SOURCE,
        external_id=number,
    )


async def _site(session: AsyncSession, duty: Duty) -> UUID:
    """Return the post; else the site whose geofence the guard was in last, or the account's nearest site."""
    if duty.site_id is not None:
        return duty.site_id
    here = await session.get(Whereabouts, duty.id)
    if here is not None and here.site_id is not None:
        return here.site_id
    query = (
        select(Site)
        .where(Site.account_id == duty.account_id, Site.merged_into_id.is_(None))
        .order_by(Site.name, Site.id)
    )
    sites = list(await session.scalars(query))
    if not sites:
        raise Refused(
            Code.NOT_FOUND,
            "The client has no site to send help to: phone the control room.",
            argument="id",
        )
    if here is None or here.lat is None or here.lon is None:
        return sites[0].id
    at = Geofence(here.lat, here.lon, 0.0)

    def far_m(site: Site) -> float:
        return (
            at.distance_m(site.lat, site.lon)
            if site.lat is not None and site.lon is not None
            else float("inf")
        )

    return min(sites, key=far_m).id
