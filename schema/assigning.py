"""Assignment of incidents to users."""

from typing import Annotated

import strawberry

from domain import incidents
from schema.core.mutations import ExpectedVersion, IncidentId, MutationContext, UserId, mutation
from schema.incidents import Incident


@strawberry.type
class AssignmentMutation:
    """Mutations of the assignment of incidents."""

    @mutation(Incident)
    @staticmethod
    async def assign_incident(
        ask: MutationContext,
        id: Annotated[IncidentId, "Incident to be assigned."],
        user_id: Annotated[
            UserId | None,
            "User of the company with access to the account; null to assign it to nobody.",
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> incidents.Incident:
        """Assign an open incident to a user. A change from one user to another counts as a reassignment."""
        return await incidents.assign(
            ask.session,
            ask.actor,
            id,
            user_id=user_id,
            at=ask.at,
            expected_version=expected_version,
        )
