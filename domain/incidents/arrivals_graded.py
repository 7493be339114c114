"""Evidence of arrivals: what stands, what later fixes say about it, and what client and company read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import evidence
from domain.access import Right, Tx
from domain.core.ledger import LedgerRow
from domain.evidence import (
    Assessment,
    EvidenceFacts,
    EvidenceKey,
    EvidenceReason,
    EvidenceSource,
    Grade,
    ProvenGrade,
    StandingEvidence,
)
from domain.incidents import events
from domain.incidents.lifecycle import evaluated, load_for_update, record_event
from domain.incidents.model import Incident

ARRIVAL_FACTS = EvidenceFacts(
    events.Arrived.kind, events.ArrivalGraded.kind, events.ArrivalWithdrawn.kind
)


@dataclass(frozen=True, slots=True)
class ArrivalEvidence:
    """How well the arrival on an incident is proven; `proven_from` counts all that supports it."""

    instant: datetime
    source: EvidenceSource
    grade: Grade
    reasons: tuple[EvidenceReason, ...]
    proven_from: tuple[ProvenGrade, ...]


def arrival_evidence(
    facts: Iterable[LedgerRow], arrived_at: datetime | None
) -> ArrivalEvidence | None:
    """Return the evidence of an arrival; None without an arrival, and for one from before grades.

    `facts` of the incident in the order of the ledger.
    """
    stands = evidence.standing(facts, ARRIVAL_FACTS)
    own = [e for e in stands if e.instant == arrived_at and e.grade is not None]
    if arrived_at is None or not own:
        return None
    best = min(own, key=lambda each: (each.grade, not each.measured))
    return ArrivalEvidence(
        instant=arrived_at,
        source=best.source,
        grade=best.grade or Grade.D,
        reasons=best.reasons,
        proven_from=tuple(ProvenGrade(*each) for each in _earliest(stands).items()),
    )


async def standing_evidence(session: AsyncSession, incident_id: UUID) -> list[StandingEvidence]:
    """Return the evidence of arrivals that stands on an incident."""
    await session.flush()
    rows = await session.scalars(
        select(LedgerRow)
        .where(LedgerRow.subject_id == incident_id, LedgerRow.kind.in_(ARRIVAL_FACTS))
        .order_by(LedgerRow.id)
    )
    return evidence.standing(rows, ARRIVAL_FACTS)


def says_more(known: Sequence[StandingEvidence], key: EvidenceKey, found: Assessment) -> bool:
    """Return whether an assessment differs from what is known, or proves a grade earlier than anything known."""
    for each in known:
        if each.key == key:
            now = (found.grade, dict(found.proven_from), found.contradicted)
            return (each.grade, dict(each.proven_from), each.contradicted) != now
    earliest = _earliest(known)
    return any(
        grade not in earliest or at < earliest[grade] for grade, at in found.proven_from.items()
    )


async def grade_arrival(
    tx: Tx, incident_id: UUID, key: EvidenceKey, found: Assessment
) -> Incident | None:
    """Record another grade of the evidence of an arrival, and evaluate the promises anew; None if nothing changes."""
    incident = await load_for_update(tx, incident_id, None, right=Right.REPORT)
    known = await standing_evidence(tx.session, incident_id)
    if not says_more(known, key, found):
        return None
    presence_id, instant = key
    before = next((each.grade for each in known if each.key == key), None)
    record_event(
        tx,
        incident,
        events.ArrivalGraded,
        presence_id=None if presence_id is None else UUID(presence_id),
        instant=instant,
        grade_before=before,
        **found.body(),
    )
    return await evaluated(tx, incident)


def _earliest(known: Iterable[StandingEvidence]) -> dict[Grade, datetime]:
    """Return since when each grade is proven, by whatever evidence."""
    found: dict[Grade, datetime] = {}
    for each in known:
        for grade, at in each.proven_from.items():
            found[grade] = min(at, found.get(grade, at))
    return {grade: found[grade] for grade in sorted(found)}
