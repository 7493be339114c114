"""API keys of partner systems."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import strawberry

from domain import accounts
from domain.access import Role
from schema.core.ids import Node
from schema.core.mutations import AccountId, ApiKeyId, MutationContext, mutation
from schema.core.roots import mutation_fields
from schema.core.types import from_row, resolver


@dataclass(frozen=True, slots=True)
class Issued:
    """Row of an API key with its secret, which is None when the response is repeated."""

    row: accounts.ApiKey
    secret: str | None


@from_row(accounts.ApiKey)
class ApiKey(Node):
    """API key of a partner system; only a hash of the key is stored."""

    name: Annotated[str, "Name that says the purpose of the key."]
    prefix: Annotated[str, "First characters of the key, which are not secret."]
    role: Annotated[Role, "Role of the key, which decides the rights."]
    scopes: Annotated[
        list[str] | None,
        "Scopes to which the key is limited, such as `incidents:read`; null for every right of the role.",
    ]
    created_at: Annotated[datetime, "Time at which the key was issued."]
    expires_at: Annotated[datetime | None, "Time from which the key is no longer valid."]
    revoked_at: Annotated[
        datetime | None, "Time at which the key was revoked; null while it is not."
    ]
    last_used_at: Annotated[datetime | None, "Time of the last use, to the minute."]

    @resolver(bool)
    @staticmethod
    def reaches_all_accounts(row: strawberry.Parent[accounts.ApiKey]) -> bool:
        """Whether the key has access to every account of the company."""
        return row.account_ids is None


@from_row(Issued)
class IssuedApiKey:
    """Newly issued API key with its secret."""

    secret: Annotated[
        str | None,
        "The secret key, returned once; null when the response is repeated for the same idempotency key.",
    ]

    @resolver(ApiKey)
    @staticmethod
    def api_key(issued: strawberry.Parent[Issued]) -> accounts.ApiKey:
        """The issued key, as listed by `apiKeys`."""
        return issued.row


@mutation_fields
class KeyMutation:
    """Mutations of API keys."""

    @mutation(IssuedApiKey, again=lambda row: Issued(row, None))
    @staticmethod
    async def issue_api_key(
        ask: MutationContext,
        name: Annotated[str, "Name that says the purpose of the key."],
        role: Annotated[Role, "Role of the key, which decides the rights."] = Role.PARTNER,
        account_ids: Annotated[
            list[AccountId] | None, "Accounts to which the key is limited."
        ] = None,
        expires_at: Annotated[
            datetime | None, "Time from which the key is no longer valid."
        ] = None,
        all_accounts: Annotated[
            bool, "Whether the key gets access to every account, instead of to listed ones."
        ] = False,
        scopes: Annotated[
            list[str] | None,
            (
                "Scopes of the key, such as `incidents:read`; null for the operational scopes "
                "of a partner, or for every right of another role."
            ),
        ] = None,
    ) -> Issued:
        """Issue an API key for a partner system."""
        row, secret = await accounts.issue_api_key(
            ask.tx,
            name=name,
            role=role,
            accounts=account_ids,
            expires_at=expires_at,
            all_accounts=all_accounts,
            scopes=scopes,
        )
        return Issued(row, secret)

    @mutation(ApiKey)
    @staticmethod
    async def revoke_api_key(
        ask: MutationContext, id: Annotated[ApiKeyId, "API key to be revoked."]
    ) -> accounts.ApiKey:
        """Revoke an API key; its open connections close within seconds."""
        return await accounts.revoke_api_key(ask.tx, id)
