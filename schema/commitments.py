"""Commitments to clients: the list, the mutations and the feed."""

from collections.abc import AsyncIterable
from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, commitments
from domain.commitments import CommitmentKind, CommitmentState
from schema.accounts import Account
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
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields, subscription_fields
from schema.core.types import RESTRICTED, enum, from_row, resolver, subscription
from schema.subscriptions import After, FeedEvent, Item, facts_named
from schema.users import User

enum(
    CommitmentKind,
    "CommitmentKind",
    action_item="Action item, such as one from a meeting.",
    improvement="Improvement of the service for the client.",
    follow_up="Follow-up of a question or a complaint.",
    agenda="Agenda of a meeting, sent 24 hours before it begins.",
    milestone="Milestone of the service for the client.",
    summary="Summary of a meeting, sent within 24 hours after its end.",
    playbook_task="Task of a playbook that was opened for the client.",
)
enum(
    CommitmentState,
    "CommitmentState",
    open="Not done, and not past its due time.",
    kept="Done by its due time.",
    late="Not done by its due time; `doneAt` says whether it is done since.",
    withdrawn="Withdrawn before its due time, with a reason.",
)
Row = strawberry.Parent[commitments.Commitment]
CommitmentId = Annotated[UUID, GlobalIdOf("Commitment")]


@from_row(commitments.Commitment)
class Commitment(Node):
    """Commitment of one user of the company to a client, with its due time."""

    kind: Annotated[CommitmentKind, "Kind of commitment, such as an action item."]
    words: Annotated[str, "Line of text that says what was promised."]
    internal: Annotated[bool | None, "Whether the client does not see it.", RESTRICTED]
    made_at: Annotated[datetime, "Time at which it was made."]
    due_at: Annotated[datetime, "Time by which it is due; it never changes."]
    late_at: Annotated[datetime | None, "Due time, once it passed without completion."]
    done_at: Annotated[datetime | None, "Time at which it was done; null before."]
    note: Annotated[str | None, "Note on what was done.", RESTRICTED]
    withdrawn_at: Annotated[datetime | None, "Time at which it was withdrawn; null otherwise."]
    withdrawn_reason: Annotated[str | None, "Reason for the withdrawal.", RESTRICTED]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(CommitmentState)
    @staticmethod
    def state(row: Row) -> CommitmentState:
        """State of the commitment."""
        return row.state

    owner = to_one(
        User, accounts.User, "owner_id", "User of the company responsible for it. Null for clients."
    )

    account = to_one(
        Account, accounts.Account, "account_id", "Account of the client to whom it was made."
    )


@query_fields
class CommitmentQuery:
    """Queries of commitments."""

    @lists(Commitment, commitments.Commitment.due_at, commitments.Commitment.id)
    @staticmethod
    def commitments(
        info: Info,
        account_id: AccountFilter = None,
        overdue: Annotated[
            bool, "Only those that are late and not done, the longest overdue first."
        ] = False,
    ) -> Rows:
        """Commitments to clients, by due time."""
        row = commitments.Commitment
        found = visible(info, row, account_id)
        return found.where(row.late_at.is_not(None), row.done_at.is_(None)) if overdue else found


@mutation_fields
class CommitmentMutation:
    """Mutations of commitments."""

    @mutation(Commitment)
    @staticmethod
    async def make_commitment(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client."],
        kind: Annotated[CommitmentKind, "Kind of commitment, such as an action item."],
        words: Annotated[str, "One line that says what is promised."],
        owner_user_id: Annotated[UserId, "User of the company responsible for it."],
        due_at: Annotated[datetime, "Time by which it is due, later than now."],
        internal: Annotated[bool, "Whether the client does not see it."] = False,
    ) -> commitments.Commitment:
        """Promise a client something, with an owner and a due time."""
        return await commitments.make(
            ask.tx,
            account_id,
            kind=kind,
            words=words,
            owner_id=owner_user_id,
            due_at=due_at,
            internal=internal,
        )

    @mutation(Commitment)
    @staticmethod
    async def finish_commitment(
        ask: MutationContext,
        id: Annotated[CommitmentId, "Commitment that is done."],
        note: Annotated[str | None, "Note on what was done."] = None,
        expected_version: ExpectedVersion = None,
    ) -> commitments.Commitment:
        """Record that a commitment is done, in time or late."""
        return await commitments.finish(ask.tx, id, note=note, expected_version=expected_version)

    @mutation(Commitment)
    @staticmethod
    async def withdraw_commitment(
        ask: MutationContext,
        id: Annotated[CommitmentId, "Commitment that no longer holds."],
        reason: Annotated[str, "Reason for the withdrawal."],
        expected_version: ExpectedVersion = None,
    ) -> commitments.Commitment:
        """Withdraw a commitment before its due time."""
        return await commitments.withdraw(
            ask.tx, id, reason=reason, expected_version=expected_version
        )

    @mutation(Commitment)
    @staticmethod
    async def hand_over_commitment(
        ask: MutationContext,
        id: Annotated[CommitmentId, "Commitment to be handed over."],
        owner_user_id: Annotated[UserId, "User of the company responsible from now on."],
        expected_version: ExpectedVersion = None,
    ) -> commitments.Commitment:
        """Hand an open commitment over to another user of the company."""
        return await commitments.hand_over(
            ask.tx, id, owner_id=owner_user_id, expected_version=expected_version
        )


@subscription_fields
class CommitmentSubscription:
    """Subscriptions about commitments."""

    @subscription(FeedEvent)
    def commitment_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Commitments as they are made, done, late, withdrawn and handed over."""
        return facts_named(info, account_id, after, "commitment.")
