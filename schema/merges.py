"""Mutations that merge sites and contacts."""

from typing import Annotated

from domain import accounts, merges
from schema.contacts import Contact
from schema.core.mutations import ContactId, ExpectedVersion, MutationContext, SiteId, mutation
from schema.core.roots import mutation_fields
from schema.sites import Site

Reason = Annotated[str, "Reason for the merge."]


@mutation_fields
class MergeMutation:
    """Mutations that merge rows which mean the same."""

    @mutation(Site)
    @staticmethod
    async def merge_sites(
        ask: MutationContext,
        id: Annotated[SiteId, "Site that goes; its id leads to the other one from then on."],
        into_id: Annotated[SiteId, "Site that stays, of the same account."],
        reason: Reason,
        expected_version: ExpectedVersion = None,
    ) -> accounts.Site:
        """Merge a site into another one. Refused while an agreement names it, or both have a post of one name."""
        return await merges.merge_sites(
            ask.tx, id, into_id=into_id, reason=reason, expected_version=expected_version
        )

    @mutation(Contact)
    @staticmethod
    async def merge_contacts(
        ask: MutationContext,
        id: Annotated[ContactId, "Contact that goes; its id leads to the other one from then on."],
        into_id: Annotated[ContactId, "Contact that stays, of the same account."],
        reason: Reason,
        expected_version: ExpectedVersion = None,
    ) -> accounts.Contact:
        """Merge a contact into another one, which takes over the address and the like where it has none."""
        return await merges.merge_contacts(
            ask.tx, id, into_id=into_id, reason=reason, expected_version=expected_version
        )
