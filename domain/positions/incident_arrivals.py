"""What stays mean to tickets: the guard has come, earlier than was told, later, or not at all."""

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
from domain.access import Actor
from domain.core.errors import Refused
from domain.core.ledger import LedgerRow
from domain.duties.model import Duty
from domain.incidents import OPEN, Incident, Proof
from domain.positions import late_evidence, panic
from domain.positions.model import Presence
from domain.positions.rules import at_of

Floats = NDArray[np.float64]


class NewFixes(NamedTuple):
    """The instants of the new fixes that are believed, and whether they are inside each fence, (fixes,) each.

    `whole`: they are all fixes of the duty, so that what they do not prove was not so.
    """

    t: Floats
    inside: Mapping[UUID, NDArray[np.bool_]]
    whole: bool


class Stay(NamedTuple):
    """A stay that is proven: by a row, or by a part of the fixes that prove the row."""

    id: UUID
    site_id: UUID | None
    from_at: datetime
    until_at: datetime | None
    fixes: Sequence[datetime]


class OnTime(NamedTuple):
    """How late a fix may come in to undo a verdict by itself, and what those that are not later prove."""

    within: timedelta
    read: Callable[[], Awaitable[tuple[Sequence[Stay], NewFixes]]]


async def arrivals(
    session: AsyncSession,
    actor: Actor,
    duty: Duty,
    stays: Sequence[Presence],
    told: Collection[UUID],
    found: NewFixes,
    on_time: OnTime,
    *,
    at: datetime,
) -> None:
    """Bring the tickets at the places where a guard was in line with the stays that are known now.

    A ticket's arrival clock stops at the first fix inside after its opening. Arrivals that were proven by stays of
    `told` and no longer are, are taken back. What comes in late undoes no verdict by itself: it is put up for a
    decision, and what came in on time counts meanwhile.
    """
    if not found.t.size and not (found.whole and told):
        return
    for ticket in await _tickets(session, duty, stays, told, found):
        here = [row for row in stays if row.site_id == ticket.site_id]
        row, came_at = _first(here, ticket.opened_at, found)
        arrived_at = ticket.arrived_at
        if found.whole and arrived_at is not None and (came_at is None or arrived_at < came_at):
            changed = await incidents.withdraw_arrivals(
                session, actor, ticket.id, proven_by=told, before=came_at, at=at
            )
            arrived_at = arrived_at if changed is None else changed.arrived_at
        if row is not None and came_at is not None and (arrived_at is None or came_at < arrived_at):
            proof = Proof(row.id, tuple(sorted({*row.fixes, came_at})), at)
            if await _put_up(session, actor, duty, ticket, came_at, proof, on_time):
                stays_, those = await on_time.read()
                here_ = [each for each in stays_ if each.site_id == ticket.site_id]
                row, came_at = _first(here_, ticket.opened_at, those)
                if row is None or came_at is None or (arrived_at and came_at >= arrived_at):
                    continue
                proof = Proof(row.id, tuple(sorted({*row.fixes, came_at})), at)
            with suppress(Refused):  # somebody was faster in between, or the ticket was over then
                await incidents.arrive(session, actor, ticket.id, at=came_at, proof=proof)


async def _put_up(
    session: AsyncSession,
    actor: Actor,
    duty: Duty,
    ticket: "_Ticket",
    came_at: datetime,
    proof: Proof,
    on_time: OnTime,
) -> bool:
    """Whether an arrival needs a person's decision; then it is put up for one."""
    if not await late_evidence.would_undo(session, ticket.id, came_at, at=proof.told_at):
        return False
    late_s = await late_evidence.late_s(session, duty, proof.fixes)
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
    await incidents.offer_late_arrival(session, actor, ticket.id, offer, at=proof.told_at)
    return True


class _Ticket(NamedTuple):
    id: UUID
    site_id: UUID
    opened_at: datetime
    arrived_at: datetime | None


async def _tickets(
    session: AsyncSession,
    duty: Duty,
    stays: Sequence[Presence],
    told: Collection[UUID],
    found: NewFixes,
) -> list[_Ticket]:
    """The tickets that the new fixes may say something new about."""
    first, last = duty.from_at, duty.ended_at or duty.until_at
    if found.t.size:
        first, last = at_of(round(found.t[0] * 1000)), at_of(round(found.t[-1] * 1000))
    may_come: ColumnElement[bool] = false()
    may_go: ColumnElement[bool] = false()
    if stays:
        sooner = min(row.from_at for row in stays)
        may_come = and_(
            Incident.site_id.in_({row.site_id for row in stays}),
            # A phone that was out of reach tells of an arrival after the ticket is done.
            or_(Incident.status.in_(OPEN), Incident.resolved_at >= first),
            or_(Incident.arrived_at.is_(None), Incident.arrived_at > sooner),
        )
    if found.whole and told:
        # Only those that these stays proved: a client's other tickets would each be locked and read for nothing.
        cited = exists().where(
            LedgerRow.subject_id == Incident.id,
            LedgerRow.kind == incidents.ARRIVED,
            LedgerRow.body["presence_id"].astext.in_([str(each) for each in told]),
        )
        may_go = and_(Incident.arrived_at >= duty.from_at, cited)
    rows = await session.execute(
        select(Incident.id, Incident.site_id, Incident.opened_at, Incident.arrived_at)
        .where(
            Incident.account_id == duty.account_id,
            Incident.opened_at <= last,
            # Who calls for help is there already: help arrives with somebody else.
            or_(
                Incident.external_source.is_distinct_from(panic.SOURCE),
                ~Incident.external_id.startswith(f"{duty.id}:"),
            ),
            or_(may_come, may_go),
        )
        .order_by(Incident.id)
    )
    return [_Ticket(*row) for row in rows]


def _first(
    stays: Sequence[Presence | Stay], opened_at: datetime, found: NewFixes
) -> tuple[Presence | Stay | None, datetime | None]:
    """The first stay that means an arrival, and when that was."""
    for row in sorted(stays, key=lambda row: row.from_at):
        came_at = _came_at(row, opened_at, found)
        if came_at is not None:
            return row, came_at
    return None, None


def _came_at(row: Presence | Stay, opened_at: datetime, found: NewFixes) -> datetime | None:
    """When somebody was first at the site for a ticket: with the stay, or by the first fix inside after the opening."""
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
