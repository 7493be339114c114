"""Find the policy for an incident, its steps, and the people to notify."""

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Role
from domain.accounts.model import Reach, User
from domain.agreements.model import Priority, PromiseKind
from domain.core.ledger import LedgerRow
from domain.escalation.model import EscalationPolicy
from domain.escalation.rules import StepDraft
from domain.incidents.model import Incident
from domain.promises.model import Promise, State

OPS = (Role.DISPATCHER, Role.RELATIONSHIP_MANAGER)
"""Roles that are warned of promises at risk."""


async def policy_for(
    session: AsyncSession, tenant_id: UUID, account_id: UUID, priority: Priority
) -> EscalationPolicy | None:
    """Return the account's own policy before the company's, one for the priority before one for all, newest first."""
    row: EscalationPolicy | None = await session.scalar(
        select(EscalationPolicy)
        .where(
            EscalationPolicy.tenant_id == tenant_id,
            EscalationPolicy.ended_at.is_(None),
            or_(EscalationPolicy.account_id == account_id, EscalationPolicy.account_id.is_(None)),
            or_(
                EscalationPolicy.priorities.contains([str(priority)]),
                func.cardinality(EscalationPolicy.priorities) == 0,
            ),
        )
        .order_by(
            EscalationPolicy.account_id.is_(None),
            func.cardinality(EscalationPolicy.priorities) == 0,
            EscalationPolicy.made_at.desc(),
            EscalationPolicy.id.desc(),
        )
        .limit(1)
    )
    return row


def steps_of(policy: EscalationPolicy | None) -> list[StepDraft]:
    """Return the steps of a policy; none without one."""
    return [] if policy is None else msgspec.convert(policy.steps, list[StepDraft])


async def people(
    session: AsyncSession,
    tenant_id: UUID,
    account_id: UUID,
    *,
    roles: Collection[Role] = (),
    user_ids: Collection[UUID] = (),
) -> list[UUID]:
    """Return users of these roles with access to the account, and the named ones, if they are active."""
    limited = exists().where(Reach.user_id == User.id)
    reaches = exists().where(Reach.user_id == User.id, Reach.account_id == account_id)
    found = await session.scalars(
        select(User.id)
        .where(
            User.tenant_id == tenant_id,
            User.disabled_at.is_(None),
            or_(User.role.in_(roles), User.id.in_(user_ids)),
            or_(~limited, reaches),
        )
        .order_by(User.id)
    )
    return list(found)


async def warned_users(session: AsyncSession, tenant_id: UUID, account_id: UUID) -> list[UUID]:
    """Return the users who are warned of promises at risk."""
    return await people(session, tenant_id, account_id, roles=OPS)


async def answered_users(session: AsyncSession, tenant_id: UUID, account_id: UUID) -> list[UUID]:
    """Return the users who are notified of a client's reply: those who are warned, else management."""
    found = await warned_users(session, tenant_id, account_id)
    return found or await people(session, tenant_id, account_id, roles=(Role.MANAGEMENT,))


async def update_due(
    session: AsyncSession, incident: Incident, policy: EscalationPolicy | None
) -> datetime | None:
    """Return when the next update is due: as promised, else the policy's interval after the last update."""
    promised = await session.scalar(
        select(Promise.due_at)
        .where(
            Promise.unit_id == incident.id,
            Promise.kind == PromiseKind.NEXT_UPDATE,
            Promise.internal.is_(False),
            Promise.stopped_at.is_(None),
            Promise.state.not_in((State.KEPT, State.CANCELLED)),
        )
        .order_by(Promise.part.desc(), Promise.due_at)
        .limit(1)
    )
    if promised is not None:
        return promised
    if policy is None or policy.stale_minutes is None:
        return None
    last_update = await session.scalar(
        select(func.max(LedgerRow.at)).where(
            LedgerRow.subject_id == incident.id,
            LedgerRow.kind == "incident.updated",
            LedgerRow.body.contains({"client_visible": True, "from_us": True}),
        )
    )
    last = max(filter(None, (last_update, incident.acknowledged_at, incident.opened_at)))
    return last + timedelta(minutes=policy.stale_minutes)
