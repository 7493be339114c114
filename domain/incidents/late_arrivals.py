"""Arrivals whose fixes came in after the verdict: offered to a person for a decision, and decided."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Right, Tx
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.core.text_rules import must_be_text
from domain.evidence import Assessment
from domain.incidents import events
from domain.incidents.arrivals import arrive
from domain.incidents.lifecycle import load_for_update, record_event
from domain.incidents.model import Incident
from domain.incidents.proofs import Proof

OFFERED = events.LateArrivalOffered.kind
_DECIDED = {
    events.LateArrivalAccepted.kind: "accepted",
    events.LateArrivalDeclined.kind: "declined",
}
KINDS = frozenset({OFFERED, *_DECIDED})


class Decision(StrEnum):
    """Decision on whether a late arrival counts."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"


class LateArrival(NamedTuple):
    """An arrival shown by late fixes, and the decision about it."""

    arrived_at: datetime
    offered_at: datetime
    late_s: int
    guard: int
    duty_id: UUID
    presence_id: UUID
    fixes: tuple[datetime, ...]
    decision: Decision = Decision.PENDING
    decided_at: datetime | None = None


def late_arrivals(facts: Sequence[LedgerRow]) -> list[LateArrival]:
    """Return the late arrivals in an incident's facts; `facts` in the order of the ledger."""
    found: dict[tuple[str, str], LateArrival] = {}
    for fact in facts:
        if fact.kind not in KINDS:
            continue
        body = fact.body
        key = (body["arrived_at"], body["duty_id"])
        if fact.kind != OFFERED:
            decision = Decision(_DECIDED[fact.kind])
            found[key] = found[key]._replace(decision=decision, decided_at=fact.at)
        elif key not in found:
            found[key] = LateArrival(
                arrived_at=datetime.fromisoformat(body["arrived_at"]),
                offered_at=fact.at,
                late_s=body["late_s"],
                guard=body["guard"],
                duty_id=UUID(body["duty_id"]),
                presence_id=UUID(body["presence_id"]),
                fixes=tuple(map(datetime.fromisoformat, body["fixes"])),
            )
    return list(found.values())


async def offer_late_arrival(tx: Tx, incident_id: UUID, offer: LateArrival) -> None:
    """Offer a late arrival for a decision; one that was offered before is left unchanged."""
    incident = await load_for_update(tx, incident_id, None, right=Right.REPORT)
    known = late_arrivals(await _facts(tx.session, incident_id))
    if any((o.arrived_at, o.duty_id) == (offer.arrived_at, offer.duty_id) for o in known):
        return
    body = {name: getattr(offer, name) for name in ("presence_id", "duty_id", "guard", "late_s")}
    body |= {"arrived_at": offer.arrived_at, "fixes": list(offer.fixes)}
    record_event(tx, incident, events.LateArrivalOffered, **body)
    await tx.session.flush()


async def pending_late_arrival(tx: Tx, incident_id: UUID, arrived_at: datetime) -> LateArrival:
    """Return the undecided late arrival at this time; refuse when there is none."""
    await load_for_update(tx.as_of(arrived_at), incident_id, None)
    for each in late_arrivals(await _facts(tx.session, incident_id)):
        if each.arrived_at == arrived_at:
            if each.decision is Decision.PENDING:
                return each
            raise Refused(
                Code.ALREADY_DONE,
                f"This late arrival was already {each.decision}.",
                argument="arrivedAt",
            )
    raise Refused(
        Code.NOT_FOUND,
        "There is no late arrival at that time.",
        argument="arrivedAt",
    )


async def decide_late_arrival(
    tx: Tx,
    incident_id: UUID,
    offer: LateArrival,
    *,
    accept: bool,
    reason: str,
    assessment: Assessment | None = None,
    expected_version: int | None = None,
) -> Incident:
    """Accept or decline a late arrival; an accepted one leads to a new evaluation of the promises."""
    incident = await load_for_update(tx, incident_id, expected_version)
    must_be_text(reason, "reason")
    kind = events.LateArrivalAccepted if accept else events.LateArrivalDeclined
    body = {"arrived_at": offer.arrived_at, "duty_id": offer.duty_id, "reason": reason}
    record_event(tx, incident, kind, **body)
    await tx.session.flush()
    if accept:
        proof = Proof(offer.presence_id, offer.fixes, tx.at, assessment)
        return await arrive(tx.as_of(offer.arrived_at), incident_id, proof=proof)
    return incident


async def _facts(session: AsyncSession, incident_id: UUID) -> Sequence[LedgerRow]:
    rows = await session.scalars(
        select(LedgerRow)
        .where(LedgerRow.subject_id == incident_id, LedgerRow.kind.in_(KINDS))
        .order_by(LedgerRow.id)
    )
    return rows.all()
