"""Find the user who does the work of a role for a client: of the team, a deputy, or else of the company."""

from uuid import UUID

from sqlalchemy import Select, case, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Role
from domain.account_teams.model import Raci, TeamMember, TeamRole
from domain.accounts.model import Account, Reach, User

R = Role
FALLBACK_ROLES: dict[TeamRole, tuple[Role, ...]] = {
    TeamRole.ACCOUNT_MANAGER: (R.RELATIONSHIP_MANAGER, R.MANAGEMENT),
    TeamRole.EXECUTIVE_SPONSOR: (R.MANAGEMENT,),
    TeamRole.CUSTOMER_SUCCESS: (R.RELATIONSHIP_MANAGER, R.MANAGEMENT),
    TeamRole.PROJECT_MANAGER: (R.RELATIONSHIP_MANAGER, R.MANAGEMENT),
    TeamRole.SALES_SUPPORT: (R.RELATIONSHIP_MANAGER, R.MANAGEMENT),
    TeamRole.TECHNICAL: (R.DISPATCHER, R.RELATIONSHIP_MANAGER, R.MANAGEMENT),
    TeamRole.SUPPORT: (R.DISPATCHER, R.RELATIONSHIP_MANAGER, R.MANAGEMENT),
    TeamRole.FINANCE: (R.FINANCE, R.MANAGEMENT),
    TeamRole.EXPERT: (R.RELATIONSHIP_MANAGER, R.MANAGEMENT),
}
"""Roles of users who do the work where the team has nobody for it, the first ones first."""


async def owner_of(session: AsyncSession, account: Account, role: TeamRole) -> UUID | None:
    """Return who does the work of a role: accountable before responsible, the deputy of somebody who cannot sign in.

    Without a member, an active user of a fitting role with access to the account, the longest known first; None where
    the company has nobody.
    """
    members = await session.execute(
        select(TeamMember.user_id, TeamMember.deputy_id)
        .where(
            TeamMember.account_id == account.id,
            TeamMember.role == role,
            TeamMember.left_at.is_(None),
            TeamMember.raci.in_((Raci.ACCOUNTABLE, Raci.RESPONSIBLE)),
        )
        .order_by(TeamMember.raci, TeamMember.joined_at, TeamMember.id)
    )
    named: list[UUID] = [each for pair in members for each in pair if each is not None]
    if named:
        active = set(await session.scalars(_active(account).where(User.id.in_(named))))
        for each in named:
            if each in active:
                return each
    fitting = FALLBACK_ROLES[role]
    rank = case({each: n for n, each in enumerate(fitting)}, value=User.role)
    query = _active(account).where(User.role.in_(fitting)).order_by(rank, User.id).limit(1)
    return (await session.scalars(query)).first()


def _active(account: Account) -> Select[UUID]:
    limited = select(Reach.user_id).where(Reach.user_id == User.id)
    return select(User.id).where(
        User.tenant_id == account.tenant_id,
        User.disabled_at.is_(None),
        or_(~limited.exists(), limited.where(Reach.account_id == account.id).exists()),
    )
