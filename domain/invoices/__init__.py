"""Invoices, credit notes and payments: where credits land."""

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
from domain.invoices.reads import credit_note
from domain.invoices.rules import (
    CreditNoteDocument,
    Line,
    Party,
    Totals,
    VatCategory,
    VatTotal,
)

__all__ = [
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
    "VatCategory",
    "VatTotal",
    "credit_note",
]
