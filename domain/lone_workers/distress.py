"""Raise distress of a guard: one critical incident for all signs of one emergency, which only the office ends."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from domain import duties, incidents, shifts
from domain.access import Actor, Tx, visible_to
from domain.agreements.model import Priority, TicketKind
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, naming_only
from domain.core.sequencing import SequencedEvent
from domain.duties.model import Duty
from domain.incidents.model import OPEN, Incident
from domain.lone_workers import events
from domain.lone_workers.model import DistressCause, DistressSign
from domain.positions.model import Whereabouts
from domain.shifts import ShiftState
from domain.shifts.model import Shift

PART = "lone workers"
_WORDS = {
    DistressCause.PANIC: "Panic alarm of guard {}",
    DistressCause.NO_MOVEMENT: "Guard {} does not move",
    DistressCause.MISSED_CHECK: "Guard {} missed a welfare check",
}


class StatedPlace(NamedTuple):
    """Where the phone was when it raised a sign."""

    lat: float
    lon: float
    at: datetime


async def raise_by_phone(
    tx: Tx,
    shift_id: UUID,
    cause: DistressCause,
    *,
    key: str,
    happened_at: datetime,
    place: StatedPlace | None,
) -> DistressSign:
    """Raise what a guard's phone reports during an own shift; a repeated event returns the sign that it raised."""
    with naming_only():
        shift = await shifts.shift_of(tx, shift_id)
    if shift.state in (ShiftState.PLANNED, ShiftState.CANCELLED) or shift.user_id is None:
        raise Refused(Code.INVALID, f"The shift is {shift.state}: phone the control room.")
    return await raise_sign(tx, shift, cause, key=key, happened_at=happened_at, place=place)


async def raise_sign(
    tx: Tx,
    shift: Shift,
    cause: DistressCause,
    *,
    key: str,
    happened_at: datetime,
    place: StatedPlace | None = None,
) -> DistressSign:
    """Raise a sign for the guard of a locked shift: it opens a critical incident, or is added to the open one."""
    assert shift.user_id is not None  # noqa: S101 - callers make sure
    rows = await tx.session.scalars(
        select(DistressSign)
        .where(DistressSign.shift_id == shift.id)
        .order_by(DistressSign.told_at, DistressSign.id)
    )
    known = list(rows)
    for row in known:
        if (row.cause, row.event_key) == (cause, key):
            return row
    software = Tx(tx.session, Actor.system(shift.tenant_id, PART), tx.at)
    words = _WORDS[cause].format(shift.number)
    incident_id = await _open_incident(tx, known)
    is_first = incident_id is None
    if incident_id is None:
        with naming_only():
            incident = await incidents.open_incident(
                software,
                site_id=shift.site_id,
                priority=Priority.CRITICAL,
                summary=words,
                source=incidents.Source.GUARD,
                reporter=f"Guard {shift.number}",
                kind=TicketKind.ALARM,
                category="lone_worker",
            )
        incident_id = incident.id
    else:
        body = f"{words}, at {happened_at:%H:%M:%S} UTC."
        with naming_only():
            await incidents.update(software, incident_id, body=body, client_visible=False)
    place = place or await _whereabouts(tx, shift)
    sign = DistressSign(
        id=uuid7(), tenant_id=shift.tenant_id, account_id=shift.account_id, shift_id=shift.id,
        site_id=shift.site_id, incident_id=incident_id, user_id=shift.user_id, number=shift.number,
        cause=cause, event_key=key, happened_at=happened_at, told_at=tx.at,
        lat=None if place is None else place.lat, lon=None if place is None else place.lon,
        position_at=None if place is None else place.at,
    )  # fmt: skip
    tx.session.add(sign)
    tx.record(
        events.DistressRaised(
            account_id=sign.account_id,
            subject_id=sign.id,
            at=tx.at,
            shift_id=shift.id,
            incident_id=incident_id,
            guard=shift.number,
            cause=cause,
            happened_at=happened_at,
            is_first=is_first,
        )
    )
    await tx.session.flush()
    return sign


async def withdraw_distress(tx: Tx, sign_id: UUID) -> DistressSign:
    """Say that it was nothing: this is told to the office, and the incident stays open until somebody resolves it."""
    sign = await tx.get(
        DistressSign, sign_id, "sign", lock=True, among=visible_to(tx.actor, DistressSign)
    )
    if sign.withdrawn_at is not None:
        return sign
    if sign.ended_at is not None:
        raise Refused(Code.ALREADY_DONE, "The incident was resolved.", argument="id")
    sign.withdrawn_at = tx.at
    tx.record(
        events.DistressWithdrawn(
            account_id=sign.account_id, subject_id=sign.id, at=tx.at, guard=sign.number
        )
    )
    await tx.session.flush()
    await note(
        tx, sign.incident_id, f"Guard {sign.number} says that it was nothing: call the guard."
    )
    return sign


async def note(tx: Tx, incident_id: UUID, words: str) -> None:
    """Add an update for the office to an incident that is open."""
    status = await tx.session.scalar(select(Incident.status).where(Incident.id == incident_id))
    if status in OPEN:
        software = Tx(tx.session, Actor.system(tx.actor.tenant_id, PART), tx.at)
        with naming_only():
            await incidents.update(software, incident_id, body=words, client_visible=False)


async def follow_distress(tx: Tx, fact: SequencedEvent) -> None:
    """End the signs of an incident that was resolved, and delete the positions in them."""
    rows = await tx.session.scalars(
        select(DistressSign)
        .where(DistressSign.incident_id == fact.subject_id, DistressSign.ended_at.is_(None))
        .order_by(DistressSign.id)
        .with_for_update(key_share=True)
    )
    for sign in rows.all():
        sign.ended_at = tx.at
        sign.lat = sign.lon = sign.position_at = None
        tx.record(
            events.DistressEnded(
                account_id=sign.account_id, subject_id=sign.id, at=tx.at, guard=sign.number
            )
        )
    await tx.session.flush()


async def _open_incident(tx: Tx, known: list[DistressSign]) -> UUID | None:
    """Return the incident of earlier signs, if it is open."""
    if not known:
        return None
    found: UUID | None = await tx.session.scalar(
        select(Incident.id).where(
            Incident.id.in_({row.incident_id for row in known}), Incident.status.in_(OPEN)
        )
    )
    return found


async def _whereabouts(tx: Tx, shift: Shift) -> StatedPlace | None:
    """Return the last position of the guard's device, while a duty for this client runs."""
    row = (
        await tx.session.execute(
            select(Whereabouts.lat, Whereabouts.lon, Whereabouts.at)
            .join(Duty, Duty.id == Whereabouts.duty_id)
            .where(
                Duty.user_id == shift.user_id,
                Duty.account_id == shift.account_id,
                duties.running(tx.at),
                Whereabouts.lat.is_not(None),
                Whereabouts.at.is_not(None),
            )
            .order_by(Whereabouts.at.desc())
            .limit(1)
        )
    ).first()
    if row is None or row[0] is None or row[1] is None or row[2] is None:
        return None
    return StatedPlace(row[0], row[1], row[2])
