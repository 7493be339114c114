"""Security company that uses this system."""

from typing import Annotated

from strawberry.types.unset import UNSET

from domain import accounts
from schema.core.ids import Node
from schema.core.mutations import MutationContext, mutation
from schema.core.roots import mutation_fields
from schema.core.types import from_row


@from_row(accounts.Tenant)
class Tenant(Node):
    """Security company that uses this system."""

    name: Annotated[str, "Name of the security company."]
    kvk_number: Annotated[str | None, "Number in the Dutch trade register (KvK), eight digits."]
    permit_number: Annotated[str | None, "Permit number of the company (ND-nummer)."]
    time_zone: Annotated[str, "IANA time zone of the company's days."]
    currency: Annotated[str, "Default currency of the company, as an ISO 4217 code."]


@mutation_fields
class CompanyMutation:
    """Mutations of the company."""

    @mutation(Tenant)
    @staticmethod
    async def change_company(
        ask: MutationContext,
        name: Annotated[
            str | None, "New name of the company; unique in this installation."
        ] = UNSET,
        kvk_number: Annotated[
            str | None, "Number in the Dutch trade register (KvK), or null."
        ] = UNSET,
        permit_number: Annotated[
            str | None, "Permit number of the company (ND-nummer), or null."
        ] = UNSET,
        time_zone: Annotated[
            str | None, "IANA time zone for everything planned from now on."
        ] = UNSET,
    ) -> accounts.Tenant:
        """Change the settings of your company. Arguments that are omitted stay as they are."""
        given = {
            "name": name,
            "kvk_number": kvk_number,
            "permit_number": permit_number,
            "time_zone": time_zone,
        }
        changes = {field: value for field, value in given.items() if value is not UNSET}
        return await accounts.change_company(ask.tx, **changes)
