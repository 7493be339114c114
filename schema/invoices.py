"""Invoices: who bills whom, rates, what was planned and delivered, invoices, credit notes and payments."""

from datetime import date, datetime
from typing import Annotated, Any

import strawberry
from strawberry.types.unset import UNSET

from domain import accounts, agreements, invoices
from domain.agreements import Unit
from domain.invoices import Party, VatCategory
from schema.accounts import Account
from schema.agreements import Rate
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lazy_types import ItsAgreement
from schema.core.mutations import (
    AccountId,
    AgreementId,
    ExpectedVersion,
    InvoiceId,
    MutationContext,
    PaymentId,
    mutation,
)
from schema.core.scalars import Long
from schema.core.types import from_row, input_type, resolver
from schema.payouts import Payout

PartyRow = strawberry.Parent[invoices.BillingParty]
PlannedRow = strawberry.Parent[invoices.PlannedLine]
DeliveredRow = strawberry.Parent[invoices.DeliveredLine]
Row = strawberry.Parent[invoices.Invoice]
NoteRow = strawberry.Parent[invoices.CreditNote]
PaymentRow = strawberry.Parent[invoices.Payment]
Milli = Annotated[Long, "Thousandths of the rate's unit."]
RateCode = Annotated[str, "Which rate of the agreement."]


@from_row(invoices.BillingParty)
class BillingParty(Node):
    """The legal person behind the company, or behind a client: who stands on documents from now on."""

    legal_name: Annotated[str, "As registered."]
    kvk_number: Annotated[str | None, "Number in the Dutch trade register."]
    vat_number: Annotated[str | None, "VAT number with its country."]
    street: Annotated[str, "Street and number."]
    postcode: Annotated[str, "Postcode."]
    city: Annotated[str, "City."]
    country: Annotated[str, "ISO 3166 code."]
    iban: Annotated[str | None, "Account at a bank."]
    bic: Annotated[str | None, "The bank."]
    bill_from_on: Annotated[date | None, "The first month billed here; null for the company."]
    version: Annotated[int, "Raised by every change."]

    @resolver(Account | None)
    @staticmethod
    async def account(row: PartyRow, info: Info) -> accounts.Account | None:
        """The client; null for the company itself."""
        if row.account_id is None:
            return None
        return await info.context.loaders.account.load(row.account_id)


@from_row(invoices.PlannedLine)
class PlannedLine(Node):
    """How much of a rate is planned for a month."""

    month_on: Annotated[date, "First day of the month."]
    rate_code: RateCode
    quantity_milli: Milli
    version: Annotated[int, "Raised by every change."]

    @resolver(ItsAgreement | None)
    @staticmethod
    async def agreement(row: PlannedRow, info: Info) -> Any:
        """The agreement."""
        return await info.context.loaders.agreement.load(row.agreement_id)


@from_row(invoices.DeliveredLine)
class DeliveredLine(Node):
    """How much of a rate was delivered on a day; negative for a correction."""

    rate_code: RateCode
    delivered_on: Annotated[date, "The day."]
    quantity_milli: Milli
    reference: Annotated[str, "Of the shift, round or call."]

    @resolver(ItsAgreement | None)
    @staticmethod
    async def agreement(row: DeliveredRow, info: Info) -> Any:
        """The agreement."""
        return await info.context.loaders.agreement.load(row.agreement_id)


@from_row(invoices.InvoiceLine)
class InvoiceLine:
    """One line: a rate that was delivered, or the fee of the terms."""

    position: Annotated[int, "1, 2, 3 …"]
    name: Annotated[str, "What it is for."]
    quantity_milli: Annotated[Long, "Thousandths of the unit."]
    unit: Annotated[Unit, "What the price is for."]
    price_cents: Annotated[Long, "Of one unit, in cents, without VAT."]
    net_cents: Annotated[Long, "In cents, without VAT."]
    vat_category: Annotated[VatCategory, "How it is taxed."]
    vat_rate_bps: Annotated[int, "Hundredths of a percent."]


@from_row(invoices.CreditNoteLine)
class CreditNoteLine:
    """One movement of one credit; one that was taken back has a negative quantity."""

    position: Annotated[int, "1, 2, 3 …"]
    name: Annotated[str, "What it is for."]
    quantity_milli: Annotated[Long, "1000, or -1000 for what is taken back."]
    price_cents: Annotated[Long, "In cents, without VAT."]
    net_cents: Annotated[Long, "In favour of the client positive, in cents, without VAT."]
    vat_category: Annotated[VatCategory, "How it is taxed."]
    vat_rate_bps: Annotated[int, "Hundredths of a percent."]


@from_row(invoices.CreditNote)
class CreditNote(Node):
    """Credits as they were set off against an invoice, or what was left of them when no invoice follows."""

    number: Annotated[str, "Without gaps per company and year."]
    issued_on: Annotated[date, "The day of the document."]
    period_from_on: Annotated[date, "First day of the month."]
    period_until_on: Annotated[date, "Last day of the month."]
    currency: Annotated[str, "ISO 4217 code."]
    net_cents: Annotated[Long, "In cents, without VAT."]
    vat_cents: Annotated[Long, "VAT, in cents."]
    gross_cents: Annotated[Long, "In cents, with VAT."]

    @resolver(bool)
    @staticmethod
    def closing(row: NoteRow) -> bool:
        """Whether no invoice follows to settle it with: the agreement ended, or its currency changed."""
        return row.closing

    @resolver(list[CreditNoteLine])
    @staticmethod
    async def lines(row: NoteRow, info: Info) -> list[invoices.CreditNoteLine]:
        """Its lines."""
        return await info.context.loaders.lines_of_note.load(row.id)

    @resolver(list[Payout])
    @staticmethod
    async def payouts(row: NoteRow, info: Info) -> list[invoices.Payout]:
        """What was paid to the client for it, when it is a closing note."""
        return await info.context.loaders.payouts_of_note.load(row.id)

    @resolver(Long)
    @staticmethod
    async def open_cents(row: NoteRow, info: Info) -> int:
        """What of a closing note is still to be paid out, in cents; 0 for a note that an invoice settles."""
        if not row.closing:
            return 0
        paid = await info.context.loaders.payouts_of_note.load(row.id)
        still: int = row.gross_cents - sum(each.amount_cents for each in paid)
        return still

    @resolver(str)
    @staticmethod
    def pdf_path(row: NoteRow) -> str:
        """Where on this server its PDF is, with the e-invoice inside; takes the API's `Authorization`."""
        return f"/credit-notes/{row.id}.pdf"

    @resolver(str)
    @staticmethod
    def xml_path(row: NoteRow) -> str:
        """Where on this server it is as an e-invoice (UBL 2.1, NLCIUS); takes the API's `Authorization`."""
        return f"/credit-notes/{row.id}.xml"


@from_row(invoices.Payment)
class Payment(Node):
    """Money that came in for an invoice, or the reversal of such a booking."""

    amount_cents: Annotated[Long, "In cents; negative for a reversal."]
    paid_on: Annotated[date, "The day."]
    reference: Annotated[str, "Of the bank."]
    reversed_at: Annotated[datetime | None, "When this booking was taken back, if it was."]


@from_row(invoices.Invoice)
class Invoice(Node):
    """What a client pays for one month of one agreement."""

    number: Annotated[str, "Without gaps per company and year."]
    issued_on: Annotated[date, "The day of the document."]
    due_on: Annotated[date, "To be paid by then."]
    period_from_on: Annotated[date, "First day of the month."]
    period_until_on: Annotated[date, "Last day of the month."]
    currency: Annotated[str, "ISO 4217 code."]
    net_cents: Annotated[Long, "In cents, without VAT."]
    vat_cents: Annotated[Long, "VAT, in cents."]
    gross_cents: Annotated[Long, "In cents, with VAT."]

    @resolver(list[InvoiceLine])
    @staticmethod
    async def lines(row: Row, info: Info) -> list[invoices.InvoiceLine]:
        """Its lines; each follows from the terms."""
        return await info.context.loaders.lines_of_invoice.load(row.id)

    @resolver(CreditNote | None)
    @staticmethod
    async def credit_note(row: Row, info: Info) -> invoices.CreditNote | None:
        """The credits that were set off against it."""
        return await info.context.loaders.note_of_invoice.load(row.id)

    @resolver(list[Payment])
    @staticmethod
    async def payments(row: Row, info: Info) -> list[invoices.Payment]:
        """What came in for it."""
        return await info.context.loaders.payments_of_invoice.load(row.id)

    @resolver(Long)
    @staticmethod
    async def open_cents(row: Row, info: Info) -> int:
        """What of it is neither credited nor paid, in cents."""
        note = await info.context.loaders.note_of_invoice.load(row.id)
        paid = await info.context.loaders.payments_of_invoice.load(row.id)
        credited = 0 if note is None else note.gross_cents
        still: int = row.gross_cents - credited - sum(each.amount_cents for each in paid)
        return still

    @resolver(ItsAgreement | None)
    @staticmethod
    async def agreement(row: Row, info: Info) -> Any:
        """The agreement it follows from."""
        return await info.context.loaders.agreement.load(row.agreement_id)


@from_row(invoices.BillingLine)
class BillingLine:
    """One rate of one month from plan to bill."""

    rate_code: RateCode
    name: Annotated[str, "What it is called."]
    unit: Annotated[Unit, "What the price is for."]
    planned_milli: Annotated[Long, "Planned, in thousandths of the unit."]
    delivered_milli: Annotated[Long, "Delivered."]
    billed_milli: Annotated[Long, "What of the delivered is on invoices."]
    billed_cents: Annotated[Long, "The same in cents, without VAT."]


@input_type
class PartyInput:
    """The legal details of a company or a client."""

    legal_name: Annotated[str, "As registered."]
    street: Annotated[str, "Street and number."]
    postcode: Annotated[str, "Postcode."]
    city: Annotated[str, "City."]
    country: Annotated[str | None, "ISO 3166 code; left out or null: as it is, NL at first."] = (
        UNSET
    )
    kvk_number: Annotated[str | None, "Eight digits; left out: as it is; null: none."] = UNSET
    vat_number: Annotated[str | None, "With its country; left out: as it is; null: none."] = UNSET
    iban: Annotated[str | None, "Account at a bank; left out: as it is; null: none."] = UNSET
    bic: Annotated[str | None, "The bank; left out: as it is; null: none."] = UNSET

    def party(self) -> Party:
        """The same in the domain's words."""
        kept = self.left_out()
        return Party(**{name: value for name, value in vars(self).items() if name not in kept})

    def left_out(self) -> frozenset[str]:
        """The names of the details that stay as they are."""
        kept = {name for name, value in vars(self).items() if value is UNSET}
        return frozenset(kept | {"country"} if self.country is None else kept)


@strawberry.type
class InvoiceMutation:
    """Verbs about rates, deliveries, invoices and payments."""

    @mutation(Rate)
    @staticmethod
    async def set_rate(
        ask: MutationContext,
        agreement_id: Annotated[AgreementId, "The agreement."],
        code: Annotated[str, "Its code within the agreement."],
        name: Annotated[str, "What invoices call it."],
        unit: Annotated[Unit, "What the price is for."],
        price_cents: Annotated[Long, "Of one unit, in cents, without VAT."],
        from_on: Annotated[date, "From this day on; today at the earliest when it has a price."],
        currency: Annotated[
            str | None, "ISO 4217 code; null: that of the terms in force then."
        ] = None,
    ) -> agreements.Rate:
        """Let a unit of a service cost so much from a day on."""
        return await agreements.set_rate(
            ask.session, ask.actor, agreement_id, code=code, name=name, unit=unit,
            price_cents=price_cents, from_on=from_on, currency=currency, at=ask.at,
        )  # fmt: skip

    @mutation(BillingParty)
    @staticmethod
    async def set_billing_party(
        ask: MutationContext,
        party: Annotated[PartyInput, "The legal details."],
        account_id: Annotated[AccountId | None, "The client; null for your company."] = None,
        bill_from_on: Annotated[
            date | None,
            "The first month billed here; for clients. Left out or null: as it is, but needed at first.",
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> invoices.BillingParty:
        """Say who stands on documents from now on; details that are left out stay as they are."""
        return await invoices.set_party(
            ask.session, ask.actor, account_id, party=party.party(), left_out=party.left_out(),
            bill_from_on=bill_from_on, at=ask.at, expected_version=expected_version,
        )  # fmt: skip

    @mutation(PlannedLine)
    @staticmethod
    async def plan_service(
        ask: MutationContext,
        agreement_id: Annotated[AgreementId, "The agreement."],
        month_on: Annotated[date, "A day of the month."],
        rate_code: RateCode,
        quantity_milli: Milli,
    ) -> invoices.PlannedLine:
        """Plan how much of a rate a month gets; planning it again replaces it."""
        return await invoices.plan(
            ask.session, ask.actor, agreement_id, month_on=month_on, rate_code=rate_code,
            quantity_milli=quantity_milli, at=ask.at,
        )  # fmt: skip

    @mutation(DeliveredLine)
    @staticmethod
    async def deliver_service(
        ask: MutationContext,
        agreement_id: Annotated[AgreementId, "The agreement."],
        rate_code: RateCode,
        delivered_on: Annotated[date, "The day."],
        quantity_milli: Annotated[Long, "Thousandths of the rate's unit; negative to correct."],
        reference: Annotated[str, "Of the shift, round or call: entered once."],
    ) -> invoices.DeliveredLine:
        """Enter what was delivered on a day; it is billed with its month, or with the next one."""
        return await invoices.deliver(
            ask.session, ask.actor, agreement_id, rate_code=rate_code, delivered_on=delivered_on,
            quantity_milli=quantity_milli, reference=reference, at=ask.at,
        )  # fmt: skip

    @mutation(Payment)
    @staticmethod
    async def book_payment(
        ask: MutationContext,
        invoice_id: Annotated[InvoiceId, "The invoice."],
        amount_cents: Annotated[Long, "In cents."],
        paid_on: Annotated[date, "The day."],
        reference: Annotated[str, "Of the bank: booked once."],
    ) -> invoices.Payment:
        """Book money that came in for an invoice, at most what is open."""
        return await invoices.pay(
            ask.session, ask.actor, invoice_id, amount_cents=amount_cents, paid_on=paid_on,
            reference=reference, at=ask.at,
        )  # fmt: skip

    @mutation(Payment)
    @staticmethod
    async def reverse_payment(
        ask: MutationContext,
        id: Annotated[PaymentId, "The payment that was booked wrongly."],
        reason: Annotated[str, "Why; it stays in the ledger."],
    ) -> invoices.Payment:
        """Take a payment back by a counter-entry; what is open of its invoice is as before it."""
        return await invoices.reverse(ask.session, ask.actor, id, reason=reason, at=ask.at)
