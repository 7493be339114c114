"""Payouts: what is paid to clients for closing credit notes."""

from datetime import date, datetime
from typing import Annotated

import strawberry

from domain import invoices
from schema.core.ids import Node
from schema.core.mutations import CreditNoteId, MutationContext, PayoutId, mutation
from schema.core.scalars import Long
from schema.core.types import from_row


@from_row(invoices.Payout)
class Payout(Node):
    """Money that was paid to a client for a closing credit note, or the reversal of such a booking."""

    amount_cents: Annotated[Long, "In cents; negative for a reversal."]
    paid_on: Annotated[date, "The day."]
    reference: Annotated[str, "Of the bank."]
    reversed_at: Annotated[datetime | None, "When this booking was taken back, if it was."]


@strawberry.type
class PayoutMutation:
    """Verbs about payouts."""

    @mutation(Payout)
    @staticmethod
    async def book_payout(
        ask: MutationContext,
        credit_note_id: Annotated[CreditNoteId, "The closing credit note."],
        amount_cents: Annotated[Long, "In cents, at most its `openCents`."],
        paid_on: Annotated[date, "The day."],
        reference: Annotated[str, "Of the bank: booked once."],
    ) -> invoices.Payout:
        """Book money that was paid to a client for a closing credit note, at most what is open; the client is told."""
        return await invoices.pay_out(
            ask.session, ask.actor, credit_note_id, amount_cents=amount_cents, paid_on=paid_on,
            reference=reference, at=ask.at,
        )  # fmt: skip

    @mutation(Payout)
    @staticmethod
    async def reverse_payout(
        ask: MutationContext,
        id: Annotated[PayoutId, "The payout that was booked wrongly."],
        reason: Annotated[str, "Why; it stays in the ledger."],
    ) -> invoices.Payout:
        """Take a payout back by a counter-entry; what is open of its credit note is as before it."""
        return await invoices.reverse_payout(ask.session, ask.actor, id, reason=reason, at=ask.at)
