"""Account teams: who of the company does what for a client."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import account_teams, accounts
from domain.account_teams import Raci, TeamRole
from schema.accounts import Account
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import AccountId, GlobalIdOf, MutationContext, UserId, mutation
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, resolver
from schema.users import User

enum(
    TeamRole,
    "TeamRole",
    account_manager="Manages the relationship, and is the first to be called.",
    executive_sponsor="Member of the management who stands for the client.",
    customer_success="Sees to it that the client reaches its goals.",
    project_manager="Leads projects, such as taking over a site.",
    sales_support="Prepares offers and renewals.",
    technical="Looks after technical installations and systems.",
    support="Handles daily questions and incidents.",
    finance="Looks after invoices and payments.",
    expert="Expert on a subject, asked when needed.",
)
enum(
    Raci,
    "Raci",
    responsible="Does the work itself.",
    accountable="Answers for the work; one at a time.",
    consulted="Is asked before decisions.",
    informed="Hears of decisions after them.",
)
Row = strawberry.Parent[account_teams.TeamMember]
TeamMemberId = Annotated[UUID, GlobalIdOf("TeamMember")]


@from_row(account_teams.TeamMember)
class TeamMember(Node):
    """User of the company who has a role for a client, from when until when."""

    role: Annotated[TeamRole, "Work that the user looks after."]
    raci: Annotated[Raci, "Part that the user has in that work."]
    joined_at: Annotated[datetime, "Time from which on the user has the role."]
    left_at: Annotated[datetime | None, "Time until which the user had the role; null: still."]
    left_reason: Annotated[str | None, "Reason for which the membership ended."]

    @resolver(User | None)
    @staticmethod
    async def user(row: Row, info: Info) -> accounts.User | None:
        """User of the company."""
        return await info.context.get(accounts.User, row.user_id)

    @resolver(User | None)
    @staticmethod
    async def deputy(row: Row, info: Info) -> accounts.User | None:
        """User who stands in; null for none."""
        return await info.context.get(accounts.User, row.deputy_id)

    @resolver(User | None)
    @staticmethod
    async def successor(row: Row, info: Info) -> accounts.User | None:
        """User who took the role over; null for none."""
        return await info.context.get(accounts.User, row.successor_id)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)


@query_fields
class TeamMemberQuery:
    """Queries of account teams."""

    @lists(TeamMember, account_teams.TeamMember.joined_at, account_teams.TeamMember.id)
    @staticmethod
    def team_members(
        info: Info,
        account_id: AccountFilter = None,
        is_active: Annotated[
            bool | None, "True: only those of now; false: only those that left; null: all."
        ] = True,
    ) -> Rows:
        """Members of account teams, in the order in which they joined; empty for clients."""
        row = account_teams.TeamMember
        query = visible(info, row, account_id)
        if is_active is None:
            return query
        return query.where(row.left_at.is_(None) if is_active else row.left_at.is_not(None))


@mutation_fields
class TeamMemberMutation:
    """Mutations of account teams."""

    @mutation(TeamMember)
    @staticmethod
    async def assign_team_member(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client."],
        user_id: Annotated[UserId, "Office user of the company with access to the account."],
        role: Annotated[TeamRole, "Work that the user looks after."],
        raci: Annotated[Raci, "Part that the user has in that work."],
        deputy_user_id: Annotated[UserId | None, "User who stands in; null for none."] = None,
    ) -> account_teams.TeamMember:
        """Give a user of the company a role for a client."""
        return await account_teams.assign(
            ask.tx, account_id, user_id=user_id, role=role, raci=raci, deputy_id=deputy_user_id
        )

    @mutation(TeamMember)
    @staticmethod
    async def end_team_membership(
        ask: MutationContext,
        id: Annotated[TeamMemberId, "Membership to be ended."],
        reason: Annotated[str, "Reason for ending it."],
        successor_user_id: Annotated[
            UserId | None, "User who takes over role and deputy; null for nobody."
        ] = None,
    ) -> account_teams.TeamMember:
        """End a membership of an account team, and hand the role over to a successor if one is named."""
        return await account_teams.leave(ask.tx, id, reason=reason, successor_id=successor_user_id)
