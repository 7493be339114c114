"""Grade arrivals by the fixes of a duty, when they are proven and whenever later fixes say more about them."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from uuid import UUID

import numpy as np
from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import evidence, incidents
from domain.access import Tx
from domain.agreements.model import PromiseKind
from domain.duties.model import Duty
from domain.evidence import NOT_PROVEN, Assessment, MeasuredFix
from domain.incidents import OPEN, Incident
from domain.parameters import ParameterScope
from domain.positions import panic
from domain.positions.fence_distances import outside_fence
from domain.positions.geofences import GeofencePeriod
from domain.positions.model import Fix
from domain.positions.reads import fence_history
from domain.positions.rules import at_of, ms_of
from domain.positions.tracks import Floats
from domain.promises.model import Promise, State

_BEFORE, _AFTER = timedelta(seconds=evidence.BEFORE_S), timedelta(seconds=evidence.AFTER_S)
_COLUMNS = (Fix.at, Fix.received_at, Fix.lat, Fix.lon, Fix.accuracy_m, Fix.skew_s, Fix.mock)
Fences = Sequence[tuple[UUID, Sequence[GeofencePeriod]]]


class SiteStay(Protocol):
    """A stay at a site: a stored row, or what a part of the fixes proves."""

    @property
    def id(self) -> UUID:
        """The id of the row."""

    @property
    def site_id(self) -> UUID | None:
        """The site."""

    @property
    def from_at(self) -> datetime:
        """When it began."""

    @property
    def until_at(self) -> datetime | None:
        """When it ended; None while it lasts."""


class ArrivalGrader(NamedTuple):
    """What the grades of arrivals on one duty depend on, besides the fixes."""

    session: AsyncSession
    duty: Duty
    fences: Mapping[UUID, Sequence[GeofencePeriod]]

    async def grade(
        self, stay: SiteStay, instant: datetime, *, within: timedelta | None = None
    ) -> Assessment:
        """Grade the arrival at an instant by the fixes that are stored now; with a limit by those received in time."""
        drawn = () if stay.site_id is None else self.fences.get(stay.site_id, ())
        fixes = await self._fixes(drawn, instant)
        if within is not None:
            longest_s = within.total_seconds()
            fixes = [each for each in fixes if each.received_s - each.at_s <= longest_s]
        scope = ParameterScope(self.duty.tenant_id, self.duty.account_id, stay.site_id)
        return evidence.grade_by_fixes(
            instant,
            fixes,
            from_at=stay.from_at,
            until_at=stay.until_at,
            limits=await evidence.thresholds_at(self.session, scope, instant),
        )

    async def _fixes(self, drawn: Sequence[GeofencePeriod], instant: datetime) -> list[MeasuredFix]:
        duty = self.duty
        first = max(duty.from_at, instant - _BEFORE)
        last = min(duty.ended_at or duty.until_at, instant + _AFTER)
        rows = await self.session.execute(
            select(*_COLUMNS)
            .where(
                Fix.device_id == duty.device_id,
                Fix.at >= first,
                Fix.at < last,
                Fix.lat.is_not(None),
            )
            .order_by(Fix.at)
        )
        found = rows.all()
        at = np.array([ms_of(row.at) / 1000 for row in found], np.float64)
        lat = np.array([row.lat for row in found], np.float64)
        lon = np.array([row.lon for row in found], np.float64)
        _x, _y, outside, size = outside_fence(drawn, at, lat, lon)
        return [
            MeasuredFix(
                at_s=at_s,
                received_s=ms_of(row.received_at) / 1000,
                lat=row.lat,
                lon=row.lon,
                outside_m=outside_m,
                size_m=size_m,
                accuracy_m=row.accuracy_m,
                skew_s=row.skew_s,
                mock=row.mock,
            )
            for row, at_s, outside_m, size_m in zip(
                found, at.tolist(), outside.tolist(), size.tolist(), strict=True
            )
        ]


async def grader_of(session: AsyncSession, duty: Duty) -> ArrivalGrader:
    """Return the grader of a duty, with the geofences of its account."""
    return ArrivalGrader(session, duty, dict(await fence_history(session, duty.account_id)))


async def regrade(
    tx: Tx,
    grader: ArrivalGrader,
    stays: Sequence[SiteStay],
    gone: Collection[UUID],
    heard: Floats,
    within: timedelta,
) -> None:
    """Grade the arrivals anew that the new reports at the times `heard` may say something about.

    Arrivals that others reported or proved count too: whoever else is at the site supports them, by fixes that came in
    `within` this time, because later ones count only after a person's decision. Evidence of stays in `gone`, which
    later fixes disproved, is withdrawn.
    """
    if not heard.size or not (stays or gone):
        return
    for incident in await _arrived(tx.session, grader.duty, stays, heard):
        known = await incidents.standing_evidence(tx.session, incident.id)
        for key in _keys(known, stays, gone, incident):
            stay = next((each for each in stays if str(each.id) == key[0]), None)
            measured = any(each.key == key and each.measured for each in known)
            limit = None if measured else within
            found = NOT_PROVEN
            if stay is not None:
                found = await grader.grade(stay, key[1], within=limit)
            if incidents.says_more(known, key, found):
                await incidents.grade_arrival(tx, incident.id, key, found)


class _Arrived(NamedTuple):
    id: UUID
    site_id: UUID
    arrived_at: datetime


async def _arrived(
    session: AsyncSession, duty: Duty, stays: Sequence[SiteStay], heard: Floats
) -> list[_Arrived]:
    """Select the incidents with an arrival about the time of the reports, or one that nothing proves well enough."""
    first, last = (at_of(round(float(heard[n]) * 1000)) for n in (0, -1))
    sites = {stay.site_id for stay in stays if stay.site_id is not None}
    at_site: ColumnElement[bool] = Incident.site_id.in_(sites)
    if duty.site_id is not None:
        at_site = or_(at_site, Incident.site_id == duty.site_id)
    lasted = or_(Incident.status.in_(OPEN), Incident.resolved_at >= first)
    rows = await session.execute(
        select(Incident.id, Incident.site_id, Incident.arrived_at)
        .where(
            Incident.account_id == duty.account_id,
            Incident.opened_at <= last,
            Incident.arrived_at <= last + _BEFORE,
            or_(Incident.arrived_at >= first - _AFTER, and_(lasted, _still_awaited())),
            at_site,
            panic.not_called_from(duty.id),
        )
        .order_by(Incident.id)
    )
    return [_Arrived(id_, site_id, at) for id_, site_id, at in rows if at is not None]


def _still_awaited() -> ColumnElement[bool]:
    """Select incidents with a promise whose clock no arrival has stopped, although one is recorded."""
    return exists().where(
        Promise.unit_id == Incident.id,
        Promise.kind == PromiseKind.ARRIVAL,
        or_(Promise.stopped_at.is_(None), Promise.state == State.CANCELLED),
    )


def _keys(
    known: Sequence[evidence.StandingEvidence],
    stays: Sequence[SiteStay],
    gone: Collection[UUID],
    incident: _Arrived,
) -> list[evidence.EvidenceKey]:
    """Return what to grade: the evidence of these stays that stands, and of each stay since the arrival."""
    ids = {str(each) for each in gone} | {str(stay.id) for stay in stays}
    keys = {each.key for each in known if each.presence_id in ids}
    for stay in stays:
        over = stay.until_at is not None and stay.until_at <= incident.arrived_at
        if stay.site_id == incident.site_id and not over:
            keys.add((str(stay.id), max(stay.from_at, incident.arrived_at)))
    return sorted(keys, key=lambda key: (key[1], str(key[0])))
