"""Arrivals: reported by the person who arrives, or proven by GPS fixes; late fixes can withdraw them."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Right, Tx
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.evidence import REPORTED
from domain.incidents import events
from domain.incidents.lifecycle import (
    acknowledge_row,
    evaluated,
    load_for_update,
    must_be_open,
    record_event,
)
from domain.incidents.model import Incident, Status
from domain.incidents.proofs import Proof

ARRIVED = events.Arrived.kind
_ACKNOWLEDGING = frozenset(
    f"incident.{what}"
    for what in (
        *("acknowledged", "arrived", "work_started", "paused", "resolved"),
        *("reassigned", "prioritised"),
    )
)
"""Facts that acknowledge an incident: the acknowledgement itself, and work that only follows an acknowledgement."""


async def arrive(
    tx: Tx, incident_id: UUID, *, expected_version: int | None = None, proof: Proof | None = None
) -> Incident:
    """Record that the first person is on site; the arrival clock stops at `tx.at`.

    With a proof, `tx.at` may lie before an arrival that was already reported, and the incident may have ended since, if
    it was open at `tx.at`: its promises are evaluated anew.
    """
    incident = await load_for_update(tx, incident_id, expected_version, right=Right.REPORT)
    if proof is None or incident.resolved_at is None or tx.at > incident.resolved_at:
        must_be_open(incident)
    if tx.actor.is_client:
        raise Refused(Code.NOT_ALLOWED, "An arrival is reported by the guard or the control room.")
    if incident.arrived_at is not None and (proof is None or tx.at >= incident.arrived_at):
        raise Refused(Code.ALREADY_DONE, "An arrival is already recorded.", argument="id")
    if incident.status is Status.NEW:
        acknowledge_row(tx, incident)
    elif incident.acknowledged_at is not None and tx.at < incident.acknowledged_at:
        # If the fixes had come in order, this arrival would have acknowledged the incident.
        incident.acknowledged_at = tx.at
        record_event(tx, incident, events.Acknowledged)
    incident.arrived_at = tx.at
    if proof is None:
        record_event(tx, incident, events.Arrived, **REPORTED.body())
        return await evaluated(tx, incident)
    cited = {"presence_id": proof.presence_id, "fixes": list(proof.fixes)}
    cited |= {} if proof.assessment is None else proof.assessment.body()
    record_event(tx, incident, events.ArrivedByFence, **cited)
    return await evaluated(tx.as_of(max(tx.at, proof.told_at)), incident)


async def withdraw_arrivals(
    tx: Tx, incident_id: UUID, *, proven_by: Collection[UUID], before: datetime | None
) -> Incident | None:
    """Withdraw the arrivals before `before` (None: all) that these stays proved; None when there are none.

    Each is withdrawn as of its own time, so that its clock continues as if it had never stopped, up to the next valid
    arrival. An acknowledgement that came with it is withdrawn too; then the first later action on the incident, if any,
    counts as its acknowledgement.
    """
    incident = await load_for_update(tx, incident_id, None, right=Right.REPORT)
    facts = await _incident_facts(tx.session, incident)
    standing = _valid_arrivals(facts)
    proofs = {str(each) for each in proven_by}
    wrong = [
        fact
        for fact in standing
        if fact.body.get("presence_id") in proofs and (before is None or fact.at < before)
    ]
    if not wrong:
        return None
    left = [fact for fact in standing if fact not in wrong]
    for fact in wrong:
        cited = {"presence_id": UUID(fact.body["presence_id"])}
        record_event(tx.as_of(fact.at), incident, events.ArrivalWithdrawn, **cited)
    incident.arrived_at = min((fact.at for fact in left), default=None)
    if any(_came_with(facts, incident, fact) for fact in wrong):
        _acknowledge_anew(tx, incident, facts, left)
    return await evaluated(tx, incident)


async def _incident_facts(session: AsyncSession, incident: Incident) -> Sequence[LedgerRow]:
    wanted = _ACKNOWLEDGING | {events.ArrivalWithdrawn.kind}
    rows = await session.scalars(
        select(LedgerRow)
        .where(LedgerRow.subject_id == incident.id, LedgerRow.kind.in_(wanted))
        .order_by(LedgerRow.id)
    )
    return rows.all()


def _valid_arrivals(facts: Sequence[LedgerRow]) -> list[LedgerRow]:
    """Return the arrivals that were not withdrawn."""

    def key(fact: LedgerRow) -> tuple[datetime, str | None]:
        return fact.at, fact.body.get("presence_id")

    gone = Counter(key(fact) for fact in facts if fact.kind == events.ArrivalWithdrawn.kind)
    found = []
    for fact in facts:
        if fact.kind != ARRIVED:
            continue
        if gone[key(fact)]:
            gone[key(fact)] -= 1
        else:
            found.append(fact)
    return found


def _came_with(facts: Sequence[LedgerRow], incident: Incident, arrival: LedgerRow) -> bool:
    """Return whether the arrival was what acknowledged the incident."""
    return incident.acknowledged_at == arrival.at and any(
        fact.kind == events.Acknowledged.kind
        and (fact.at, fact.actor) == (arrival.at, arrival.actor)
        for fact in facts
    )


def _acknowledge_anew(
    tx: Tx, incident: Incident, facts: Sequence[LedgerRow], arrivals: Sequence[LedgerRow]
) -> None:
    was = incident.acknowledged_at
    if was is None:
        return
    record_event(tx.as_of(was), incident, events.AcknowledgementWithdrawn)
    done = [
        fact
        for fact in facts
        if fact.kind in _ACKNOWLEDGING
        and (fact in arrivals if fact.kind == ARRIVED else _by_somebody(fact))
    ]
    first = min(done, key=lambda fact: fact.at, default=None)
    incident.acknowledged_at = None if first is None else first.at
    if first is None:
        if incident.status is Status.ACKNOWLEDGED:
            incident.status = Status.NEW
    elif first.kind != events.Acknowledged.kind:
        record_event(tx.as_of(first.at), incident, events.Acknowledged)


def _by_somebody(fact: LedgerRow) -> bool:
    return not fact.actor.startswith("system:")
