"""Payouts to clients for closing credit notes."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from domain import invoices
from schema.core.ids import Node
from schema.core.mutations import GlobalIdOf, MutationContext, mutation
from schema.core.roots import mutation_fields
from schema.core.scalars import Long
from schema.core.types import from_row

CreditNoteId = Annotated[UUID, GlobalIdOf("CreditNote")]
PayoutId = Annotated[UUID, GlobalIdOf("Payout")]


@from_row(invoices.Payout)
class Payout(Node):
    """Payout to a client for a closing credit note, or the reversal of such a booking."""

    amount_cents: Annotated[Long, "Amount in cents; negative for a reversal."]
    paid_on: Annotated[date, "Day on which the amount was paid out."]
    reference: Annotated[str, "Reference of the bank transaction."]
    reversed_at: Annotated[
        datetime | None, "Time at which the booking was reversed; null while it is valid."
    ]


@mutation_fields
class PayoutMutation:
    """Mutations of payouts."""

    @mutation(Payout)
    @staticmethod
    async def book_payout(
        ask: MutationContext,
        credit_note_id: Annotated[CreditNoteId, "Closing credit note that was paid out."],
        amount_cents: Annotated[Long, "Amount in cents, at most the note's `openCents`."],
        paid_on: Annotated[date, "Day on which the amount was paid out."],
        reference: Annotated[str, "Reference of the bank transaction; each is booked once."],
    ) -> invoices.Payout:
        """Book a payout to a client for a closing credit note, at most its open amount. The client is notified."""
        return await invoices.pay_out(
            ask.tx, credit_note_id, amount_cents=amount_cents, paid_on=paid_on, reference=reference
        )

    @mutation(Payout)
    @staticmethod
    async def reverse_payout(
        ask: MutationContext,
        id: Annotated[PayoutId, "Payout that was booked wrongly."],
        reason: Annotated[str, "Reason for the reversal; it stays in the ledger."],
    ) -> invoices.Payout:
        """Reverse a payout by a counter-entry; the open amount of its credit note is as before the payout."""
        return await invoices.reverse_payout(ask.tx, id, reason=reason)
