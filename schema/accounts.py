"""Accounts of clients."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts, agreements, incidents
from domain.parameters import ParameterScope
from domain.retention import ChurnHorizon
from schema.account_enums import CadenceTier, Complexity, ContractType, Segment, ServiceTier, Stage
from schema.churn import ChurnResult
from schema.churn_loader import ChurnKey, churn_of
from schema.contacts import Contact
from schema.core.argument_groups import ArgumentGroup
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.mutations import AccountId, ExpectedVersion, MutationContext, mutation
from schema.core.roots import mutation_fields
from schema.core.scalars import Long
from schema.core.types import RESTRICTED, from_row, relations, resolver
from schema.parameter_loader import ParameterNames, ParametersAt, effective_of
from schema.retention import RelationshipScores, scores_of
from schema.sites import Few, Site

AccountRow = strawberry.Parent[accounts.Account]


@from_row(accounts.Account)
class Account(Node):
    """Account: a client of the security company."""

    name: Annotated[str, "Name of the client, as shown to people."]
    kvk_number: Annotated[str | None, "Number in the Dutch trade register (KvK), eight digits."]
    segment: Annotated[Segment, "Size class of the client."]
    vertical: Annotated[str | None, "Industry sector of the client."]
    regions: Annotated[list[str], "Regions in which the client operates."]
    yearly_revenue_cents: Annotated[
        Long | None, "Yearly revenue of the client, in cents.", RESTRICTED
    ]
    employees: Annotated[int | None, "Number of employees of the client."]
    yearly_transactions: Annotated[
        Long | None, "Number of transactions of the client per year.", RESTRICTED
    ]
    complexity: Annotated[Complexity, "Complexity of the service for this client."]
    contract_type: Annotated[ContractType, "Way in which the client buys services."]
    growth_potential: Annotated[int, "Potential for growth, from 1 (low) to 5 (high).", RESTRICTED]
    strategic_importance: Annotated[
        int, "Strategic importance, from 1 (low) to 5 (high).", RESTRICTED
    ]
    stage: Annotated[Stage, "Stage of the relationship with the client.", RESTRICTED]
    cadence_tier: Annotated[
        CadenceTier, "Tier that decides how often contact is planned.", RESTRICTED
    ]
    service_tier: Annotated[ServiceTier, "Tier of support to which the client is entitled."]
    time_zone: Annotated[str, "IANA time zone of the client's days and months."]
    language: Annotated[str, "Language of messages to the client, `nl` or `en`."]
    currency: Annotated[str, "Currency of the client's money, as an ISO 4217 code."]
    client_since_on: Annotated[date | None, "First day as a client of the company."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(ChurnResult | None, work=300)
    @staticmethod
    async def churn_estimate(
        row: AccountRow,
        info: Info,
        horizon: Annotated[ChurnHorizon | None, "Time until which it may leave; 180 days."] = None,
    ) -> Any:
        """Estimate of leaving, or why there is none; null without an agreement in force or access to this field."""
        key = ChurnKey(row.id, horizon or ChurnHorizon.DAYS_180, info.context.at)
        return await info.context.load(churn_of, key)

    @resolver(RelationshipScores | None, work=300)
    @staticmethod
    async def relationship_scores(row: AccountRow, info: Info) -> Any:
        """Loyalty, expansion and advocacy. Null for readers without access to this field."""
        return await scores_of(info, row)

    @relations("EffectiveParameter")
    @staticmethod
    async def parameters(
        row: AccountRow,
        info: Info,
        names: ParameterNames = None,
        at: ParametersAt = None,
    ) -> Any:
        """Parameters that apply to the account, with where each value comes from; those that your role may read."""
        return await effective_of(info, ParameterScope(row.tenant_id, row.id), names, at)

    @resolver(list[Site])
    @staticmethod
    async def sites(row: AccountRow, info: Info, first: Few = 20) -> list[accounts.Site]:
        """Sites guarded for the client, by name; use the root field `sites` for pages."""
        return await info.context.children(
            accounts.Site.account_id,
            row.id,
            order=(accounts.Site.name, accounts.Site.id),
            first=first,
        )

    @resolver(list[Contact])
    @staticmethod
    async def contacts(row: AccountRow, info: Info, first: Few = 20) -> list[accounts.Contact]:
        """Contact persons of the client, by name."""
        return await info.context.children(
            accounts.Contact.account_id,
            row.id,
            order=(accounts.Contact.name, accounts.Contact.id),
            first=first,
        )

    @relations("Agreement")
    @staticmethod
    async def agreements(row: AccountRow, info: Info, first: Few = 10) -> list[Any]:
        """Agreements signed with the client, newest first."""
        return await info.context.children(
            agreements.Agreement.account_id,
            row.id,
            order=(agreements.Agreement.id,),
            descending=True,
            first=first,
        )

    @relations("Incident")
    @staticmethod
    async def incidents(row: AccountRow, info: Info, first: Few = 10) -> list[Any]:
        """Newest incidents of the client; use the root field `incidents` for pages and filters."""
        return await info.context.children(
            incidents.Incident.account_id,
            row.id,
            order=(incidents.Incident.opened_at, incidents.Incident.id),
            descending=True,
            first=first,
        )


@dataclass(frozen=True, kw_only=True)
class AccountChanges(ArgumentGroup):
    """Details of an account that may change; what is left out stays as it is."""

    name: Annotated[str | None, "New name of the client; unique in the company."] = UNSET
    kvk_number: Annotated[
        str | None, "New number in the Dutch trade register (KvK), or null for none."
    ] = UNSET
    segment: Annotated[Segment | None, "New size class of the client."] = UNSET
    vertical: Annotated[str | None, "Industry sector of the client, or null."] = UNSET
    regions: Annotated[list[str] | None, "Regions in which the client operates."] = UNSET
    employees: Annotated[int | None, "Number of employees of the client, or null."] = UNSET
    yearly_revenue_cents: Annotated[
        Long | None, "Yearly revenue of the client in cents, or null."
    ] = UNSET
    yearly_transactions: Annotated[
        Long | None, "Number of transactions of the client per year, or null."
    ] = UNSET
    complexity: Annotated[Complexity | None, "Complexity of the service for this client."] = UNSET
    contract_type: Annotated[ContractType | None, "Way in which the client buys services."] = UNSET
    growth_potential: Annotated[int | None, "Potential for growth, from 1 (low) to 5 (high)."] = (
        UNSET
    )
    strategic_importance: Annotated[
        int | None, "Strategic importance, from 1 (low) to 5 (high)."
    ] = UNSET
    cadence_tier: Annotated[
        CadenceTier | None, "Tier that decides how often contact is planned."
    ] = UNSET
    service_tier: Annotated[ServiceTier | None, "Tier of support that the client receives."] = UNSET
    language: Annotated[str | None, "Language of messages to the client, `nl` or `en`."] = UNSET
    client_since_on: Annotated[date | None, "First day as a client, or null when unknown."] = UNSET


@mutation_fields
class AccountMutation:
    """Mutations of accounts."""

    @mutation(Account)
    @staticmethod
    async def create_account(
        ask: MutationContext,
        name: Annotated[str, "Name of the client; unique in the company."],
        kvk_number: Annotated[
            str | None, "Number in the Dutch trade register (KvK), eight digits."
        ] = None,
        segment: Annotated[Segment, "Size class of the client."] = Segment.MID_MARKET,
        vertical: Annotated[str | None, "Industry sector of the client."] = None,
        employees: Annotated[int | None, "Number of employees of the client."] = None,
        yearly_revenue_cents: Annotated[
            Long | None, "Yearly revenue of the client, in cents."
        ] = None,
        service_tier: Annotated[
            ServiceTier, "Tier of support agreed with the client."
        ] = ServiceTier.BASIC,
        time_zone: Annotated[
            str, "IANA time zone of the client's days and months."
        ] = "Europe/Amsterdam",
        language: Annotated[str, "Language of messages to the client, `nl` or `en`."] = "nl",
        client_since_on: Annotated[date | None, "First day as a client of the company."] = None,
    ) -> accounts.Account:
        """Create an account for a client."""
        return await accounts.create_account(
            ask.tx,
            name=name,
            kvk_number=kvk_number,
            segment=segment,
            vertical=vertical,
            employees=employees,
            yearly_revenue_cents=yearly_revenue_cents,
            service_tier=service_tier,
            time_zone=time_zone,
            language=language,
            client_since_on=client_since_on,
        )

    @mutation(Account)
    @staticmethod
    async def change_account(
        ask: MutationContext,
        id: Annotated[AccountId, "Account to be changed."],
        changes: AccountChanges,
        expected_version: ExpectedVersion = None,
    ) -> accounts.Account:
        """Change the details of an account. Arguments that are omitted stay as they are."""
        return await accounts.change_account(
            ask.tx, id, expected_version=expected_version, **changes.given()
        )
