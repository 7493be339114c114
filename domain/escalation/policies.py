"""Set and end policies: who is notified after how long."""

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import select

from domain.access import CLIENTS, Right, Tx
from domain.accounts.model import Account, Contact, User
from domain.agreements.model import Priority
from domain.core.base import uuid7
from domain.core.changes import values_of
from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.escalation import events
from domain.escalation.model import EscalationPolicy
from domain.escalation.rules import StepDraft, check

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
