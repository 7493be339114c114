"""Users who sign in, their access and their sessions."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts, credentials, factors
from domain.credentials import SignIn as SignInRow
from schema.account_enums import Role
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
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row


@from_row(accounts.User)
class User(Node):
    """Person who can sign in: staff of the company or of a client."""

    email: Annotated[str, "E-mail address for signing in and for messages to the user."]
    name: Annotated[str, "Name of the user, as shown to people."]
    role: Annotated[Role, "Role of the user, which decides the rights."]
    language: Annotated[
        str | None, "Language of e-mail to the user, `nl` or `en`; null for the company's language."
    ]
    disabled_at: Annotated[
        datetime | None, "Time at which access was disabled; null while the user can sign in."
    ]
    version: Annotated[int, "Version of the row, raised by every change."]


SignInId = Annotated[UUID, GlobalIdOf("SignIn")]

enum(
    credentials.EndedBy,
    "SessionEnd",
    user="The user signed out of this session.",
    password_change="The password of the user was changed.",  # noqa: S106 - a description, not a password
    disabled="The access of the user was disabled.",
    manager="A manager of the user ended the session.",
    factors_reset="A user who manages the user removed every second factor.",
    reuse="A refresh token was used twice: one of the two uses was by a thief.",
)


@from_row(SignInRow)
class SignIn(Node):
    """Session of a signed-in user, current or past."""

    method: Annotated[str, "Method of authentication: `password`, optionally with a second factor."]
    user_agent: Annotated[str | None, "User agent reported by the client program."]
    address: Annotated[str | None, "Network address of the client at the last renewal."]
    started_at: Annotated[datetime, "Time at which the session started."]
    seen_at: Annotated[datetime | None, "Time of the last use, to the minute."]
    ended_at: Annotated[
        datetime | None, "Time at which the session was ended early; null otherwise."
    ]
    ended_by: Annotated[
        credentials.EndedBy | None, "Reason for which the session was ended early; null otherwise."
    ]

    user = to_one(User, accounts.User, "user_id", "User who is signed in.")


@query_fields
class SessionQuery:
    """Queries of sessions."""

    @lists(SignIn, SignInRow.started_at, SignInRow.id, descending=True)
    @staticmethod
    def sessions(
        info: Info,
        user_id: Annotated[strawberry.ID | None, "Only sessions of this user."] = None,
        going_on: Annotated[
            bool | None, "True: only current sessions; false: only ended ones; null: all."
        ] = None,
    ) -> Rows:
        """Your own sessions and those of users whom you manage, newest first."""
        query = naming(info, visible(info, SignInRow), SignInRow.user_id, "User", user_id)
        if going_on is None:
            return query
        over = credentials.is_over(info.context.at)
        return query.where(~over if going_on else over)


@mutation_fields
class UserMutation:
    """Mutations of users and of their access."""

    @mutation(User)
    @staticmethod
    async def add_user(
        ask: MutationContext,
        email: Annotated[str, "E-mail address that identifies the user."],
        name: Annotated[str, "Name of the user, as shown to people."],
        role: Annotated[Role, "Role of the user, which decides the rights."],
        account_ids: Annotated[
            list[AccountId] | None,
            "Accounts to which the user is limited; users of clients need at least one.",
        ] = None,
        language: Annotated[
            str | None,
            "Language of e-mail to the user, `nl` or `en`; null for the company's language.",
        ] = None,
    ) -> accounts.User:
        """Add a user, in a role of which you hold all rights.

        A client's administrator adds users for its own accounts. One e-mail address may belong to several users: of
        two clients, or of a client and the company.
        """
        return await accounts.add_user(
            ask.tx,
            email=email,
            name=name,
            role=role,
            accounts=account_ids or (),
            language=language,
            smtp_utf8=ask.ctx.smtp_utf8,
        )

    @mutation(User)
    @staticmethod
    async def change_user(
        ask: MutationContext,
        id: Annotated[UserId, "User to be changed."],
        name: Annotated[str | None, "New name of the user."] = UNSET,
        language: Annotated[
            str | None,
            "Language of e-mail to the user, `nl` or `en`; null for the company's language.",
        ] = UNSET,
        role: Annotated[Role | None, "New role of the user; you must hold all its rights."] = UNSET,
        account_ids: Annotated[
            list[AccountId] | None,
            (
                "Accounts to which the user is limited from now on; null or empty for all, "
                "which is not possible for clients."
            ),
        ] = UNSET,
        expected_version: ExpectedVersion = None,
    ) -> accounts.User:
        """Change a user whom you manage. Arguments that are omitted stay as they are.

        Open connections follow within seconds. A change of role or accounts ends open invitations. Nobody may change
        their own role or accounts.
        """
        given = {"name": name, "language": language, "role": role, "accounts": account_ids}
        changes = {field: value for field, value in given.items() if value is not UNSET}
        return await credentials.change_user(
            ask.tx, id, expected_version=expected_version, **changes
        )

    @mutation(User)
    @staticmethod
    async def invite_user(
        ask: MutationContext, user_id: Annotated[UserId, "User to be invited."]
    ) -> accounts.User:
        """Send the user an e-mail with a link to set a password; links sent before become invalid."""
        row = await credentials.invite(ask.tx, user_id, lifetime=ask.ctx.invited)
        return await ask.session.get_one(accounts.User, row.user_id)

    @mutation(User)
    @staticmethod
    async def disable_user(
        ask: MutationContext, id: Annotated[UserId, "User to be disabled."]
    ) -> accounts.User:
        """Disable a user: sessions, devices and open invitations end, open connections close within seconds."""
        return await credentials.disable_user(ask.tx, id)

    @mutation(User)
    @staticmethod
    async def reset_second_factor(
        ask: MutationContext, id: Annotated[UserId, "User who lost the second factors."]
    ) -> accounts.User:
        """Remove every second factor of a user who lost them, and end the sessions of the user; never your own."""
        return await factors.reset_factors(ask.tx, id)

    @mutation(SignIn)
    @staticmethod
    async def end_session(
        ask: MutationContext, id: Annotated[SignInId, "Session to be ended."]
    ) -> SignInRow:
        """End a session of your own or of a user whom you manage; its tokens become invalid within seconds."""
        return await credentials.end_session(ask.tx, id)
