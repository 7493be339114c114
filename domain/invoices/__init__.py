"""Invoices, credit notes and payments: where credits land."""

from domain.invoices.actions import deliver, pay, plan, set_party
from domain.invoices.billing import bill
from domain.invoices.model import (
    BillingParty,
    CreditNote,
    CreditNoteLine,
    DeliveredLine,
    Invoice,
    InvoiceLine,
    Payment,
    PlannedLine,
)
from domain.invoices.reads import (
    BillingLine,
    Unbilled,
    billing,
    credit_note,
    months_to_bill,
    outstanding,
)
from domain.invoices.rules import (
    CreditNoteDocument,
    Line,
    Party,
    Totals,
    VatCategory,
    VatTotal,
)

__all__ = [
    "BillingLine",
    "BillingParty",
    "CreditNote",
    "CreditNoteDocument",
    "CreditNoteLine",
    "DeliveredLine",
    "Invoice",
    "InvoiceLine",
    "Line",
    "Party",
    "Payment",
    "PlannedLine",
    "Totals",
    "Unbilled",
    "VatCategory",
    "VatTotal",
    "bill",
    "billing",
    "credit_note",
    "deliver",
    "months_to_bill",
    "outstanding",
    "pay",
    "plan",
    "set_party",
]
