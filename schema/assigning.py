"""Say who handles a ticket."""

from typing import Annotated

import strawberry

from domain import incidents
from schema.core.mutations import ExpectedVersion, IncidentId, MutationContext, UserId, mutation
from schema.incidents import Incident


@strawberry.type
class AssignmentMutation:
    """Verbs about who handles a ticket."""

    @mutation(Incident)
    @staticmethod
    async def assign_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "The ticket."],
        user_id: Annotated[
            UserId | None, "One of the company's people who reaches the client; null for nobody."
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Say who handles an open ticket from now on; from one person to another it changes hands."""
        return await incidents.assign(
            ask.session, ask.actor, id, user_id=user_id, at=ask.at,
            expected_version=expected_version,
        )  # fmt: skip
