"""Rows: billing parties, planned and delivered services, invoices, credit notes, payments and payouts."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.agreements.model import Unit
from domain.core.base import JSON, Base, Keyed, Owned, Tenanted, Versioned
from domain.invoices.vat import VatCategory


class BillingParty(Base, Tenanted, Versioned):
    """Legal person of the company (no account) or of a client, as used on future documents."""

    __tablename__ = "billing_party"
    __table_args__ = (
        UniqueConstraint("tenant_id", "account_id", postgresql_nulls_not_distinct=True),
        CheckConstraint("kvk_number ~ '^[0-9]{8}$'", name="kvk_number_8_digits"),
        CheckConstraint("(account_id IS NULL) = (bill_from_on IS NULL)", name="clients_are_billed"),
    )

    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), index=True)
    legal_name: Mapped[str]
    kvk_number: Mapped[str | None]
    vat_number: Mapped[str | None]
    street: Mapped[str]
    postcode: Mapped[str]
    city: Mapped[str]
    country: Mapped[str] = mapped_column(default="NL")
    iban: Mapped[str | None]
    bic: Mapped[str | None]
    bill_from_on: Mapped[date | None]  # the first month that is billed; null for the company


class DocumentSeries(Base):
    """The last number given in a series of a company and year; as a row, so that numbers have no gaps."""

    __tablename__ = "document_series"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    series: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class PlannedLine(Base, Owned, Versioned):
    """Planned quantity of a rate for a month."""

    __tablename__ = "planned_line"
    __table_args__ = (
        UniqueConstraint("agreement_id", "month_on", "rate_code"),
        CheckConstraint("quantity_milli >= 0", name="quantity_not_negative"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    month_on: Mapped[date]
    rate_code: Mapped[str]
    quantity_milli: Mapped[int]


class DeliveredLine(Base, Owned):
    """Delivered quantity of a rate on a day; a correction is another line, with a negative quantity."""

    __tablename__ = "delivered_line"
    __table_args__ = (
        UniqueConstraint("agreement_id", "reference"),
        CheckConstraint("quantity_milli <> 0", name="quantity_not_zero"),
        Index(None, "agreement_id", "delivered_on"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    rate_code: Mapped[str]
    delivered_on: Mapped[date]
    quantity_milli: Mapped[int]
    reference: Mapped[str]  # of the shift, round or call; each is delivered once
    invoice_line_id: Mapped[UUID | None] = mapped_column(ForeignKey("invoice_line.id"), index=True)


class Document(Keyed):
    """Columns that invoices and credit notes share; parties as they were on the day of issue."""

    number: Mapped[str]
    issued_on: Mapped[date]
    period_from_on: Mapped[date]
    period_until_on: Mapped[date]  # the last day
    currency: Mapped[str]
    supplier: Mapped[JSON]
    customer: Mapped[JSON]
    net_cents: Mapped[int]
    vat_cents: Mapped[int]
    gross_cents: Mapped[int]


class Priced(Keyed):
    """Columns that lines of invoices and credit notes share."""

    position: Mapped[int]
    name: Mapped[str]
    quantity_milli: Mapped[int]
    unit: Mapped[Unit]
    price_cents: Mapped[int]
    net_cents: Mapped[int]
    vat_category: Mapped[VatCategory]
    vat_rate_bps: Mapped[int]


class Invoice(Base, Owned, Document):
    """Invoice for one month of one agreement in one currency."""

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        UniqueConstraint("agreement_id", "period_from_on", "currency"),
        CheckConstraint("gross_cents = net_cents + vat_cents", name="adds_up"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"))
    due_on: Mapped[date]


class InvoiceLine(Base, Owned, Priced):
    """One line of an invoice: either a delivered rate, or the fee of the terms."""

    __tablename__ = "invoice_line"
    __table_args__ = (
        UniqueConstraint("invoice_id", "position"),
        CheckConstraint("(rate_id IS NULL) <> (terms_id IS NULL)", name="follows_from_the_terms"),
        CheckConstraint("price_cents >= 0", name="price_not_negative"),
    )

    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoice.id"))
    rate_id: Mapped[UUID | None] = mapped_column(ForeignKey("rate.id"), index=True)
    terms_id: Mapped[UUID | None] = mapped_column(ForeignKey("terms.id"), index=True)


class CreditNote(Base, Owned, Document):
    """Credits that are set off against an invoice; or, without one, the rest when no invoice will follow."""

    __tablename__ = "credit_note"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        UniqueConstraint("invoice_id"),
        CheckConstraint("gross_cents = net_cents + vat_cents", name="adds_up"),
        CheckConstraint("net_cents > 0", name="net_positive"),
    )

    agreement_id: Mapped[UUID] = mapped_column(ForeignKey("agreement.id"), index=True)
    invoice_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("invoice.id")
    )  # null: a closing note
    last_invoice_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("invoice.id"), index=True
    )  # what a closing note refers to

    @property
    def closing(self) -> bool:
        """Whether it credits the rest of an agreement's credits because no invoice will follow."""
        return self.invoice_id is None


class CreditNoteLine(Base, Owned, Priced):
    """One movement of one credit on a note, or the `part` of it that fit on an invoice.

    Each part is set off once, because entry and part are unique here.
    """

    __tablename__ = "credit_note_line"
    __table_args__ = (
        UniqueConstraint("credit_note_id", "position"),
        UniqueConstraint("entry_id", "part"),
        CheckConstraint("price_cents >= 0", name="price_not_negative"),
    )

    credit_note_id: Mapped[UUID] = mapped_column(ForeignKey("credit_note.id"))
    credit_id: Mapped[UUID] = mapped_column(ForeignKey("credit.id"), index=True)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("journal_entry.id"))
    part: Mapped[int] = mapped_column(default=1)


class Payment(Base, Owned):
    """Payment for an invoice; a reference is booked once.

    A booking by mistake is reversed by another row, with the amount below zero; then its reference can be used again.
    """

    __tablename__ = "payment"
    __table_args__ = (
        Index(
            "uq_payment_reference_standing",
            "invoice_id",
            "reference",
            unique=True,
            postgresql_where=text("reverses_id IS NULL AND reversed_at IS NULL"),
        ),
        UniqueConstraint("reverses_id"),
        CheckConstraint(
            "amount_cents <> 0 AND (reverses_id IS NULL) = (amount_cents > 0)", name="amount_sign"
        ),
        Index(None, "invoice_id"),
    )

    invoice_id: Mapped[UUID] = mapped_column(ForeignKey("invoice.id"))
    amount_cents: Mapped[int]
    paid_on: Mapped[date]
    reference: Mapped[str]
    reverses_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment.id"))
    reversed_at: Mapped[datetime | None]


class Payout(Base, Owned):
    """Payout to a client for a closing credit note; a reference is booked once.

    A booking by mistake is reversed by another row, with the amount below zero; then its reference can be used again.
    """

    __tablename__ = "payout"
    __table_args__ = (
        Index(
            "uq_payout_reference_standing",
            "credit_note_id",
            "reference",
            unique=True,
            postgresql_where=text("reverses_id IS NULL AND reversed_at IS NULL"),
        ),
        UniqueConstraint("reverses_id"),
        CheckConstraint(
            "amount_cents <> 0 AND (reverses_id IS NULL) = (amount_cents > 0)", name="amount_sign"
        ),
        Index(None, "credit_note_id"),
    )

    credit_note_id: Mapped[UUID] = mapped_column(ForeignKey("credit_note.id"))
    amount_cents: Mapped[int]
    paid_on: Mapped[date]
    reference: Mapped[str]
    reverses_id: Mapped[UUID | None] = mapped_column(ForeignKey("payout.id"))
    reversed_at: Mapped[datetime | None]
