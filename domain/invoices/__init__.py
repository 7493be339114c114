"""Invoices, credit notes, payments and payouts."""

from domain.invoices.actions import deliver, plan, set_party
from domain.invoices.billing import bill, close_credits
from domain.invoices.model import (
    BillingParty,
    CreditNote,
    CreditNoteLine,
    DeliveredLine,
    Invoice,
    InvoiceLine,
    Payment,
    Payout,
    PlannedLine,
)
from domain.invoices.notices import announce_closing_note, tell_payout
from domain.invoices.parties import Party
from domain.invoices.payments import pay, reverse
from domain.invoices.payouts import pay_out, reverse_payout
from domain.invoices.pdf import credit_note_pdf
from domain.invoices.reads import (
    BillingLine,
    Unbilled,
    agreements_to_close,
    billing,
    credit_note,
    months_to_bill,
    outstanding,
)
from domain.invoices.rules import CreditNoteDocument, DocumentLine, Totals, VatTotal, read_number
from domain.invoices.ubl import MEDIA_TYPE, Incomplete, credit_note_xml
from domain.invoices.vat import VatCategory

__all__ = [
    "MEDIA_TYPE",
    "BillingLine",
    "BillingParty",
    "CreditNote",
    "CreditNoteDocument",
    "CreditNoteLine",
    "DeliveredLine",
    "DocumentLine",
    "Incomplete",
    "Invoice",
    "InvoiceLine",
    "Party",
    "Payment",
    "Payout",
    "PlannedLine",
    "Totals",
    "Unbilled",
    "VatCategory",
    "VatTotal",
    "agreements_to_close",
    "announce_closing_note",
    "bill",
    "billing",
    "close_credits",
    "credit_note",
    "credit_note_pdf",
    "credit_note_xml",
    "deliver",
    "months_to_bill",
    "outstanding",
    "pay",
    "pay_out",
    "plan",
    "read_number",
    "reverse",
    "reverse_payout",
    "set_party",
    "tell_payout",
]
