"""RAID log: the list of entries, the mutations and the feed."""

from collections.abc import AsyncIterable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, commitments, raid
from domain.raid import RaidKind
from schema.accounts import Account
from schema.commitments import Commitment
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import (
    AccountId,
    ExpectedVersion,
    GlobalIdOf,
    MutationContext,
    UserId,
    mutation,
)
from schema.core.roots import mutation_fields, query_fields, subscription_fields
from schema.core.types import RESTRICTED, enum, from_row, resolver, subscription
from schema.subscriptions import After, FeedEvent, Item, facts_named
from schema.users import User

enum(
    RaidKind,
    "RaidKind",
    risk="Something that may happen: impact and likelihood; reviewed every week.",
    action="Something to be done by a due time: a commitment; reviewed every day.",
    issue="Something that happened: impact; reviewed when it is raised.",
    decision="Something that was decided, with its rationale; reviewed when it is raised.",
)
Row = strawberry.Parent[raid.RaidEntry]
RaidEntryId = Annotated[UUID, GlobalIdOf("RaidEntry")]
Impact = Annotated[int | None, "Impact from 1 (slight) to 5 (severe), of a risk or an issue."]
Likelihood = Annotated[int | None, "Likelihood from 1 (rare) to 5 (almost certain), of a risk."]


@from_row(raid.RaidEntry)
class RaidEntry(Node):
    """Entry of the RAID log: a risk, an action, an issue or a decision about a client."""

    kind: Annotated[RaidKind, "Kind of entry, which decides what it holds."]
    words: Annotated[str, "Line of text that says what it is."]
    impact: Impact
    likelihood: Likelihood
    rationale: Annotated[str | None, "Reasons for a decision; null for other kinds."]
    internal: Annotated[bool | None, "Whether the client does not see it.", RESTRICTED]
    raised_at: Annotated[datetime, "Time at which it was entered."]
    reviewed_at: Annotated[datetime, "Time of its last review; raising it is the first one."]
    review_due_at: Annotated[
        datetime | None, "Time by which its next review is due; null when none is."
    ]
    review_late_at: Annotated[
        datetime | None, "Time at which its review was due, once it passed without one."
    ]
    closed_at: Annotated[datetime | None, "Time at which it was closed; null before."]
    outcome: Annotated[str | None, "Outcome with which it was closed; null before."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(int | None)
    @staticmethod
    def score(row: Row) -> int | None:
        """Impact × likelihood, from 1 to 25; null unless both are assessed."""
        return row.score

    @resolver(User | None)
    @staticmethod
    async def owner(row: Row, info: Info) -> accounts.User | None:
        """User of the company who owns it. Null for clients."""
        return await info.context.get(accounts.User, row.owner_id)

    @resolver(Commitment | None)
    @staticmethod
    async def commitment(row: Row, info: Info) -> commitments.Commitment | None:
        """Commitment that an action is, with its due time; null for other kinds."""
        return await info.context.get(commitments.Commitment, row.commitment_id)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """Account of the client that it is about."""
        return await info.context.get(accounts.Account, row.account_id)


@query_fields
class RaidQuery:
    """Queries of the RAID log."""

    @lists(RaidEntry, raid.RaidEntry.raised_at, raid.RaidEntry.id)
    @staticmethod
    def raid_entries(
        info: Info,
        account_id: AccountFilter = None,
        kind: Annotated[RaidKind | None, "Only entries of this kind."] = None,
        is_open: Annotated[
            bool | None, "True: only those still open; false: only closed ones; null: all."
        ] = None,
        overdue: Annotated[
            bool, "Only open entries with a review that was due and not made."
        ] = False,
    ) -> Rows:
        """Entries of the RAID log, in the order in which they were raised."""
        row = raid.RaidEntry
        query = visible(info, row, account_id)
        if kind is not None:
            query = query.where(row.kind == kind)
        if is_open is not None:
            query = query.where(row.closed_at.is_(None) if is_open else row.closed_at.is_not(None))
        return query.where(row.review_late_at.is_not(None)) if overdue else query


@mutation_fields
class RaidMutation:
    """Mutations of the RAID log."""

    @mutation(RaidEntry)
    @staticmethod
    async def raise_raid_entry(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client that it is about."],
        kind: Annotated[RaidKind, "Kind of entry, which decides what it needs."],
        words: Annotated[str, "One line that says what it is."],
        owner_user_id: Annotated[UserId, "User of the company who owns it."],
        impact: Impact = None,
        likelihood: Likelihood = None,
        rationale: Annotated[str | None, "Reasons, which a decision needs."] = None,
        due_at: Annotated[datetime | None, "Time by which an action is due."] = None,
        internal: Annotated[bool, "Whether the client does not see it."] = False,
    ) -> raid.RaidEntry:
        """Enter a risk, an action, an issue or a decision."""
        draft = raid.RaidDraft(
            kind, words, owner_user_id, impact, likelihood, rationale, due_at, internal
        )
        return await raid.raise_entry(ask.tx, account_id, draft)

    @mutation(RaidEntry)
    @staticmethod
    async def review_raid_entry(
        ask: MutationContext,
        id: Annotated[RaidEntryId, "Entry that was reviewed."],
        impact: Impact = None,
        likelihood: Likelihood = None,
        expected_version: ExpectedVersion = None,
    ) -> raid.RaidEntry:
        """Record the review of an open entry; an assessment that is left out stays as it is."""
        return await raid.review(
            ask.tx, id, impact=impact, likelihood=likelihood, expected_version=expected_version
        )

    @mutation(RaidEntry)
    @staticmethod
    async def hand_over_raid_entry(
        ask: MutationContext,
        id: Annotated[RaidEntryId, "Open entry to be handed over."],
        owner_user_id: Annotated[UserId, "User of the company who owns it from now on."],
        expected_version: ExpectedVersion = None,
    ) -> raid.RaidEntry:
        """Hand an open entry over to another user of the company."""
        return await raid.hand_over(
            ask.tx, id, owner_id=owner_user_id, expected_version=expected_version
        )

    @mutation(RaidEntry)
    @staticmethod
    async def close_raid_entry(
        ask: MutationContext,
        id: Annotated[RaidEntryId, "Entry to be closed."],
        outcome: Annotated[str, "Outcome, such as why a risk no longer exists."],
        expected_version: ExpectedVersion = None,
    ) -> raid.RaidEntry:
        """Close an entry with its outcome; the commitment of an action is finished."""
        return await raid.close(ask.tx, id, outcome=outcome, expected_version=expected_version)


@subscription_fields
class RaidSubscription:
    """Subscriptions about the RAID log."""

    @subscription(FeedEvent)
    def raid_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Entries as they are raised, reviewed, handed over and closed, and reviews that become late."""
        return facts_named(info, account_id, after, "raid.")
