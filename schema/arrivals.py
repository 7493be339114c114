"""Mutations of arrivals that were reported late."""

from datetime import datetime
from typing import Annotated

from domain import incidents, positions
from schema.core.mutations import ExpectedVersion, IncidentId, MutationContext, mutation
from schema.core.roots import mutation_fields
from schema.incidents import Incident

ArrivedAt = Annotated[datetime, "Late arrival that is meant, by its `arrivedAt`."]
Reason = Annotated[str, "Reason for the decision; client and company can read it."]


@mutation_fields
class LateArrivalMutation:
    """Mutations with which a person decides about a late arrival."""

    @mutation(Incident)
    @staticmethod
    async def accept_late_arrival(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident with the late arrival."],
        arrived_at: ArrivedAt,
        reason: Reason,
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Confirm that the guard was on site at that time, and evaluate the promises again.

        The guard cannot confirm it.
        """
        return await positions.decide_late_arrival(
            ask.tx, id, arrived_at, accept=True, reason=reason, expected_version=expected_version
        )

    @mutation(Incident)
    @staticmethod
    async def decline_late_arrival(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident with the late arrival."],
        arrived_at: ArrivedAt,
        reason: Reason,
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Decline a late arrival: it does not count, and the verdict does not change."""
        return await positions.decide_late_arrival(
            ask.tx, id, arrived_at, accept=False, reason=reason, expected_version=expected_version
        )
