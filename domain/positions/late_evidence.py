"""Late evidence: whether it would change a verdict, and the decision about it."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import incidents
from domain.access import Right, Tx
from domain.agreements.model import PromiseKind
from domain.core.errors import Code, Refused
from domain.duties.model import Duty
from domain.evidence import NOT_PROVEN
from domain.incidents import Incident
from domain.positions.arrival_grades import grader_of
from domain.positions.model import Fix, Presence
from domain.promises.model import Promise, State

_STOPPED = (PromiseKind.ARRIVAL, PromiseKind.FIRST_RESPONSE)
"""Promises whose clock an arrival stops; an arrival also acknowledges a new incident."""


async def would_undo(
    session: AsyncSession, incident_id: UUID, came_at: datetime, *, at: datetime
) -> bool:
    """Return whether an arrival at `came_at` would keep a promise that is broken without it."""
    over = or_(
        Promise.state == State.LATE,
        and_(Promise.state.not_in((State.KEPT, State.CANCELLED)), Promise.due_at < at),
    )
    return bool(
        await session.scalar(
            select(
                exists().where(
                    Promise.unit_id == incident_id,
                    Promise.kind.in_(_STOPPED),
                    Promise.due_at >= came_at,
                    over,
                )
            )
        )
    )


async def late_s(session: AsyncSession, duty: Duty, fixes: Collection[datetime]) -> float:
    """Return how long after its time the last of these fixes came in; infinite when none of them is stored."""
    lag = func.extract("epoch", func.max(Fix.received_at - Fix.at))
    found = await session.scalar(
        select(lag).where(Fix.device_id == duty.device_id, Fix.at.in_(fixes))
    )
    return float("inf") if found is None else float(found)


async def decide(
    tx: Tx,
    incident_id: UUID,
    arrived_at: datetime,
    *,
    accept: bool,
    reason: str,
    expected_version: int | None = None,
) -> Incident:
    """Accept or decline a late arrival: by a user of the company other than the guard."""
    tx.actor.must(Right.HANDLE)
    if tx.actor.is_client or not tx.actor.subject.startswith("user:"):
        raise Refused(
            Code.NOT_ALLOWED, "Only a user of the security company can decide about a late arrival."
        )
    offer = await incidents.pending_late_arrival(tx, incident_id, arrived_at)
    duty = await tx.session.get_one(Duty, offer.duty_id)
    if tx.actor.subject == f"user:{duty.user_id}":
        raise Refused(
            Code.NOT_ALLOWED, "The guard who arrived cannot decide about the own arrival."
        )
    stay = await tx.session.get(Presence, offer.presence_id)
    grader = await grader_of(tx.session, duty)
    return await incidents.decide_late_arrival(
        tx,
        incident_id,
        offer,
        accept=accept,
        reason=reason,
        assessment=NOT_PROVEN if stay is None else await grader.grade(stay, arrived_at),
        expected_version=expected_version,
    )
