"""Parameters: numbers of company policy, the values that apply and where they come from, and how they are set."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, NamedTuple

import strawberry

from domain import accounts, parameters
from domain.parameters import (
    AllowedRange as RangeRow,
)
from domain.parameters import (
    EffectiveParameter as EffectiveRow,
)
from domain.parameters import (
    ParameterDefinition as DefinitionRow,
)
from domain.parameters import (
    ParameterPlace,
    ParameterScope,
    Quantity,
)
from domain.parameters import ParameterValue as ValueRow
from schema.core import ids
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, naming, visible
from schema.core.mutations import AccountId, MutationContext, SiteId, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import RESTRICTED, from_row, resolver
from schema.parameter_enums import ParameterLevel, ParameterTier, ParameterUnit
from schema.parameter_loader import ParameterNames, ParametersAt, effective_of

Definition = strawberry.Parent[DefinitionRow]
Row = strawberry.Parent[ValueRow]
Found = strawberry.Parent[EffectiveRow]


class QuantityOfTier(NamedTuple):
    """Default of a parameter for one tier."""

    tier: ParameterTier
    quantity: Quantity | None


@from_row(Quantity)
class ParameterQuantity:
    """Value of a parameter: whole numbers and their unit."""

    numbers: Annotated[list[int], "Numbers of the value; several ascend."]
    unit: Annotated[ParameterUnit, "Unit of the numbers, such as HOURS."]


@from_row(QuantityOfTier)
class TierDefault:
    """Default of a parameter for the accounts of one tier."""

    tier: Annotated[ParameterTier, "Tier of the accounts."]

    @resolver(ParameterQuantity | None)
    @staticmethod
    def quantity(row: strawberry.Parent[QuantityOfTier]) -> Quantity | None:
        """Default for the tier; null where the software decides in another way."""
        return row.quantity


@from_row(RangeRow)
class AllowedRange:
    """Numbers that a parameter takes in one unit."""

    unit: Annotated[ParameterUnit, "Unit that the limits are in."]
    minimum: Annotated[int, "Lowest number that is allowed."]
    maximum: Annotated[int, "Highest number that is allowed."]


@from_row(DefinitionRow)
class ParameterDefinition:
    """Parameter as the software declares it, with what it takes."""

    name: Annotated[str, "Name of the parameter, such as `escalation.management_after`."]
    description: Annotated[str, "What the parameter decides, and from when a new value counts."]
    count: Annotated[int, "How many numbers the value has."]

    @resolver(ParameterQuantity | None)
    @staticmethod
    def default(row: Definition) -> Quantity | None:
        """Default of the software; null where the software decides in another way."""
        return row.default

    @resolver(list[TierDefault])
    @staticmethod
    def tier_defaults(row: Definition) -> list[QuantityOfTier]:
        """Defaults of the software for tiers that have their own."""
        return [QuantityOfTier(*each) for each in row.tier_defaults.items()]

    @resolver(list[AllowedRange])
    @staticmethod
    def allowed(row: Definition) -> Sequence[RangeRow]:
        """Units that the parameter takes, with their limits."""
        return row.allowed

    @resolver(list[ParameterLevel])
    @staticmethod
    def levels(row: Definition) -> Sequence[ParameterLevel]:
        """Levels at which the parameter can be set."""
        return row.levels

    @resolver(list[ParameterTier])
    @staticmethod
    def tiers(row: Definition) -> Sequence[ParameterTier]:
        """Tiers for which the parameter can be set."""
        return row.tiers


@from_row(ValueRow)
class ParameterValue(Node):
    """Value that somebody set for the company, a tier, an account or a site, or the end of such a value."""

    name: Annotated[str, "Name of the parameter, such as `escalation.management_after`."]
    level: Annotated[ParameterLevel, "Level for which the value was set."]
    tier: Annotated[ParameterTier | None, "Tier for which the value was set."]
    valid_from: Annotated[
        datetime, "Instant from which the value applies, until a later value of its level."
    ]
    set_at: Annotated[datetime, "Instant at which the value was set."]
    set_by: Annotated[str, "Actor who set the value, as named in the ledger.", RESTRICTED]

    @resolver(ParameterQuantity | None)
    @staticmethod
    def value(row: Row) -> Quantity | None:
        """The value; null where the level was reset, so that a more general level decides."""
        return row.quantity

    account = to_one(
        "Account",
        accounts.Account,
        "account_id",
        "Account for which the value was set; null for the company and for tiers.",
    )

    site = to_one(
        "Site", accounts.Site, "site_id", "Site for which the value was set; null for other levels."
    )


@from_row(EffectiveRow)
class EffectiveParameter:
    """Value of a parameter that applies, and where it comes from."""

    name: Annotated[str, "Name of the parameter, such as `escalation.management_after`."]

    @resolver(ParameterDefinition)
    @staticmethod
    def definition(row: Found) -> DefinitionRow:
        """Parameter as the software declares it."""
        return row.definition

    @resolver(ParameterQuantity | None)
    @staticmethod
    def value(row: Found) -> Quantity | None:
        """The value; null where the software decides in another way, which the definition says."""
        return row.quantity

    @resolver(ParameterLevel)
    @staticmethod
    def source(row: Found) -> ParameterLevel:
        """Level that the value comes from."""
        return row.level

    @resolver(datetime | None)
    @staticmethod
    def valid_from(row: Found) -> datetime | None:
        """Instant since which the value applies; null for a default."""
        return None if row.row is None else row.row.valid_from

    @resolver(ParameterValue | None)
    @staticmethod
    def setting(row: Found) -> ValueRow | None:
        """Who set the value, and when; null for a default."""
        return row.row


@query_fields
class ParameterQuery:
    """Queries of parameters."""

    @resolver(list[EffectiveParameter], work=20)
    @staticmethod
    async def parameters(
        info: Info,
        account_id: Annotated[strawberry.ID | None, "Account that the values apply to."] = None,
        site_id: Annotated[strawberry.ID | None, "Site that the values apply to."] = None,
        names: ParameterNames = None,
        at: ParametersAt = None,
    ) -> Sequence[EffectiveRow]:
        """Values that apply to a site, an account or (with neither) the company, by name of the parameter.

        Empty for an unknown site or account. Lists the parameters that your role may read.
        """
        scope = await _scope(info, account_id, site_id)
        return [] if scope is None else await effective_of(info, scope, names, at)

    @lists(ParameterValue, ValueRow.set_at, ValueRow.id, descending=True)
    @staticmethod
    def parameter_values(
        info: Info,
        account_id: AccountFilter = None,
        site_id: Annotated[strawberry.ID | None, "Only values of this site."] = None,
        parameter: Annotated[str | None, "Only values of the parameter of this name."] = None,
    ) -> Rows:
        """History: every value that was set, and every reset, newest first."""
        query = visible(info, ValueRow, account_id)
        query = naming(info, query, ValueRow.site_id, "Site", site_id)
        return query if parameter is None else query.where(ValueRow.name == parameter)


async def _scope(info: Info, account_id: str | None, site_id: str | None) -> ParameterScope | None:
    """Return what the arguments name; None for what the actor does not see, and for a site of another account."""
    tenant_id = info.context.actor.tenant_id
    if account_id is None and site_id is None:
        return ParameterScope(tenant_id)
    account = None if account_id is None else ids.known(account_id, "Account")
    site = None if site_id is None else ids.known(site_id, "Site")
    if site_id is None:
        row = await info.context.get(accounts.Account, account)
        return None if row is None else ParameterScope(tenant_id, row.id)
    place = await info.context.get(accounts.Site, site)
    if place is None or (account_id is not None and place.account_id != account):
        return None
    return ParameterScope(tenant_id, place.account_id, place.id)


ParameterName = Annotated[str, "Name of the parameter; `parameters` lists them."]
OfTier = Annotated[ParameterTier | None, "Tier to set the parameter for."]
OfAccount = Annotated[AccountId | None, "Account to set the parameter for."]
OfSite = Annotated[SiteId | None, "Site to set the parameter for."]
ValidFrom = Annotated[
    datetime | None, "Instant from which this applies, now or later; null for now."
]


@mutation_fields
class ParameterMutation:
    """Mutations of parameters."""

    @mutation(ParameterValue)
    @staticmethod
    async def set_parameter(
        ask: MutationContext,
        name: ParameterName,
        numbers: Annotated[list[int], "Numbers of the value; several ascend."],
        unit: Annotated[ParameterUnit, "Unit of the numbers, one that the parameter takes."],
        tier: OfTier = None,
        account_id: OfAccount = None,
        site_id: OfSite = None,
        valid_from: ValidFrom = None,
    ) -> ValueRow:
        """Set a parameter of a site, an account, a tier or (with none of them) the company.

        The most specific value applies: site, account, tier, company, default. Past calculations keep their values.
        """
        return await parameters.set_value(
            ask.tx,
            name,
            numbers=numbers,
            unit=unit,
            place=ParameterPlace(tier, account_id, site_id),
            valid_from=valid_from,
        )

    @mutation(ParameterValue)
    @staticmethod
    async def reset_parameter(
        ask: MutationContext,
        name: ParameterName,
        tier: OfTier = None,
        account_id: OfAccount = None,
        site_id: OfSite = None,
        valid_from: ValidFrom = None,
    ) -> ValueRow:
        """End the value of a site, an account, a tier or the company; a more general level decides from then on.

        Values planned for later remain. To cancel one, reset it from the instant at which it begins.
        """
        return await parameters.reset_value(
            ask.tx, name, place=ParameterPlace(tier, account_id, site_id), valid_from=valid_from
        )
