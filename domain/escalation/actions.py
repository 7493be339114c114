"""Follow incidents, and take the steps that are due. The escalation row of an incident is its lock."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Subquery, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Role, Tx
from domain.agreements.model import Priority
from domain.core.base import among, uuid7
from domain.core.deferral import Subject, in_turn
from domain.core.wakeups import DueColumn, WakeUp
from domain.escalation import events
from domain.escalation.model import Cycle, Escalation, EscalationPolicy, EscalationStep
from domain.escalation.notices import notify
from domain.escalation.parameters import MANAGEMENT_AFTER
from domain.escalation.reads import people, policy_for, steps_of, update_due
from domain.escalation.rules import StepDraft, due_at, latest_due
from domain.incidents.model import OPEN, Incident, Status
from domain.parameters import ParameterScope, ParameterValues, load_values


async def follow(tx: Tx, incident_id: UUID) -> None:
    """Begin, stop or continue the escalation of an incident, according to the incident's state.

    Only the state at the time of the call counts, so the job may run twice, late, and out of order.
    """
    incident = await tx.session.get_one(Incident, incident_id)
    await tx.session.execute(
        insert(Escalation)
        .values(
            id=uuid7(),
            tenant_id=incident.tenant_id,
            account_id=incident.account_id,
            incident_id=incident.id,
        )
        .on_conflict_do_nothing(index_elements=[Escalation.incident_id])
    )
    row = (
        await tx.session.scalars(
            select(Escalation)
            .where(Escalation.incident_id == incident_id)
            .with_for_update(key_share=True)
        )
    ).one()
    await tx.session.refresh(incident)
    await _advance(tx, row, incident, await _parameters(tx.session, (incident,), tx.at))


DUE: tuple[WakeUp, ...] = (DueColumn(Escalation.next_step_at, by_company=True),)


async def due(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select the incidents for `sweep`: the companies alternately, the longest overdue of each first."""
    turns = _in_turn(at, limit)
    found = await session.execute(
        select(turns.c.tenant_id, turns.c.id).order_by(turns.c.turn, turns.c.lot)
    )
    return [Subject(*row) for row in found]


def _in_turn(at: datetime, limit: int) -> Subquery:
    return in_turn(
        Escalation.tenant_id, Escalation.next_step_at, Escalation.incident_id, at=at, limit=limit
    )


async def defer(session: AsyncSession, incident_id: UUID, *, until: datetime) -> None:
    """Postpone the escalation of an incident, because it fails."""
    await session.execute(
        update(Escalation).where(Escalation.incident_id == incident_id).values(next_step_at=until)
    )


async def sweep(
    session: AsyncSession, *, at: datetime, limit: int = 100, only: UUID | None = None
) -> int:
    """Take the steps that are due; return for how many incidents. Several sweepers may run.

    The companies alternately, the longest overdue of each first.
    """
    query = select(Escalation).where(Escalation.next_step_at <= at)
    if only is None:
        turns = _in_turn(at, limit * 4)  # some may be locked by other sweepers
        query = query.join(turns, turns.c.id == Escalation.incident_id)
        query = query.order_by(turns.c.turn, turns.c.lot).limit(limit)
    else:
        query = query.where(Escalation.incident_id == only)
    rows = list(
        await session.scalars(
            query.with_for_update(of=Escalation, skip_locked=True, key_share=True)
        )
    )
    if not rows:
        return 0
    found = among(Incident.id, [row.incident_id for row in rows])
    incidents = {each.id: each for each in await session.scalars(select(Incident).where(found))}
    values = await _parameters(session, incidents.values(), at)
    for row in rows:
        tx = Tx(session, Actor.system(row.tenant_id, "sweeper"), at)
        await _advance(tx, row, incidents[row.incident_id], values)
    return len(rows)


async def _parameters(
    session: AsyncSession, incidents: Iterable[Incident], at: datetime
) -> ParameterValues:
    scopes = {_scope(each) for each in incidents}
    return await load_values(session, scopes, (MANAGEMENT_AFTER,), until=at)


def _scope(incident: Incident) -> ParameterScope:
    return ParameterScope(incident.tenant_id, incident.account_id, incident.site_id)


async def _advance(tx: Tx, row: Escalation, incident: Incident, values: ParameterValues) -> None:
    """Determine the cycle of an incident, take its due steps, and store when the next one is due."""
    policy = await policy_for(tx.session, row.tenant_id, row.account_id, incident.priority)
    cycle, since = await _cycle(tx.session, incident, policy)
    if (row.cycle, row.since) != (cycle, since):
        if row.cycle is not None and row.taken:
            _stop(tx, row)
        row.cycle, row.since, row.taken = cycle, since, 0
    row.policy_id = None if policy is None else policy.id
    steps, repeat = steps_of(policy), None if policy is None else policy.repeat_minutes
    coming = None
    if cycle is not None and since is not None:
        while (coming := due_at(steps, repeat, since, row.taken)) is not None and coming <= tx.at:
            number = latest_due(steps, repeat, since, row.taken, tx.at)
            told_at = due_at(steps, repeat, since, number) or coming
            step = steps[min(number, len(steps) - 1)]
            await _take_step(tx, row, incident, step, cycle, since, number, told_at)
            row.taken = number + 1
    opened = incident.opened_at
    late_at = opened + values.required(MANAGEMENT_AFTER, _scope(incident), at=opened).duration
    row.next_step_at = await _management(tx, row, incident, coming, late_at)
    await tx.session.flush()


async def _cycle(
    session: AsyncSession, incident: Incident, policy: EscalationPolicy | None
) -> tuple[Cycle | None, datetime | None]:
    """Return the cycle of an incident and its start; None while it is paused, and after it has ended."""
    if incident.status is Status.NEW:
        return Cycle.UNACKNOWLEDGED, incident.opened_at
    if incident.status in OPEN and incident.status is not Status.PAUSED:
        overdue = await update_due(session, incident, policy)
        if overdue is not None:
            return Cycle.STALE, overdue
    return None, None


async def _management(
    tx: Tx, row: Escalation, incident: Incident, due: datetime | None, late_at: datetime
) -> datetime | None:
    """Notify management at `late_at`, whatever the policy is; return the earlier of the next two due times."""
    critical = incident.priority is Priority.CRITICAL and incident.status in OPEN
    if row.management_at is not None or not (incident.status is Status.NEW or critical):
        return due
    if late_at > tx.at:
        return late_at if due is None else min(due, late_at)
    step = StepDraft(after_minutes=0, roles=[Role.MANAGEMENT], urgent=True)
    opened = incident.opened_at
    await _take_step(tx, row, incident, step, Cycle.MANAGEMENT, opened, 0, late_at)
    return due


async def _take_step(
    tx: Tx,
    row: Escalation,
    incident: Incident,
    step: StepDraft,
    cycle: Cycle,
    since: datetime,
    number: int,
    due: datetime,
) -> None:
    """Notify the people of a step once: by the step's unique key, and by that of the messages."""
    users = await people(
        tx.session, row.tenant_id, row.account_id, roles=step.roles, user_ids=step.user_ids
    )
    taken = await tx.session.scalar(
        insert(EscalationStep)
        .values(
            id=uuid7(),
            tenant_id=row.tenant_id,
            account_id=row.account_id,
            escalation_id=row.id,
            cycle=cycle,
            since=since,
            number=number,
            due_at=due,
            taken_at=tx.at,
            user_ids=users,
            contact_ids=step.contact_ids,
        )
        .on_conflict_do_nothing()
        .returning(EscalationStep.id)
    )
    if taken is None:
        return
    if Role.MANAGEMENT in step.roles and row.management_at is None:
        row.management_at = tx.at
    tx.record(
        events.Stepped(
            account_id=row.account_id,
            subject_id=row.id,
            at=due,
            incident_id=incident.id,
            cycle=cycle,
            number=number,
            due_at=due,
            user_ids=users,
            contact_ids=step.contact_ids,
        )
    )
    await notify(tx, taken, incident, step, users, cycle, since, number)


def _stop(tx: Tx, row: Escalation) -> None:
    tx.record(
        events.EscalationStopped(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            incident_id=row.incident_id,
            cycle=str(row.cycle),
            steps=row.taken,
        )
    )
