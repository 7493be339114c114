"""Assign users of the company to account teams, end memberships, and hand a role over to a successor."""

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert

from domain.access import CLIENTS, Right, Role, Tx
from domain.account_teams.events import TeamMemberJoined, TeamMemberLeft
from domain.account_teams.model import Raci, TeamMember, TeamRole
from domain.accounts.model import Account, Reach, User
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, naming_only
from domain.core.text_rules import must_be_text


async def assign(
    tx: Tx,
    account_id: UUID,
    *,
    user_id: UUID,
    role: TeamRole,
    raci: Raci,
    deputy_id: UUID | None = None,
) -> TeamMember:
    """Give a user of the company a role for a client; a second accountable one, or the same again, is refused."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await tx.get(Account, account_id, "account", argument="accountId")
    await _must_be_colleague(tx, user_id, account.id, "userId")
    if deputy_id is not None:
        await _must_be_colleague(tx, deputy_id, account.id, "deputyUserId")
        if deputy_id == user_id:
            raise Refused(Code.INVALID, "The deputy must be another user.", argument="deputyUserId")
    return await _join(tx, account, user_id, role, raci, deputy_id)


async def leave(
    tx: Tx, member_id: UUID, *, reason: str, successor_id: UUID | None = None
) -> TeamMember:
    """End a membership; a successor takes over role, part and deputy at the same instant."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(reason, "reason")
    row = await tx.get(TeamMember, member_id, "membership", lock=True)
    if row.left_at is not None:
        raise Refused(Code.ALREADY_DONE, "This membership has ended.", argument="id")
    if successor_id is not None:
        await _must_be_colleague(tx, successor_id, row.account_id, "successorUserId")
        if successor_id == row.user_id:
            raise Refused(
                Code.INVALID, "The successor must be another user.", argument="successorUserId"
            )
    row.left_at, row.left_reason, row.successor_id = tx.at, reason, successor_id
    tx.record(
        TeamMemberLeft(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            user_id=row.user_id,
            role=row.role,
            raci=row.raci,
            left_reason=reason,
            successor_id=successor_id,
        )
    )
    await tx.session.flush()
    if successor_id is not None:
        account = await tx.session.get_one(Account, row.account_id)
        deputy = None if row.deputy_id == successor_id else row.deputy_id
        with naming_only():
            await _join(tx, account, successor_id, row.role, row.raci, deputy)
    return row


async def _join(
    tx: Tx, account: Account, user_id: UUID, role: TeamRole, raci: Raci, deputy_id: UUID | None
) -> TeamMember:
    row: TeamMember | None = await tx.session.scalar(
        insert(TeamMember)
        .values(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            user_id=user_id,
            role=role,
            raci=raci,
            deputy_id=deputy_id,
            joined_at=tx.at,
        )
        .on_conflict_do_nothing()
        .returning(TeamMember)
    )
    if row is None:
        words = "The role has an accountable member, or this user has it already; end that membership first."
        raise Refused(Code.ALREADY_EXISTS, words, argument="role")
    tx.record(
        TeamMemberJoined(
            account_id=account.id,
            subject_id=row.id,
            at=tx.at,
            user_id=user_id,
            role=role,
            raci=raci,
            deputy_id=deputy_id,
        )
    )
    await tx.session.flush()
    return row


async def _must_be_colleague(tx: Tx, user_id: UUID, account_id: UUID, argument: str) -> None:
    limited = select(Reach.user_id).where(Reach.user_id == User.id)
    known = select(User.id).where(
        User.id == user_id,
        User.tenant_id == tx.actor.tenant_id,
        User.role.not_in(CLIENTS | {Role.GUARD}),
        User.disabled_at.is_(None),
        or_(~limited.exists(), limited.where(Reach.account_id == account_id).exists()),
    )
    if await tx.session.scalar(known) is None:
        words = "No such office user of the company with access to this account."
        raise Refused(Code.NOT_FOUND, words, argument=argument)
