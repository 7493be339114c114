"""Disputes of verdicts."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import compensation, promises
from domain.compensation import DisputeState
from schema.core.ids import Node
from schema.core.mutations import GlobalIdOf, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields
from schema.core.types import enum, from_row

enum(
    DisputeState,
    "DisputeState",
    open="Open: not evaluated again yet.",
    changed="Changed: the new evaluation gave another verdict.",
    unchanged="Unchanged: the new evaluation gave the same verdict.",
)

PromiseId = Annotated[UUID, GlobalIdOf("Promise")]
DisputeId = Annotated[UUID, GlobalIdOf("Dispute")]
DisputeRow = strawberry.Parent[compensation.Dispute]


@from_row(compensation.Dispute)
class Dispute(Node):
    """Dispute of a verdict by a client; the promise is evaluated again from the ledger."""

    state: Annotated[DisputeState, "State of the dispute: open, or its result."]
    reason: Annotated[str, "Reason for which the client contests the verdict."]
    opened_at: Annotated[datetime, "Time at which the dispute was opened."]
    verdict_was: Annotated[str, "Verdict at the time of the dispute."]
    verdict_was_at: Annotated[datetime, "Time of the verdict at the time of the dispute."]
    facts_was: Annotated[int, "Number of facts about the incident at the time of the dispute."]
    verdict_now: Annotated[str | None, "Verdict after the new evaluation."]
    verdict_now_at: Annotated[datetime | None, "Time of the verdict after the new evaluation."]
    facts_now: Annotated[int | None, "Number of facts about the incident at the new evaluation."]
    outcome: Annotated[str | None, "Explanation given to the client."]
    decided_at: Annotated[
        datetime | None, "Time of the new evaluation; null while the dispute is open."
    ]

    promise = to_one(
        "Promise", promises.Promise, "promise_id", "Promise with the contested verdict."
    )


@mutation_fields
class DisputeMutation:
    """Mutations of disputes."""

    @mutation(Dispute)
    @staticmethod
    async def contest_verdict(
        ask: MutationContext,
        promise_id: Annotated[PromiseId, "Promise with the verdict to be contested."],
        reason: Annotated[str, "Reason for contesting the verdict."],
    ) -> compensation.Dispute:
        """Contest a verdict. The promise will be evaluated again from the ledger."""
        return await compensation.contest(ask.tx, promise_id, reason=reason)

    @mutation(Dispute)
    @staticmethod
    async def decide_dispute(
        ask: MutationContext,
        id: Annotated[DisputeId, "Dispute to be decided."],
        outcome: Annotated[str, "Explanation for the client."],
    ) -> compensation.Dispute:
        """Evaluate a contested promise again from all facts recorded by now. Only facts can change the verdict."""
        return await compensation.decide_dispute(ask.tx, id, outcome=outcome)
