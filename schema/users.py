"""Verbs about users' access, and their sessions."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts, credentials, factors
from domain.access import Role
from domain.credentials import SignIn as SignInRow
from schema.accounts import User
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, lists, naming, visible
from schema.core.mutations import (
    AccountId,
    ExpectedVersion,
    GlobalIdOf,
    MutationContext,
    UserId,
    mutation,
)
from schema.core.types import enum, from_row, resolver

SignInId = Annotated[UUID, GlobalIdOf("SignIn")]

enum(
    credentials.EndedBy, "SessionEnd",
    user="The user signed out.", password_change="The password was changed.",  # noqa: S106 - words

    disabled="The user's access ended.", manager="Who manages the user ended it.",
    reuse="A refresh token was used twice: one of the two was stolen.",
)  # fmt: skip


@from_row(SignInRow)
class SignIn(Node):
    """A session: where somebody is, or was, signed in."""

    method: Annotated[str, "With what it began: `password`, perhaps with a second factor."]
    user_agent: Annotated[str | None, "What the client calls itself."]
    address: Annotated[str | None, "The client's address when it was last renewed."]
    started_at: Annotated[datetime, "When it began."]
    seen_at: Annotated[datetime | None, "When it was last used, to the minute."]
    ended_at: Annotated[datetime | None, "When it ended before its time."]
    ended_by: Annotated[credentials.EndedBy | None, "Why it ended before its time."]

    @resolver(User | None)
    @staticmethod
    async def user(row: strawberry.Parent[SignInRow], info: Info) -> Any:
        """Who is signed in."""
        return await info.context.loaders.user.load(row.user_id)


@strawberry.type
class SessionQuery:
    """What can be asked about sessions."""

    @lists(SignIn, SignInRow.started_at, SignInRow.id, descending=True)
    @staticmethod
    def sessions(
        info: Info,
        user_id: Annotated[strawberry.ID | None, "Only of this user."] = None,
        going_on: Annotated[bool | None, "Only those that go on, or only those that ended."] = None,
    ) -> Rows:
        """Your own sessions and those of users whom you manage, newest first."""
        query = naming(visible(info, SignInRow), SignInRow.user_id, "User", user_id)
        if going_on is None:
            return query
        over = credentials.is_over(info.context.at)
        return query.where(~over if going_on else over)


@strawberry.type
class UserMutation:
    """Verbs about users' access."""

    @mutation(User)
    @staticmethod
    async def change_user(
        ask: MutationContext,
        id: Annotated[UserId, "The user."],
        name: Annotated[str | None, "Another name."] = UNSET,
        language: Annotated[str | None, "`nl` or `en`, or null for the company's."] = UNSET,
        role: Annotated[Role | None, "Another role, of whose rights you have all."] = UNSET,
        account_ids: Annotated[
            list[AccountId] | None,
            "The accounts the user is limited to from now on; null or none for all, which clients cannot have.",
        ] = UNSET,
        expected_version: ExpectedVersion = None,
    ) -> accounts.User:
        """Change a user whom you manage; what is left out stays. Open sockets follow within seconds.

        A change of role or accounts ends open invitations. Nobody changes the own role or accounts.
        """
        given = {"name": name, "language": language, "role": role, "accounts": account_ids}
        changes = {field: value for field, value in given.items() if value is not UNSET}
        return await credentials.change_user(
            ask.session, ask.actor, id, at=ask.at, expected_version=expected_version, **changes
        )

    @mutation(User)
    @staticmethod
    async def invite_user(
        ask: MutationContext, user_id: Annotated[UserId, "The user."]
    ) -> accounts.User:
        """Send the user a letter with a link to set a password; links sent before end."""
        row, _ = await credentials.invite(
            ask.session, ask.actor, user_id, at=ask.at, may_show=False, lifetime=ask.ctx.invited
        )
        return await ask.session.get_one(accounts.User, row.user_id)

    @mutation(User)
    @staticmethod
    async def disable_user(
        ask: MutationContext, id: Annotated[UserId, "The user."]
    ) -> accounts.User:
        """End a user's access: sessions, devices and open invitations end, open sockets close within seconds."""
        return await credentials.disable_user(ask.session, ask.actor, id, at=ask.at)

    @mutation(User)
    @staticmethod
    async def reset_second_factor(
        ask: MutationContext, id: Annotated[UserId, "The user."]
    ) -> accounts.User:
        """Remove every second factor of a user who lost them, and end the user's sessions; never your own."""
        return await factors.reset_factors(ask.session, ask.actor, id, at=ask.at)

    @mutation(SignIn)
    @staticmethod
    async def end_session(
        ask: MutationContext, id: Annotated[SignInId, "The session."]
    ) -> SignInRow:
        """End a session, your own or one of a user whom you manage; its tokens end within seconds."""
        return await credentials.end_session(ask.session, ask.actor, id, at=ask.at)
