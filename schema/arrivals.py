"""Verbs about arrivals that came in late."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import incidents, positions
from schema.core.mutations import ExpectedVersion, IncidentId, MutationContext, mutation
from schema.incidents import Incident

ArrivedAt = Annotated[datetime, "Which: its `arrivedAt`."]
Reason = Annotated[str, "Why, in your words; client and company read it."]


@strawberry.type
class LateArrivalMutation:
    """A person decides about what a device handed in after the verdict."""

    @mutation(Incident)
    @staticmethod
    async def accept_late_arrival(
        ask: MutationContext,
        id: Annotated[IncidentId, "The incident."],
        arrived_at: ArrivedAt,
        reason: Reason,
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Confirm that the guard was on site then: the promises are judged anew. Not by the guard."""
        return await positions.decide_late_arrival(
            ask.session,
            ask.actor,
            id,
            arrived_at,
            accept=True,
            reason=reason,
            at=ask.at,
            expected_version=expected_version,
        )

    @mutation(Incident)
    @staticmethod
    async def decline_late_arrival(
        ask: MutationContext,
        id: Annotated[IncidentId, "The incident."],
        arrived_at: ArrivedAt,
        reason: Reason,
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Say that it does not count: the verdict stands."""
        return await positions.decide_late_arrival(
            ask.session,
            ask.actor,
            id,
            arrived_at,
            accept=False,
            reason=reason,
            at=ask.at,
            expected_version=expected_version,
        )
