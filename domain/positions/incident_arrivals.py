"""Derive arrivals on incidents from stays: new, earlier or later than recorded, or withdrawn."""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import incidents
from domain.access import Tx
from domain.core.errors import Refused
from domain.core.ledger import LedgerRow
from domain.duties.model import Duty
from domain.incidents import OPEN, Incident, Proof
from domain.positions import late_evidence, panic
from domain.positions.arrival_grades import ArrivalGrader
from domain.positions.model import Presence
from domain.positions.rules import at_of

Floats = NDArray[np.float64]


class NewFixes(NamedTuple):
    """The times of the new fixes that are believed, and whether they are inside each geofence, (fixes,) each.

    `whole`: they are all fixes of the duty, so that a stay without proof in them did not happen.
    """

    t: Floats
    inside: Mapping[UUID, NDArray[np.bool_]]
    whole: bool


class Stay(NamedTuple):
    """A proven stay: a stored row, or a subset of the fixes that prove the row."""

    id: UUID
    site_id: UUID | None
    from_at: datetime
    until_at: datetime | None
    fixes: Sequence[datetime]


class OnTime(NamedTuple):
    """How late a fix may come in and still change a verdict automatically, and what the fixes in time prove."""

    within: timedelta
    read: Callable[[], Awaitable[tuple[Sequence[Stay], NewFixes]]]


async def arrivals(
    tx: Tx,
    stays: Sequence[Presence],
    known_stays: Collection[UUID],
    found: NewFixes,
    on_time: OnTime,
    grader: ArrivalGrader,
) -> None:
    """Update the incidents at the sites where a guard was, according to the stays that are known now.

    An incident's arrival clock stops at the first fix inside after its opening. Arrivals that were proven by stays of
    `known_stays` and no longer are, are withdrawn. Late evidence changes no verdict automatically: it is offered for a
    decision, and meanwhile the fixes that came in time count.
    """
    if not found.t.size and not (found.whole and known_stays):
        return
    duty = grader.duty
    for incident in await _affected_incidents(tx.session, duty, stays, known_stays, found):
        here = [row for row in stays if row.site_id == incident.site_id]
        row, came_at = _first(here, incident.opened_at, found)
        arrived_at = incident.arrived_at
        if found.whole and arrived_at is not None and (came_at is None or arrived_at < came_at):
            changed = await incidents.withdraw_arrivals(
                tx, incident.id, proven_by=known_stays, before=came_at
            )
            arrived_at = arrived_at if changed is None else changed.arrived_at
        if row is not None and came_at is not None and (arrived_at is None or came_at < arrived_at):
            proof = Proof(row.id, tuple(sorted({*row.fixes, came_at})), tx.at)
            if await _offer(tx, duty, incident, came_at, proof, on_time):
                stays_, those = await on_time.read()
                here_ = [each for each in stays_ if each.site_id == incident.site_id]
                row, came_at = _first(here_, incident.opened_at, those)
                if row is None or came_at is None or (arrived_at and came_at >= arrived_at):
                    continue
                proof = Proof(row.id, tuple(sorted({*row.fixes, came_at})), tx.at)
            graded = await grader.grade(row, came_at)
            proof = proof._replace(assessment=graded)
            with suppress(Refused):  # somebody else was faster, or the incident had ended
                await incidents.arrive(tx.as_of(came_at), incident.id, proof=proof)


async def _offer(
    tx: Tx, duty: Duty, incident: "_IncidentRow", came_at: datetime, proof: Proof, on_time: OnTime
) -> bool:
    """Return whether an arrival needs a person's decision; if so, offer it."""
    if not await late_evidence.would_undo(tx.session, incident.id, came_at, at=proof.told_at):
        return False
    late_s = await late_evidence.late_s(tx.session, duty, proof.fixes)
    if late_s <= on_time.within.total_seconds():
        return False
    longest = (proof.told_at - came_at).total_seconds()
    offer = incidents.LateArrival(
        arrived_at=came_at,
        offered_at=proof.told_at,
        late_s=round(min(late_s, longest)),
        guard=duty.number,
        duty_id=duty.id,
        presence_id=proof.presence_id,
        fixes=proof.fixes,
    )
    await incidents.offer_late_arrival(tx.as_of(proof.told_at), incident.id, offer)
    return True


class _IncidentRow(NamedTuple):
    id: UUID
    site_id: UUID
    opened_at: datetime
    arrived_at: datetime | None


async def _affected_incidents(
    session: AsyncSession,
    duty: Duty,
    stays: Sequence[Presence],
    known_stays: Collection[UUID],
    found: NewFixes,
) -> list[_IncidentRow]:
    """Select the incidents that the new fixes may affect."""
    first, last = duty.from_at, duty.ended_at or duty.until_at
    if found.t.size:
        first, last = at_of(round(found.t[0] * 1000)), at_of(round(found.t[-1] * 1000))
    may_come: ColumnElement[bool] = false()
    may_go: ColumnElement[bool] = false()
    if stays:
        sooner = min(row.from_at for row in stays)
        may_come = and_(
            Incident.site_id.in_({row.site_id for row in stays}),
            # A phone that was offline reports an arrival after the incident has ended.
            or_(Incident.status.in_(OPEN), Incident.resolved_at >= first),
            or_(Incident.arrived_at.is_(None), Incident.arrived_at > sooner),
        )
    if found.whole and known_stays:
        # Only arrivals that these stays proved: the account's other incidents would be locked and read in vain.
        cited = exists().where(
            LedgerRow.subject_id == Incident.id,
            LedgerRow.kind == incidents.ARRIVED,
            LedgerRow.body["presence_id"].astext.in_([str(each) for each in known_stays]),
        )
        may_go = and_(Incident.arrived_at >= duty.from_at, cited)
    rows = await session.execute(
        select(Incident.id, Incident.site_id, Incident.opened_at, Incident.arrived_at)
        .where(
            Incident.account_id == duty.account_id,
            Incident.opened_at <= last,
            # The person who calls for help is already there: the arrival is that of somebody else.
            panic.not_called_from(duty.id),
            or_(may_come, may_go),
        )
        .order_by(Incident.id)
    )
    return [_IncidentRow(*row) for row in rows]


def _first(
    stays: Sequence[Presence | Stay], opened_at: datetime, found: NewFixes
) -> tuple[Presence | Stay | None, datetime | None]:
    """Return the first stay that means an arrival, and its time."""
    for row in sorted(stays, key=lambda row: row.from_at):
        came_at = _arrival_time(row, opened_at, found)
        if came_at is not None:
            return row, came_at
    return None, None


def _arrival_time(row: Presence | Stay, opened_at: datetime, found: NewFixes) -> datetime | None:
    """Return the arrival time for an incident: the start of the stay, or the first fix after the opening."""
    if row.from_at >= opened_at:
        return row.from_at
    there = found.inside.get(row.site_id) if row.site_id is not None else None
    if there is None:
        return None
    inside = there & (found.t >= opened_at.timestamp())
    if row.until_at is not None:
        inside &= found.t < row.until_at.timestamp()
    first = at_of(round(float(found.t[np.argmax(inside)]) * 1000))
    return max(opened_at, first) if inside.any() else None
