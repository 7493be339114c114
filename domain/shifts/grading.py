"""Grades of clock-ins and clock-outs: what the phone states, and what the guard's device shows later."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from domain import evidence, positions, promises
from domain.access import Tx
from domain.accounts.model import Site
from domain.core.errors import Code, Refused
from domain.evidence import Assessment, StatedPosition
from domain.parameters import ParameterScope
from domain.shifts import events
from domain.shifts.followers import tell_followers
from domain.shifts.model import Attendance, AttendanceKind, Shift, ShiftState
from domain.shifts.rules import GRADED_AFTER


@dataclass(frozen=True, slots=True)
class PhonePosition:
    """Where the guard's phone says it is, in degrees WGS 84, and what it says about that."""

    lat: float
    lon: float
    accuracy_m: float | None = None
    measured_at: datetime | None = None
    sent_at: datetime | None = None
    mock: bool | None = None


@dataclass(frozen=True, slots=True)
class PhoneStatement:
    """What a phone states about its position; every part may be missing."""

    lat: float | None = None
    lon: float | None = None
    accuracy_m: float | None = None
    measured_at: datetime | None = None
    sent_at: datetime | None = None
    mock: bool | None = None


def phone_position(stated: PhoneStatement) -> PhonePosition | None:
    """Return the position of a phone, None without one; refuses half of one, and what cannot be."""
    if stated.lat is None and stated.lon is None:
        if (stated.accuracy_m, stated.measured_at, stated.mock) != (None, None, None):
            raise Refused(
                Code.INVALID, "Give lat and lon with what is said about them.", argument="lat"
            )
        return None
    if stated.lat is None or stated.lon is None:
        raise Refused(
            Code.INVALID,
            "Give both lat and lon, or neither.",
            argument="lat" if stated.lat is None else "lon",
        )
    if not (-90 <= stated.lat <= 90 and -180 <= stated.lon <= 180):
        raise Refused(Code.INVALID, "The degrees are out of range.", argument="lat")
    if stated.accuracy_m is not None and not 0 <= stated.accuracy_m <= 100_000:
        raise Refused(Code.INVALID, "The accuracy is 0 to 100,000 metres.", argument="accuracyM")
    if stated.measured_at and stated.sent_at and stated.measured_at > stated.sent_at:
        raise Refused(
            Code.TIME_REVERSED,
            "By the phone's clock the position was measured after it was sent.",
            argument="measuredAt",
        )
    return PhonePosition(
        stated.lat, stated.lon, stated.accuracy_m, stated.measured_at, stated.sent_at, stated.mock
    )


async def distance_m(tx: Tx, shift: Shift, position: PhonePosition) -> float | None:
    """Return the distance of a phone from the geofence of the site; None where the site has none."""
    site = await tx.session.get_one(Site, shift.site_id)
    fence = positions.fence_of(site.lat, site.lon, site.fence_radius_m, site.fence_outline)
    return None if fence is None else float(fence.distance_m(position.lat, position.lon))


async def assess(
    tx: Tx,
    shift: Shift,
    at: datetime,
    position: PhonePosition | None,
    outside_m: float | None,
    *,
    received_at: datetime | None = None,
) -> Assessment:
    """Grade a clock-in or clock-out by what the guard's phone states; None: a person reported it.

    `received_at` is when the phone told it, if that was earlier than now.
    """
    if position is None:
        return evidence.REPORTED
    stated = StatedPosition(
        outside_m, position.accuracy_m, position.measured_at, position.sent_at, position.mock
    )
    scope = ParameterScope(shift.tenant_id, shift.account_id, shift.site_id)
    limits = await evidence.thresholds_at(tx.session, scope, at)
    return evidence.grade_statement(at, stated, received_at=received_at or tx.at, limits=limits)


def graded_fields(row: Attendance) -> dict[str, Any]:
    """Return the fields of a fact that state the grade, as clients may read them."""
    found = row.assessment
    return {
        "grade": found.grade,
        "measured_by": found.source,
        "reasons": [each.for_clients.plain() for each in found.reasons],
        "proven_from": {str(each): at for each, at in found.proven_from.items()},
        "contradicted": found.contradicted,
    }


async def grade_start_again(tx: Tx, shift: Shift) -> None:
    """Grade the clock-in that stands again, by the positions of the guard's device, and judge the promises anew."""
    if shift.state not in (ShiftState.RUNNING, ShiftState.ENDED) or shift.user_id is None:
        return
    row = await tx.session.scalar(
        select(Attendance).where(
            Attendance.shift_id == shift.id,
            Attendance.kind == AttendanceKind.CLOCK_IN,
            Attendance.replaced_at.is_(None),
        )
    )
    if row is None or tx.at < row.at + GRADED_AFTER:
        return
    shown = await positions.grade_presence(
        tx.session, shift.user_id, shift.account_id, shift.site_id, row.at
    )
    known = row.assessment
    found = evidence.stronger(known, shown)
    if (found.grade, found.proven_from) == (known.grade, known.proven_from):
        return
    row.keep(found)
    tx.record(
        events.StartGraded(
            account_id=shift.account_id,
            subject_id=shift.id,
            at=tx.at,
            attendance_id=row.id,
            instant=row.at,
            grade_before=known.grade,
            grade=found.grade,
            measured_by=found.source,
            reasons=[each.for_clients.plain() for each in found.reasons],
            proven_from={str(each): at for each, at in found.proven_from.items()},
            contradicted=found.contradicted,
        )
    )
    await tell_followers(tx, shift)
    await promises.evaluate(tx.session, tx.actor, shift.id, at=tx.at)
