"""Rates: prices of services under an agreement."""

from datetime import date
from typing import Annotated

import strawberry

from domain import agreements
from domain.agreements import Unit
from schema.core.ids import Node
from schema.core.mutations import AgreementId, MutationContext, mutation
from schema.core.roots import mutation_fields
from schema.core.scalars import Long
from schema.core.types import Deprecated, enum, from_row, resolver

enum(
    Unit,
    "Unit",
    piece="Per piece, visit or call.",
    hour="Per hour of the service.",
    day="Per day of the service.",
    month="Per month of the service.",
    kilometre="Per kilometre driven for the service.",
)

RateRow = strawberry.Parent[agreements.Rate]


@from_row(agreements.Rate)
class Rate(Node):
    """Price of one unit of a service, for a range of days."""

    code: Annotated[
        str,
        "Code of the rate within the agreement.",
        Deprecated("Ask rateCode: `code` cannot be selected beside the one of a Refusal."),
    ]
    name: Annotated[str, "Name of the service on invoices."]
    unit: Annotated[Unit, "Unit to which the price applies."]
    price_cents: Annotated[Long, "Price of one unit in cents, without VAT."]
    currency: Annotated[str, "Currency of the price, as an ISO 4217 code."]

    @resolver(str)
    @staticmethod
    def rate_code(row: RateRow) -> str:
        """Code of the rate within the agreement."""
        return row.code

    @resolver(date | None)
    @staticmethod
    def from_on(row: RateRow) -> date | None:
        """First day on which the price applies."""
        return row.in_force.lower

    @resolver(date | None)
    @staticmethod
    def until_on(row: RateRow) -> date | None:
        """Day from which the price no longer applies; null for the last price."""
        return row.in_force.upper


@mutation_fields
class RateMutation:
    """Mutations of rates."""

    @mutation(Rate)
    @staticmethod
    async def set_rate(
        ask: MutationContext,
        agreement_id: Annotated[AgreementId, "Agreement that the rate belongs to."],
        code: Annotated[str, "Code of the rate within the agreement."],
        name: Annotated[str, "Name of the service on invoices."],
        unit: Annotated[Unit, "Unit to which the price applies."],
        price_cents: Annotated[Long, "Price of one unit in cents, without VAT."],
        from_on: Annotated[
            date,
            "First day on which the price applies; not before today when the rate has a price.",
        ],
        currency: Annotated[
            str | None,
            "Currency as an ISO 4217 code; null: that of the terms in force on that day.",
        ] = None,
    ) -> agreements.Rate:
        """Set the price of one unit of a service from a day on."""
        return await agreements.set_rate(
            ask.tx,
            agreement_id,
            code=code,
            name=name,
            unit=unit,
            price_cents=price_cents,
            from_on=from_on,
            currency=currency,
        )
