"""API keys of partner systems."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import strawberry

from domain import accounts
from domain.access import Role
from schema.core.ids import Node
from schema.core.mutations import AccountId, ApiKeyId, MutationContext, mutation
from schema.core.types import from_row, resolver


@dataclass(frozen=True, slots=True)
class Issued:
    """A key's row and, the first time, its text."""

    row: accounts.ApiKey
    secret: str | None


@from_row(accounts.ApiKey)
class ApiKey(Node):
    """A partner system's key; only a hash of it is kept."""

    name: Annotated[str, "What the key is for."]
    prefix: Annotated[str, "The part of the key that is no secret."]
    role: Annotated[Role, "What the key may do."]
    scopes: Annotated[
        list[str] | None, "Which parts of that, such as `incidents:read`; null for all of it."
    ]
    created_at: Annotated[datetime, "When it was issued."]
    expires_at: Annotated[datetime | None, "From when on it does not work."]
    revoked_at: Annotated[datetime | None, "Since when it does not work."]
    last_used_at: Annotated[datetime | None, "When it was last used, to the minute."]

    @resolver(bool)
    @staticmethod
    def reaches_all_accounts(row: strawberry.Parent[accounts.ApiKey]) -> bool:
        """Whether the key reaches every client of the company."""
        return row.account_ids is None


@from_row(Issued)
class IssuedApiKey:
    """A new key."""

    secret: Annotated[
        str | None, "The key itself, told once; null when the answer is repeated under its key."
    ]

    @resolver(ApiKey)
    @staticmethod
    def api_key(issued: strawberry.Parent[Issued]) -> accounts.ApiKey:
        """The key as it is listed."""
        return issued.row


@strawberry.type
class KeyMutation:
    """Verbs about keys."""

    @mutation(IssuedApiKey, again=lambda row: Issued(row, None))
    @staticmethod
    async def issue_api_key(
        ask: MutationContext,
        name: Annotated[str, "What the key is for."],
        role: Annotated[Role, "What the key may do."] = Role.PARTNER,
        account_ids: Annotated[
            list[AccountId] | None, "The accounts the key is limited to."
        ] = None,
        expires_at: Annotated[datetime | None, "From when on it does not work."] = None,
        all_accounts: Annotated[
            bool, "Let the key reach every client, instead of naming accounts."
        ] = False,
        scopes: Annotated[
            list[str] | None,
            "What the key may do, such as `incidents:read`; null for a partner's operational scopes, or"
            " for all that another role may.",
        ] = None,
    ) -> Issued:
        """Make a key for a partner system."""
        row, secret = await accounts.issue_api_key(
            ask.session, ask.actor, name=name, role=role, accounts=account_ids,
            expires_at=expires_at, all_accounts=all_accounts, scopes=scopes, at=ask.at,
        )  # fmt: skip
        return Issued(row, secret)

    @mutation(ApiKey)
    @staticmethod
    async def revoke_api_key(
        ask: MutationContext, id: Annotated[ApiKeyId, "The key."]
    ) -> accounts.ApiKey:
        """Stop a key from working; open sockets close within seconds."""
        return await accounts.revoke_api_key(ask.session, ask.actor, id, at=ask.at)
