"""Bars: a client does not want a guard at its sites."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import CLIENTS, Right, Tx, scopes
from domain.accounts.model import Account, User
from domain.core.base import among, uuid7
from domain.core.errors import Code, Refused
from domain.guards.events import GuardBarLifted, GuardBarred
from domain.guards.model import GuardBar


async def barred(
    session: AsyncSession, account_id: UUID, user_ids: Collection[UUID] | None = None
) -> set[UUID]:
    """Return who of these guards, or of all, may not work for an account."""
    query = select(GuardBar.user_id).where(
        GuardBar.account_id == account_id, GuardBar.lifted_at.is_(None)
    )
    if user_ids is not None:
        query = query.where(among(GuardBar.user_id, user_ids))
    return set(await session.scalars(query))


async def bar_guard(tx: Tx, account_id: UUID, user_id: UUID) -> GuardBar:
    """Keep a guard from the sites of a client that asked for it; planned shifts stay. A second time has no effect."""
    tx.actor.must(Right.ROSTER)
    account = await tx.get(Account, account_id, "account", argument="accountId", lock=True)
    staff = and_(scopes.accessible_users(tx.actor, User), User.role.not_in(CLIENTS))
    user = await tx.get(
        User, user_id, "member of the company's staff", argument="userId", among=staff
    )
    known = await tx.session.scalar(
        select(GuardBar).where(
            GuardBar.account_id == account.id,
            GuardBar.user_id == user.id,
            GuardBar.lifted_at.is_(None),
        )
    )
    if known is not None:
        return known
    row = GuardBar(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        user_id=user.id,
        barred_at=tx.at,
    )
    tx.session.add(row)
    tx.record(GuardBarred(account_id=account.id, subject_id=row.id, at=tx.at, user_id=user.id))
    await tx.session.flush()
    return row


async def lift_bar(tx: Tx, bar_id: UUID) -> GuardBar:
    """Let a guard work for a client again."""
    tx.actor.must(Right.ROSTER)
    row = await tx.get(GuardBar, bar_id, "bar", lock=True)
    if row.lifted_at is not None:
        raise Refused(Code.ALREADY_DONE, "This bar was lifted.", argument="id")
    row.lifted_at = tx.at
    tx.record(
        GuardBarLifted(account_id=row.account_id, subject_id=row.id, at=tx.at, user_id=row.user_id)
    )
    await tx.session.flush()
    return row
