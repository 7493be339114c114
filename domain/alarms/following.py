"""Bring an alarm to what its incident says: the arrival that stands with its grade, and a call-off."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from domain import evidence, incidents, promises
from domain.access import Tx
from domain.alarms import events
from domain.alarms.clocks import ARRIVAL_FACTS
from domain.alarms.model import BEFORE_ARRIVAL, Alarm, AlarmState
from domain.core.ledger import LedgerRow
from domain.core.sequencing import SequencedEvent
from domain.evidence import Grade, StandingEvidence
from domain.incidents.model import CALLED_OFF, Incident

_TICK = timedelta(microseconds=1)


async def follow_arrival(tx: Tx, alarm: Alarm) -> None:
    """Take over the arrival on the incident of a locked alarm, its grade, or that it no longer stands."""
    await tx.session.flush()
    incident = await tx.session.get_one(Incident, alarm.incident_id, populate_existing=True)
    arrived_at = incident.arrived_at
    moved = arrived_at != alarm.arrived_at
    if moved and alarm.arrived_at is not None:
        _withdraw(tx, alarm, alarm.arrived_at)
    if arrived_at is None:
        if moved and alarm.state is AlarmState.ON_SITE:
            alarm.state = AlarmState.RECEIVED if alarm.user_id is None else AlarmState.EN_ROUTE
        alarm.arrived_at = alarm.arrival_grade = None
    else:
        stands = await incidents.standing_evidence(tx.session, incident.id)
        await _take_over(tx, alarm, arrived_at, stands, moved=moved)
    await tx.session.flush()
    await promises.evaluate(tx.session, tx.actor, alarm.id, at=tx.at)


async def follow_incident(tx: Tx, fact: SequencedEvent) -> None:
    """Follow the incident of an alarm: an arrival or its grade, and a call-off; without effect for other incidents."""
    alarm = await tx.session.scalar(
        select(Alarm).where(Alarm.incident_id == fact.subject_id).with_for_update(key_share=True)
    )
    if alarm is None:
        return
    await follow_arrival(tx, alarm)
    outcome = await tx.session.scalar(
        select(Incident.outcome).where(Incident.id == alarm.incident_id)
    )
    if outcome in CALLED_OFF and alarm.state in BEFORE_ARRIVAL:
        await end_as_called_off(tx, alarm, None)


async def end_as_called_off(tx: Tx, alarm: Alarm, reason: str | None) -> None:
    """Record that a locked alarm needs no response any more; its clock ends here."""
    alarm.state, alarm.called_off_at = AlarmState.CALLED_OFF, tx.at
    tx.record(
        events.AlarmCalledOff(
            account_id=alarm.account_id, subject_id=alarm.id, at=tx.at, reason=reason
        )
    )
    await tx.session.flush()
    await promises.evaluate(tx.session, tx.actor, alarm.id, at=tx.at)


async def _take_over(
    tx: Tx, alarm: Alarm, arrived_at: datetime, stands: list[StandingEvidence], *, moved: bool
) -> None:
    graded = _graded(arrived_at, stands)
    owner: dict[str, Any] = {"account_id": alarm.account_id, "subject_id": alarm.id}
    if moved:
        tx.record(events.AlarmAttended(**owner, at=arrived_at, guard=alarm.number, **graded))
    elif await _says_other(tx, alarm, graded):
        tx.record(
            events.AlarmArrivalGraded(
                **owner, at=tx.at, instant=arrived_at, grade_before=alarm.arrival_grade, **graded
            )
        )
    alarm.arrived_at, alarm.arrival_grade = arrived_at, graded["grade"]
    if alarm.state in BEFORE_ARRIVAL:
        alarm.state = AlarmState.ON_SITE


def _withdraw(tx: Tx, alarm: Alarm, was_at: datetime) -> None:
    owner: dict[str, Any] = {"account_id": alarm.account_id, "subject_id": alarm.id, "at": tx.at}
    tx.record(events.AlarmArrivalWithdrawn(**owner, was_at=was_at, just_before=was_at - _TICK))
    tx.record(events.AlarmReassessed(**owner, was_at=was_at))


def _graded(arrived_at: datetime, stands: list[StandingEvidence]) -> dict[str, Any]:
    """Return the fields that state the grade: of the best evidence of the instant, with all that supports it."""
    own = [each for each in stands if each.instant == arrived_at and each.grade is not None]
    best = min(own, key=lambda each: (each.grade, not each.measured), default=None)
    proven: dict[str, datetime] = {}
    for each in stands:
        for grade, at in each.proven_from.items():
            proven[str(grade)] = min(at, proven.get(str(grade), at))
    if best is None:
        best_grade, source, reasons = Grade.D, evidence.REPORTED.source, evidence.REPORTED.reasons
    else:
        best_grade, source, reasons = best.grade or Grade.D, best.source, best.reasons
    return {
        "grade": best_grade,
        "measured_by": source,
        "reasons": [each.for_clients.plain() for each in reasons],
        "proven_from": dict(sorted(proven.items())),
        "contradicted": best is not None and best.contradicted,
    }


async def _says_other(tx: Tx, alarm: Alarm, graded: dict[str, Any]) -> bool:
    rows = await tx.session.scalars(
        select(LedgerRow)
        .where(LedgerRow.subject_id == alarm.id, LedgerRow.kind.in_(ARRIVAL_FACTS))
        .order_by(LedgerRow.id)
    )
    known = evidence.standing(rows, ARRIVAL_FACTS)
    if not known:
        return True
    now = known[-1]
    proven = {str(grade): at for grade, at in now.proven_from.items()}
    return (now.grade, proven, now.contradicted) != (
        graded["grade"], graded["proven_from"], graded["contradicted"],
    )  # fmt: skip
