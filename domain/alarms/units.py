"""Guards who can be sent to an alarm: who is free and qualified, the nearest first, and who is not, with the rule."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import duties, guards
from domain.access import Actor
from domain.accounts.model import Site
from domain.alarms.model import ENDED, Alarm, AlarmSystem
from domain.core.base import among
from domain.duties.model import Duty
from domain.positions import Geofence
from domain.positions.model import Whereabouts

KM_AN_HOUR = 40
"""Speed over the straight distance with which the arrival is computed: there is no map of roads."""
FRESH = timedelta(minutes=10)
"""A position that is older says nothing about where a guard is."""


class UnitExclusion(StrEnum):
    """Rule by which a guard on duty is not sent to an alarm."""

    PASS = "pass"  # noqa: S105 - the name of a document
    QUALIFICATION = "qualification"
    BARRED = "barred"
    BUSY = "busy"
    POSITION = "position"


@dataclass(frozen=True, slots=True)
class AlarmUnit:
    """A free and qualified guard on duty; `is_on_duty_here`: positions prove the arrival at this client's site."""

    user_id: UUID
    distance_m: int
    travel_s: int
    position_at: datetime
    is_on_duty_here: bool

    @property
    def reason(self) -> str:
        """Why the guard stands at this place, in words."""
        proof = (
            ""
            if self.is_on_duty_here
            else " The duty is for another client: no position proves the arrival."
        )
        return (
            f"{self.distance_m:,} m in a straight line, at {KM_AN_HOUR} km/h"
            f" {self.travel_s / 60:.1f} minutes; position of {self.position_at:%H:%M:%S} UTC.{proof}"
        )


@dataclass(frozen=True, slots=True)
class ExcludedUnit:
    """A guard on duty who is not sent, with the rule and the words that explain it."""

    user_id: UUID
    reason: UnitExclusion
    text: str


@dataclass(frozen=True, slots=True)
class UnitRanking:
    """Who can be sent, the nearest first, and who is on duty and cannot."""

    units: list[AlarmUnit]
    excluded: list[ExcludedUnit]


async def rank_units(
    session: AsyncSession, actor: Actor, alarm: Alarm, *, at: datetime
) -> UnitRanking:
    """Rank the guards on duty within the actor's accounts for an alarm; six statements for any number of guards."""
    site = await session.get_one(Site, alarm.site_id)
    rows = await session.execute(
        select(Duty.user_id, Duty.account_id, Whereabouts.lat, Whereabouts.lon, Whereabouts.at)
        .outerjoin(Whereabouts, Whereabouts.duty_id == Duty.id)
        .where(actor.scope(Duty), duties.running(at))
        .order_by(Duty.user_id, Whereabouts.at.desc().nulls_last())
    )
    latest: dict[UUID, tuple[float | None, float | None, datetime | None]] = {}
    here: set[UUID] = set()
    for user_id, account_id, lat, lon, seen_at in rows:
        latest.setdefault(user_id, (lat, lon, seen_at))
        if account_id == alarm.account_id:
            here.add(user_id)
    unfit = await unfit_units(session, alarm, latest, at=at)
    found = UnitRanking([], list(unfit.values()))
    for user_id, (lat, lon, seen_at) in latest.items():
        if user_id in unfit:
            continue
        if site.lat is None or site.lon is None:
            text = "The site has no position, so that no distance is known."
        elif lat is None or lon is None or seen_at is None or seen_at < at - FRESH:
            text = f"No position of the last {FRESH.seconds // 60} minutes is known."
        else:
            metres = max(0.0, Geofence(site.lat, site.lon, 0.0).distance_m(lat, lon))
            takes = round(metres / 1_000 / KM_AN_HOUR * 3_600)
            found.units.append(AlarmUnit(user_id, round(metres), takes, seen_at, user_id in here))
            continue
        found.excluded.append(ExcludedUnit(user_id, UnitExclusion.POSITION, text))
    found.units.sort(key=lambda each: (each.distance_m, not each.is_on_duty_here, each.user_id))
    return found


async def unfit_units(
    session: AsyncSession, alarm: Alarm, user_ids: Collection[UUID], *, at: datetime
) -> dict[UUID, ExcludedUnit]:
    """Return who of these guards may not be sent to an alarm, with the rule."""
    required = [guards.PASS]
    if alarm.system_id is not None:
        required += (await session.get_one(AlarmSystem, alarm.system_id)).qualifications
    held = await guards.held_qualifications(session, user_ids)
    barred = await guards.barred(session, alarm.account_id, user_ids)
    busy = set(
        await session.scalars(
            select(Alarm.user_id).where(
                among(Alarm.user_id, user_ids), Alarm.state.not_in(ENDED), Alarm.id != alarm.id
            )
        )
    )
    found = {}
    for user_id in user_ids:
        lacks = guards.missing_qualifications(required, held[user_id], on=at.date())
        if guards.PASS in lacks:
            why = (UnitExclusion.PASS, "No valid pass is recorded.")
        elif lacks:
            why = (UnitExclusion.QUALIFICATION, f"The guard lacks {', '.join(lacks)}.")
        elif user_id in barred:
            why = (UnitExclusion.BARRED, "The client does not want this guard at its sites.")
        elif user_id in busy:
            why = (UnitExclusion.BUSY, "The guard is at another alarm.")
        else:
            continue
        found[user_id] = ExcludedUnit(user_id, *why)
    return found
