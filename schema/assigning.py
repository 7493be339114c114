"""Say who handles a ticket."""

from typing import Annotated

import strawberry

from domain import incidents
from schema.incidents import Incident
from schema.verbs import Ask, ExpectedVersion, IncidentId, UserId, verb


@strawberry.type
class AssignmentMutation:
    """Verbs about who handles a ticket."""

    @verb(Incident)
    @staticmethod
    async def assign_incident(
        ask: Ask,
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
