"""Crises of clients: the list, the mutations and the feed."""

from collections.abc import AsyncIterable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, crises
from schema.accounts import Account
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import (
    AccountId,
    ExpectedVersion,
    GlobalIdOf,
    MutationContext,
    mutation,
)
from schema.core.roots import mutation_fields, query_fields, subscription_fields
from schema.core.types import from_row, resolver, subscription
from schema.subscriptions import After, FeedEvent, Item, facts_named

CrisisId = Annotated[UUID, GlobalIdOf("Crisis")]


@from_row(crises.Crisis)
class Crisis(Node):
    """Time in which a client gets no surveys and no marketing, because something serious happened."""

    reason: Annotated[str, "Reason for which it began."]
    began_at: Annotated[datetime, "Time at which it began."]
    ended_at: Annotated[datetime | None, "Time at which it ended; null while it lasts."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(Account | None)
    @staticmethod
    async def account(row: strawberry.Parent[crises.Crisis], info: Info) -> accounts.Account | None:
        """Client that is left alone meanwhile."""
        return await info.context.get(accounts.Account, row.account_id)


@query_fields
class CrisisQuery:
    """Queries of crises."""

    @lists(Crisis, crises.Crisis.began_at, crises.Crisis.id, descending=True)
    @staticmethod
    def crises(
        info: Info,
        account_id: AccountFilter = None,
        lasting: Annotated[bool, "Only those that last."] = False,
    ) -> Rows:
        """Crises of clients, the latest first."""
        found = visible(info, crises.Crisis, account_id)
        return found.where(crises.Crisis.ended_at.is_(None)) if lasting else found


@mutation_fields
class CrisisMutation:
    """Mutations of crises."""

    @mutation(Crisis)
    @staticmethod
    async def begin_crisis(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Client that is left alone."],
        reason: Annotated[str, "Reason for which it begins."],
    ) -> crises.Crisis:
        """Begin a crisis of a client: surveys, reminders, check-ins and requests for testimonials wait."""
        return await crises.begin(ask.tx, account_id, reason=reason)

    @mutation(Crisis)
    @staticmethod
    async def end_crisis(
        ask: MutationContext,
        id: Annotated[CrisisId, "Crisis that is over."],
        expected_version: ExpectedVersion = None,
    ) -> crises.Crisis:
        """End a crisis of a client: surveys that waited are sent."""
        return await crises.end(ask.tx, id, expected_version=expected_version)


@subscription_fields
class CrisisSubscription:
    """Subscriptions to crises."""

    @subscription(FeedEvent)
    def crisis_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Crises as they begin and end."""
        return facts_named(info, account_id, after, "crisis.")
