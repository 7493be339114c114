"""Respond to alarms: dispatch, accept, travel, inspect, report, call off, and note the police."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from domain import incidents, shifts
from domain.access import Actor, Right, Tx, visible_to
from domain.alarms import events
from domain.alarms.following import end_as_called_off, follow_arrival
from domain.alarms.model import (
    BEFORE_ARRIVAL,
    ENDED,
    Alarm,
    AlarmOutcome,
    AlarmState,
    AlarmSystem,
    FalseAlarmCause,
)
from domain.alarms.units import rank_units, unfit_units
from domain.core.errors import Code, Refused, naming_only
from domain.core.text_rules import must_be_line, must_be_text
from domain.incidents.model import OPEN, Incident, IncidentOutcome

_OUTCOMES = {
    AlarmOutcome.CONFIRMED: IncidentOutcome.SOLVED,
    AlarmOutcome.NOTHING_FOUND: IncidentOutcome.SOLVED,
    AlarmOutcome.FALSE_ALARM: IncidentOutcome.FALSE_ALARM,
}
_MOST_ITEMS = 100


@dataclass(frozen=True, slots=True)
class InspectedItem:
    """One item of a checklist, whether it was in order, and what was seen."""

    item: str
    is_fine: bool
    note: str | None = None


async def dispatch_alarm(tx: Tx, alarm_id: UUID, user_id: UUID | None = None) -> Alarm:
    """Send a guard to an alarm, also instead of another one; without a name the nearest who is free and qualified."""
    tx.actor.must(Right.ROSTER)
    alarm = await _locked(tx, alarm_id)
    _must_be_in(alarm, BEFORE_ARRIVAL)
    if user_id is not None and user_id == alarm.user_id:
        raise Refused(Code.ALREADY_DONE, "This guard was sent there.", argument="userId")
    ranking = await rank_units(tx.session, tx.actor, alarm, at=tx.at)
    units = [each for each in ranking.units if each.user_id != alarm.user_id]
    chosen = next((each for each in units if user_id in (None, each.user_id)), None)
    if chosen is None and user_id is None:
        raise Refused(
            Code.NOT_FOUND,
            "No other guard on duty is free and qualified: see alarmUnits, or name somebody.",
            argument="id",
        )
    named = chosen.user_id if chosen is not None else user_id
    assert named is not None  # noqa: S101 - one of both is known here
    guard = await shifts.guard_for(tx, alarm.account_id, named, argument="userId")
    unfit = await unfit_units(tx.session, alarm, [named], at=tx.at)  # the guard's row is locked now
    if unfit:
        raise Refused(Code.INVALID, f"Not this guard. {unfit[named].text}", argument="userId")
    before = alarm.number
    alarm.state, alarm.user_id, alarm.number = AlarmState.DISPATCHED, guard.user_id, guard.number
    alarm.dispatched_at, alarm.accepted_at, alarm.en_route_at = tx.at, None, None
    alarm.distance_m = None if chosen is None else chosen.distance_m
    alarm.arrives_at = None if chosen is None else tx.at + timedelta(seconds=chosen.travel_s)
    tx.record(
        events.AlarmDispatched(
            account_id=alarm.account_id,
            subject_id=alarm.id,
            at=tx.at,
            guard_before=before,
            guard=guard.number,
            distance_m=alarm.distance_m,
            arrives_at=alarm.arrives_at,
        )
    )
    await tx.session.flush()
    return alarm


async def accept_alarm(tx: Tx, alarm_id: UUID) -> Alarm:
    """Say that the guard who was sent goes there: as this guard, or as the office."""
    alarm = await _of_guard(tx, alarm_id)
    if alarm.state is AlarmState.ACCEPTED:
        return alarm
    _must_be_in(alarm, (AlarmState.DISPATCHED,))
    alarm.state, alarm.accepted_at = AlarmState.ACCEPTED, tx.at
    tx.record(
        events.AlarmAccepted(
            account_id=alarm.account_id, subject_id=alarm.id, at=tx.at, guard=alarm.number
        )
    )
    await tx.session.flush()
    return alarm


async def decline_alarm(tx: Tx, alarm_id: UUID) -> Alarm:
    """Say that the guard who was sent does not go there: another one has to be sent."""
    alarm = await _of_guard(tx, alarm_id)
    _must_be_in(alarm, BEFORE_ARRIVAL[1:])
    tx.record(
        events.AlarmDeclined(
            account_id=alarm.account_id, subject_id=alarm.id, at=tx.at, guard=alarm.number
        )
    )
    alarm.state, alarm.user_id, alarm.number = AlarmState.RECEIVED, None, None
    alarm.dispatched_at = alarm.accepted_at = alarm.en_route_at = None
    alarm.distance_m = alarm.arrives_at = None
    await tx.session.flush()
    return alarm


async def set_out(tx: Tx, alarm_id: UUID, *, arrives_at: datetime | None = None) -> Alarm:
    """Say that the guard is on the way, and when the guard will be there; this accepts the alarm as well."""
    alarm = await _of_guard(tx, alarm_id)
    _must_be_in(alarm, BEFORE_ARRIVAL[1:])
    if arrives_at is not None and not tx.at <= arrives_at <= tx.at + timedelta(days=1):
        raise Refused(
            Code.TIME_REVERSED, "arrivesAt must lie within the next day.", argument="arrivesAt"
        )
    before = alarm.arrives_at
    alarm.state, alarm.arrives_at = AlarmState.EN_ROUTE, arrives_at or before
    alarm.accepted_at, alarm.en_route_at = alarm.accepted_at or tx.at, alarm.en_route_at or tx.at
    tx.record(
        events.AlarmEnRoute(
            account_id=alarm.account_id,
            subject_id=alarm.id,
            at=tx.at,
            guard=alarm.number,
            arrives_at_before=before,
            arrives_at=alarm.arrives_at,
        )
    )
    await tx.session.flush()
    return alarm


async def arrive_at_alarm(tx: Tx, alarm_id: UUID) -> Alarm:
    """Say that the guard is on site; positions inside the fence prove it without a word, and better."""
    alarm = await _of_guard(tx, alarm_id)
    _must_be_in(alarm, BEFORE_ARRIVAL[1:])
    software = Tx(tx.session, Actor.system(alarm.tenant_id, "alarms"), tx.at)
    with naming_only("id"):
        await incidents.arrive(software, alarm.incident_id)
    await follow_arrival(tx, alarm)
    return alarm


async def inspect_alarm(tx: Tx, alarm_id: UUID, items: Sequence[InspectedItem]) -> Alarm:
    """Record the inspection of the site: every item of the system's checklist, and further ones."""
    alarm = await _of_guard(tx, alarm_id)
    _must_be_in(alarm, (AlarmState.ON_SITE,))
    if len(items) > _MOST_ITEMS:
        raise Refused(Code.INVALID, f"At most {_MOST_ITEMS} items.", argument="items")
    for each in items:
        must_be_line(each.item, "items")
        must_be_text(each.note, "items")
    checklist: list[str] = []
    if alarm.system_id is not None:
        checklist = (await tx.session.get_one(AlarmSystem, alarm.system_id)).checklist
    left = [each for each in checklist if each not in {item.item for item in items}]
    if left or not items:
        missing = ", ".join(left) or "at least one item"
        raise Refused(Code.INVALID, f"The inspection lacks: {missing}.", argument="items")
    alarm.state, alarm.inspected_at = AlarmState.INSPECTED, tx.at
    alarm.inspection = [
        {"item": each.item, "is_fine": each.is_fine, "note": each.note} for each in items
    ]
    tx.record(
        events.AlarmInspected(
            account_id=alarm.account_id,
            subject_id=alarm.id,
            at=tx.at,
            guard=alarm.number,
            items=len(items),
            faults=sum(not each.is_fine for each in items),
        )
    )
    await tx.session.flush()
    return alarm


async def report_alarm(
    tx: Tx,
    alarm_id: UUID,
    *,
    outcome: AlarmOutcome,
    report: str,
    false_alarm_cause: FalseAlarmCause | None = None,
) -> Alarm:
    """Report what the response found; its incident is resolved with the report. A false alarm has a cause."""
    alarm = await _of_guard(tx, alarm_id)
    _must_be_in(alarm, (AlarmState.INSPECTED,))
    must_be_text(report, "report")
    if (outcome is AlarmOutcome.FALSE_ALARM) != (false_alarm_cause is not None):
        raise Refused(
            Code.INVALID, "A false alarm has a cause, and nothing else has.",
            argument="falseAlarmCause",
        )  # fmt: skip
    alarm.state, alarm.reported_at, alarm.outcome = AlarmState.REPORTED, tx.at, outcome
    alarm.false_alarm_cause, alarm.report = false_alarm_cause, report
    tx.record(
        events.AlarmReported(
            account_id=alarm.account_id,
            subject_id=alarm.id,
            at=tx.at,
            guard=alarm.number,
            outcome=outcome,
            false_alarm_cause=false_alarm_cause,
            report=report,
        )
    )
    await tx.session.flush()
    await _resolve(tx, alarm, report, _OUTCOMES[outcome])
    return alarm


async def call_off_alarm(tx: Tx, alarm_id: UUID, *, reason: str) -> Alarm:
    """End the response before somebody is on site: the alarm centre or the client called it off."""
    tx.actor.must(Right.ROSTER)
    alarm = await _locked(tx, alarm_id)
    _must_be_in(alarm, BEFORE_ARRIVAL)
    must_be_line(reason, "reason")
    await end_as_called_off(tx, alarm, reason)
    await _resolve(tx, alarm, reason, IncidentOutcome.CALLED_OFF)
    return alarm


async def note_police(tx: Tx, alarm_id: UUID, *, number: str, told_at: datetime) -> Alarm:
    """Note that the police was told, when, and under which number; a later note replaces it."""
    alarm = await _of_guard(tx, alarm_id)
    must_be_line(number, "number")
    if not alarm.received_at - timedelta(hours=1) <= told_at <= tx.at:
        raise Refused(
            Code.TIME_REVERSED,
            "toldAt must not be ahead, nor more than an hour before the alarm.",
            argument="toldAt",
        )
    tx.record(
        events.PoliceNoted(
            account_id=alarm.account_id,
            subject_id=alarm.id,
            at=tx.at,
            number_before=alarm.police_number,
            number=number,
            told_at_before=alarm.police_at,
            told_at=told_at,
        )
    )
    alarm.police_number, alarm.police_at = number, told_at
    await tx.session.flush()
    return alarm


async def _resolve(tx: Tx, alarm: Alarm, words: str, outcome: IncidentOutcome) -> None:
    status = await tx.session.scalar(
        select(Incident.status).where(Incident.id == alarm.incident_id)
    )
    if status not in OPEN:
        return
    software = Tx(tx.session, Actor.system(alarm.tenant_id, "alarms"), tx.at)
    with naming_only():
        await incidents.resolve(software, alarm.incident_id, resolution=words, outcome=outcome)


async def _locked(tx: Tx, alarm_id: UUID) -> Alarm:
    return await tx.get(Alarm, alarm_id, "alarm", lock=True, among=visible_to(tx.actor, Alarm))


async def _of_guard(tx: Tx, alarm_id: UUID) -> Alarm:
    """Lock an alarm for its guard, or for the office."""
    tx.actor.must(Right.ATTEND)
    alarm = await _locked(tx, alarm_id)
    if not tx.actor.may(Right.ROSTER) and tx.actor.user_id != alarm.user_id:
        raise Refused(Code.NOT_ALLOWED, "Only the guard who was sent does this.", argument="id")
    return alarm


def _must_be_in(alarm: Alarm, states: Sequence[AlarmState]) -> None:
    if alarm.state in states:
        return
    code = Code.ALREADY_DONE if alarm.state in ENDED else Code.INVALID
    raise Refused(code, f"The alarm is {alarm.state}.", argument="id")
