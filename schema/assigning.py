"""Assignment of incidents to users."""

from typing import Annotated

from domain import incidents
from schema.core.mutations import ExpectedVersion, IncidentId, MutationContext, UserId, mutation
from schema.core.roots import mutation_fields
from schema.incidents import Incident


@mutation_fields
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
            ask.tx, id, user_id=user_id, expected_version=expected_version
        )
