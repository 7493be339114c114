"""Loader of the status of an account's sites: one query each for sites, duties and presences."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from strawberry.dataloader import DataLoader

from domain import duties
from domain.access import Actor, visible_to
from domain.accounts import Site
from domain.core.db import Sessions
from domain.duties import Duty
from domain.positions import HAS_GEOFENCE, Kind, Presence, SiteState, site_state

MOST = 500  # sites that are listed; all of them are counted


class AccountInstant(NamedTuple):
    """Account at an instant."""

    account_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class SitePresence:
    """Site with its running duties and the presences that last: stays, absences, silences."""

    site: Site
    state: SiteState
    on_duty: Sequence[Duty]
    inside: Sequence[Presence]
    absent: Sequence[Presence]
    silent: Sequence[Presence]


@dataclass(frozen=True, slots=True)
class RovingShift:
    """Running duty without a site, with the presences that last."""

    duty: Duty
    inside: Sequence[Presence]
    silent: Sequence[Presence]


@dataclass(frozen=True, slots=True)
class SiteStatuses:
    """Sites of an account by name, at most `MOST`, with their total number and the roaming duties."""

    places: Sequence[SitePresence]
    count: int
    roaming: Sequence[RovingShift]


def posts(make: Sessions, actor: Actor) -> DataLoader[AccountInstant, SiteStatuses]:
    """Make a loader of site statuses, as visible to the actor."""

    async def batch(keys: list[AccountInstant]) -> Sequence[SiteStatuses]:
        async with make() as session:
            return [await _posts(session, actor, *key) for key in keys]

    return DataLoader(batch)


async def _posts(
    session: AsyncSession, actor: Actor, account_id: UUID, at: datetime
) -> SiteStatuses:
    running = (
        select(Duty)
        .where(visible_to(actor, Duty), Duty.account_id == account_id, duties.running(at))
        .order_by(Duty.from_at, Duty.id)
    )
    # Lasting presences of an ended shift are closed silently at its next evaluation, so they do not count here.
    lasting = (
        select(Presence)
        .where(
            visible_to(actor, Presence),
            Presence.account_id == account_id,
            Presence.until_at.is_(None),
            Presence.kind != Kind.DWELL,
            Presence.duty_id.in_(running.with_only_columns(Duty.id).order_by(None)),
        )
        .order_by(Presence.from_at, Presence.id)
    )
    on_duty = list(await session.scalars(running))
    expected = {duty.site_id for duty in on_duty if duty.site_id is not None}
    sites = (
        select(Site, func.count().over())
        .where(
            visible_to(actor, Site),
            Site.account_id == account_id,
            or_(HAS_GEOFENCE, Site.id.in_(expected)),
        )
        .order_by(Site.name, Site.id)
    )
    rows = (await session.execute(sites.limit(MOST))).all()
    return _arranged(rows, on_duty, list(await session.scalars(lasting)))


def _arranged(
    rows: Sequence[tuple[Site, int]], on_duty: Sequence[Duty], lasting: Sequence[Presence]
) -> SiteStatuses:
    expected: defaultdict[UUID | None, list[Duty]] = defaultdict(list)
    for duty in on_duty:
        expected[duty.site_id].append(duty)
    at_site: defaultdict[tuple[Kind, UUID | None], list[Presence]] = defaultdict(list)
    of_duty: defaultdict[tuple[Kind, UUID], list[Presence]] = defaultdict(list)
    for row in lasting:
        at_site[row.kind, row.site_id].append(row)
        of_duty[row.kind, row.duty_id].append(row)

    guard = {duty.id: duty.user_id for duty in on_duty}

    def silent(duty: Duty) -> list[Presence]:
        return of_duty[Kind.SILENCE, duty.id]

    def place(site: Site) -> SitePresence:
        here, inside = expected[site.id], at_site[Kind.STAY, site.id]
        there = {guard[row.duty_id] for row in inside}
        # A guard with several devices is present if any of them is.
        absent = [r for r in at_site[Kind.ABSENCE, site.id] if guard[r.duty_id] not in there]
        state = site_state(
            {duty.user_id for duty in here},
            there,
            {guard[row.duty_id] for row in absent},
            fenced=site.fence_radius_m is not None or site.fence_outline is not None,
        )
        return SitePresence(site, state, here, inside, absent, [s for d in here for s in silent(d)])

    return SiteStatuses(
        [place(site) for site, _count in rows],
        rows[0][1] if rows else 0,
        [RovingShift(duty, of_duty[Kind.STAY, duty.id], silent(duty)) for duty in expected[None]],
    )
