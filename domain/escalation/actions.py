"""Change policies, follow incidents, and take the steps that are due. The escalation row of an incident is its lock."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Subquery, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import CLIENTS, Actor, Right, Role, Tx
from domain.accounts.model import Account, Contact, User
from domain.agreements.model import Priority
from domain.core.base import uuid7
from domain.core.changes import values_of
from domain.core.deferral import Subject, in_turn
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.escalation import events
from domain.escalation.model import Cycle, Escalation, EscalationPolicy, EscalationStep
from domain.escalation.notices import notify
from domain.escalation.reads import people, policy_for, steps_of, update_due
from domain.escalation.rules import MANAGEMENT_AFTER, StepDraft, check, due_at, latest_due
from domain.incidents.model import OPEN, Incident, Status

_TOLD = ("priorities", "steps", "repeat_minutes", "stale_minutes", "warn_percents")


async def set_policy(
    tx: Tx,
    *,
    name: str,
    steps: Sequence[StepDraft],
    account_id: UUID | None = None,
    priorities: Sequence[Priority] = (),
    repeat_minutes: int | None = None,
    stale_minutes: int | None = None,
    warn_percents: Sequence[int] = (75, 90),
) -> EscalationPolicy:
    """Set who is notified after how long, for one account or for all. Open incidents use it from their next step on."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_line(name, "name")
    check(steps, repeat_minutes, warn_percents)
    if stale_minutes is not None and stale_minutes < 1:
        raise Refused(Code.INVALID, "The value must be at least 1 minute.", argument="staleMinutes")
    if account_id is None and tx.actor.accounts is not None:
        raise Refused(
            Code.NOT_ALLOWED,
            "accountId is needed: your user is limited to some accounts.",
            argument="accountId",
        )
    await _must_be_ours(tx, account_id, steps)
    policy = EscalationPolicy(
        id=uuid7(),
        tenant_id=tx.actor.tenant_id,
        account_id=account_id,
        name=name,
        priorities=sorted(set(map(str, priorities))),
        steps=msgspec.to_builtins(list(steps)),
        repeat_minutes=repeat_minutes,
        stale_minutes=stale_minutes,
        warn_percents=sorted(set(warn_percents)),
        made_at=tx.at,
    )
    tx.session.add(policy)
    await tx.session.flush()
    tx.record(
        events.PolicySet(
            account_id=account_id,
            subject_id=policy.id,
            at=tx.at,
            after=values_of(policy, _TOLD),
        )
    )
    return policy


async def end_policy(tx: Tx, policy_id: UUID) -> EscalationPolicy:
    """End a policy; a second call has no effect."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    policy = await tx.get(EscalationPolicy, policy_id, "policy", lock=True)
    if policy.ended_at is None:
        policy.ended_at = tx.at
        ended = events.PolicyEnded(account_id=policy.account_id, subject_id=policy.id, at=tx.at)
        tx.record(ended)
        await tx.session.flush()
    return policy


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
    await _advance(tx, row, incident)


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
    for row in rows:
        incident = await session.get_one(Incident, row.incident_id)
        await _advance(Tx(session, Actor.system(row.tenant_id, "sweeper"), at), row, incident)
    return len(rows)


async def _advance(tx: Tx, row: Escalation, incident: Incident) -> None:
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
    row.next_step_at = await _management(tx, row, incident, coming)
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
    tx: Tx, row: Escalation, incident: Incident, due: datetime | None
) -> datetime | None:
    """Notify management in time, whatever the policy is; return the earlier of the next two due times."""
    critical = incident.priority is Priority.CRITICAL and incident.status in OPEN
    if row.management_at is not None or not (incident.status is Status.NEW or critical):
        return due
    late_at = incident.opened_at + MANAGEMENT_AFTER
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


async def _must_be_ours(tx: Tx, account_id: UUID | None, steps: Sequence[StepDraft]) -> None:
    """Refuse an account, user or contact that is not visible to the actor."""
    if account_id is not None:
        await tx.get(Account, account_id, "account", argument="accountId")
    users = {user for step in steps for user in step.user_ids}
    if users:
        query = select(User.id).where(
            User.id.in_(users), User.tenant_id == tx.actor.tenant_id, User.role.not_in(CLIENTS)
        )
        if users - set(await tx.session.scalars(query)):
            raise Refused(Code.NOT_FOUND, "No such user of the company.", argument="userIds")
    contacts = {contact for step in steps for contact in step.contact_ids}
    if contacts:
        query = select(Contact.id).where(Contact.id.in_(contacts), tx.actor.scope(Contact))
        if account_id is not None:
            query = query.where(Contact.account_id == account_id)
        if account_id is None or contacts - set(await tx.session.scalars(query)):
            raise Refused(Code.NOT_FOUND, "No such contact of the client.", argument="contactIds")
