"""Quantities of services: planned for a month, delivered on a day, and billed."""

from datetime import date
from typing import Annotated

import strawberry

from domain import agreements, invoices
from domain.agreements import Unit
from schema.core.ids import Node
from schema.core.mutations import AgreementId, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields
from schema.core.scalars import Long
from schema.core.types import from_row

PlannedRow = strawberry.Parent[invoices.PlannedLine]
DeliveredRow = strawberry.Parent[invoices.DeliveredLine]
Milli = Annotated[Long, "Quantity in thousandths of the rate's unit."]
RateCode = Annotated[str, "Code of a rate of the agreement."]


@from_row(invoices.PlannedLine)
class PlannedLine(Node):
    """Quantity of a rate that is planned for a month."""

    month_on: Annotated[date, "First day of the month."]
    rate_code: RateCode
    quantity_milli: Milli
    version: Annotated[int, "Version of the row, raised by every change."]

    agreement = to_one(
        "Agreement", agreements.Agreement, "agreement_id", "Agreement with the rate."
    )


@from_row(invoices.DeliveredLine)
class DeliveredLine(Node):
    """Quantity of a rate that was delivered on a day; negative for a correction."""

    rate_code: RateCode
    delivered_on: Annotated[date, "Day on which the service was delivered."]
    quantity_milli: Milli
    reference: Annotated[str, "Reference of the shift, round or call."]

    agreement = to_one(
        "Agreement", agreements.Agreement, "agreement_id", "Agreement with the rate."
    )


@from_row(invoices.BillingLine)
class BillingLine:
    """Quantities of one rate in one month: planned, delivered and billed."""

    rate_code: RateCode
    name: Annotated[str, "Name of the service on invoices."]
    unit: Annotated[Unit, "Unit to which the price applies."]
    planned_milli: Annotated[Long, "Planned quantity, in thousandths of the unit."]
    delivered_milli: Annotated[Long, "Delivered quantity, in thousandths of the unit."]
    billed_milli: Annotated[Long, "Quantity on invoices, in thousandths of the unit."]
    billed_cents: Annotated[Long, "Amount on invoices in cents, without VAT."]


@mutation_fields
class ServiceLineMutation:
    """Mutations of planned and delivered quantities."""

    @mutation(PlannedLine)
    @staticmethod
    async def plan_service(
        ask: MutationContext,
        agreement_id: Annotated[AgreementId, "Agreement with the rate."],
        month_on: Annotated[date, "Any day of the month to plan."],
        rate_code: RateCode,
        quantity_milli: Milli,
    ) -> invoices.PlannedLine:
        """Plan the quantity of a rate for a month; a second plan for the month replaces the first."""
        return await invoices.plan(
            ask.tx,
            agreement_id,
            month_on=month_on,
            rate_code=rate_code,
            quantity_milli=quantity_milli,
        )

    @mutation(DeliveredLine)
    @staticmethod
    async def deliver_service(
        ask: MutationContext,
        agreement_id: Annotated[AgreementId, "Agreement with the rate."],
        rate_code: RateCode,
        delivered_on: Annotated[date, "Day on which the service was delivered."],
        quantity_milli: Annotated[
            Long, "Quantity in thousandths of the rate's unit; negative to correct."
        ],
        reference: Annotated[str, "Reference of the shift, round or call; each is recorded once."],
    ) -> invoices.DeliveredLine:
        """Record a delivery on a day. It is billed with its month, or with the next invoice."""
        return await invoices.deliver(
            ask.tx,
            agreement_id,
            rate_code=rate_code,
            delivered_on=delivered_on,
            quantity_milli=quantity_milli,
            reference=reference,
        )
