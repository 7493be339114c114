"""Lifecycle of accounts: changes of stage, and who is missing around a client."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from domain import accounts, lifecycle
from domain.access import Right
from domain.lifecycle import CoverageGap as GapRow
from domain.lifecycle import GapKind
from schema.account_enums import Stage
from schema.accounts import Account
from schema.core import ids
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import AccountId, ExpectedVersion, MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import RESTRICTED, enum, from_row, resolver

WORDS = {
    GapKind.NO_ACCOUNT_MANAGER: "An enterprise client has no accountable account manager.",
    GapKind.NO_EXECUTIVE_SPONSOR: "A strategic client has no accountable executive sponsor.",
    GapKind.NO_DEPUTY: "An accountable member of the team has no deputy.",
    GapKind.FEW_CONTACTS: "Fewer than two contacts are known.",
    GapKind.ONE_LEVEL: "All contacts have the same decision power.",
    GapKind.ONE_COLLEAGUE: "Fewer than two colleagues were in touch in 180 days.",
    GapKind.NO_EXECUTIVE_MEETING: "No executives met in a year, of a strategic client.",
}
enum(GapKind, "CoverageGapKind", **{str(kind): words for kind, words in WORDS.items()})
Row = strawberry.Parent[lifecycle.StageChange]
Gap = strawberry.Parent[GapRow]


@from_row(lifecycle.StageChange)
class StageChange(Node):
    """Change of the stage of an account; it never changes."""

    stage_before: Annotated[Stage, "Stage until the change."]
    stage_after: Annotated[Stage, "Stage from the change on."]
    reason: Annotated[str, "Reason for the change."]
    changed_at: Annotated[datetime, "Time at which it changed."]
    changed_by: Annotated[str, "User who made it, as named in the ledger.", RESTRICTED]

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)


@from_row(GapRow)
class CoverageGap:
    """Somebody who is missing around a client."""

    kind: Annotated[GapKind, "What is missing around it."]

    @resolver(str)
    @staticmethod
    def words(row: Gap) -> str:
        """Sentence that says what is missing."""
        return WORDS[row.kind]

    @resolver(Account | None)
    @staticmethod
    async def account(row: Gap, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)


@query_fields
class LifecycleQuery:
    """Queries of the lifecycle."""

    @lists(StageChange, lifecycle.StageChange.changed_at, lifecycle.StageChange.id, descending=True)
    @staticmethod
    def stage_changes(info: Info, account_id: AccountFilter = None) -> Rows:
        """Changes of the stages of accounts, the latest first; empty for clients."""
        return visible(info, lifecycle.StageChange, account_id)

    @resolver(list[CoverageGap], work=300)
    @staticmethod
    async def coverage_gaps(info: Info, account_id: AccountFilter = None) -> Sequence[GapRow]:
        """Who is missing around clients, by name of the client; empty without access to relationships."""
        actor = info.context.actor
        row_id = None if account_id is None else ids.known(account_id, "Account")
        if not actor.may(Right.READ_RELATIONSHIP) or (account_id is not None and row_id is None):
            return []
        async with info.context.sessions() as session:
            return await lifecycle.coverage_gaps(
                session, actor, at=info.context.at, account_id=row_id
            )


@mutation_fields
class LifecycleMutation:
    """Mutations of the lifecycle."""

    @mutation(Account)
    @staticmethod
    async def move_account(
        ask: MutationContext,
        id: Annotated[AccountId, "Account that is to be moved."],
        stage: Annotated[Stage, "Stage that is to follow."],
        reason: Annotated[str, "Reason for the change."],
        expected_version: ExpectedVersion = None,
    ) -> accounts.Account:
        """Move an account to another stage; refused with what the stage needs."""
        return await lifecycle.move(
            ask.tx, id, stage=stage, reason=reason, expected_version=expected_version
        )
