"""The register of keys: keys of sites, who has them, and who had them when."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, alarms
from domain.alarms import KeyMovementKind
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, naming, visible
from schema.core.mutations import GlobalIdOf, MutationContext, SiteId, UserId, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, relation, relations, resolver
from schema.sites import Site
from schema.users import User

enum(
    KeyMovementKind,
    "KeyMovementKind",
    issued="The key left the safe.",
    returned="The key came back into the safe.",
)
KeyRow = strawberry.Parent[alarms.RegisteredKey]
RegisteredKeyId = Annotated[UUID, GlobalIdOf("RegisteredKey")]


@from_row(alarms.RegisteredKey)
class RegisteredKey(Node):
    """Key, card or code carrier of a site that the company keeps."""

    label: Annotated[str, "What is written on it."]
    registered_at: Annotated[datetime, "Time from which the company keeps it."]
    withdrawn_at: Annotated[datetime | None, "Time at which the client got it back."]

    @resolver(bool)
    @staticmethod
    def is_out(row: KeyRow) -> bool:
        """Whether somebody has it; else it is in the safe."""
        return row.holder_id is not None

    @relation("Account")
    @staticmethod
    async def account(row: KeyRow, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(Site | None)
    @staticmethod
    async def site(row: KeyRow, info: Info) -> accounts.Site | None:
        """Site that it opens."""
        return await info.context.get(accounts.Site, row.site_id)

    @resolver(User | None)
    @staticmethod
    async def holder(row: KeyRow, info: Info) -> accounts.User | None:
        """Who has it now. Null for clients, and while it is in the safe."""
        return await info.context.get(accounts.User, row.holder_id)

    @relations("KeyMovement")
    @staticmethod
    async def movements(row: KeyRow, info: Info) -> list[Any]:
        """Who had it when, the oldest first; none for clients and guards."""
        each = alarms.KeyMovement
        return await info.context.children(each.key_id, row.id, order=(each.moved_at, each.id))


@from_row(alarms.KeyMovement)
class KeyMovement(Node):
    """Key that was issued to a person, or came back; it never changes."""

    kind: Annotated[KeyMovementKind, "Direction in which the key moved."]
    moved_at: Annotated[datetime, "Time at which the key changed hands."]
    user = to_one(User, accounts.User, "user_id", "Person who got or gave it back.")
    key = to_one(RegisteredKey, alarms.RegisteredKey, "key_id", "Key that changed hands.")


@query_fields
class KeyQuery:
    """Queries of keys."""

    @lists(RegisteredKey, alarms.RegisteredKey.registered_at, alarms.RegisteredKey.id)
    @staticmethod
    def registered_keys(
        info: Info,
        account_id: AccountFilter = None,
        site_id: Annotated[strawberry.ID | None, "Only keys of this site."] = None,
    ) -> Rows:
        """Keys of sites, in the order in which they were registered; guards see those that they hold."""
        row = alarms.RegisteredKey
        return naming(info, visible(info, row, account_id), row.site_id, "Site", site_id)


@mutation_fields
class KeyRegisterMutation:
    """Mutations of the register of keys."""

    @mutation(RegisteredKey)
    @staticmethod
    async def register_key(
        ask: MutationContext,
        site_id: Annotated[SiteId, "Site that the key opens."],
        label: Annotated[str, "What is written on it, unique at the site."],
    ) -> alarms.RegisteredKey:
        """Take a key of a site into the register."""
        return await alarms.register_key(ask.tx, site_id, label=label)

    @mutation(RegisteredKey)
    @staticmethod
    async def issue_key(
        ask: MutationContext,
        id: Annotated[RegisteredKeyId, "Key in the safe."],
        user_id: Annotated[UserId, "Member of the company's staff who gets it."],
    ) -> alarms.RegisteredKey:
        """Issue a key to a guard."""
        return await alarms.issue_key(ask.tx, id, user_id)

    @mutation(RegisteredKey)
    @staticmethod
    async def return_key(
        ask: MutationContext, id: Annotated[RegisteredKeyId, "Key that somebody has."]
    ) -> alarms.RegisteredKey:
        """Take a key back into the safe."""
        return await alarms.return_key(ask.tx, id)

    @mutation(RegisteredKey)
    @staticmethod
    async def withdraw_key(
        ask: MutationContext, id: Annotated[RegisteredKeyId, "Key in the safe."]
    ) -> alarms.RegisteredKey:
        """Take a key out of the register, because the client has it back; its history stays."""
        return await alarms.withdraw_key(ask.tx, id)
