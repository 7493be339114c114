"""Billing: an invoice per currency, parts of credits on notes, closing notes, and payments that are taken back."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | Sequence[str] | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.drop_constraint(op.f("uq_invoice_agreement_id_period_from_on"), "invoice")
    op.create_unique_constraint(
        op.f("uq_invoice_agreement_id_period_from_on_currency"),
        "invoice",
        ["agreement_id", "period_from_on", "currency"],
    )
    op.alter_column("credit_note", "invoice_id", nullable=True)
    op.add_column("credit_note", sa.Column("last_invoice_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_credit_note_last_invoice_id_invoice"),
        *("credit_note", "invoice", ["last_invoice_id"], ["id"]),
    )
    op.create_index(op.f("ix_credit_note_last_invoice_id"), "credit_note", ["last_invoice_id"])
    op.add_column(
        "credit_note_line",
        sa.Column("part", sa.BigInteger(), nullable=False, server_default="1"),
    )
    op.alter_column("credit_note_line", "part", server_default=None)
    op.drop_constraint(op.f("uq_credit_note_line_entry_id"), "credit_note_line")
    op.create_unique_constraint(
        op.f("uq_credit_note_line_entry_id_part"), "credit_note_line", ["entry_id", "part"]
    )
    op.add_column("payment", sa.Column("reverses_id", sa.Uuid(), nullable=True))
    op.add_column("payment", sa.Column("reversed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_payment_reverses_id_payment"), "payment", "payment", ["reverses_id"], ["id"]
    )
    op.create_unique_constraint(op.f("uq_payment_reverses_id"), "payment", ["reverses_id"])
    op.drop_constraint(op.f("uq_payment_invoice_id_reference"), "payment")
    op.create_index(
        "uq_payment_reference_standing",
        "payment",
        ["invoice_id", "reference"],
        unique=True,
        postgresql_where=sa.text("reverses_id IS NULL AND reversed_at IS NULL"),
    )
    op.create_index(op.f("ix_payment_invoice_id"), "payment", ["invoice_id"])
    op.drop_constraint(op.f("ck_payment_amount_positive"), "payment")
    op.create_check_constraint(
        op.f("ck_payment_amount_sign"),
        "payment",
        "amount_cents <> 0 AND (reverses_id IS NULL) = (amount_cents > 0)",
    )
    op.add_column(
        "compensation_policy",
        sa.Column("approval_currency", sa.Text(), nullable=False, server_default="EUR"),
    )


def downgrade() -> None:
    """What the older version cannot hold is folded: reversed payments go, closing notes and later parts stay out."""
    op.drop_column("compensation_policy", "approval_currency")
    op.drop_constraint(op.f("ck_payment_amount_sign"), "payment")
    op.execute("DELETE FROM payment WHERE reverses_id IS NOT NULL")
    op.execute("DELETE FROM payment WHERE reversed_at IS NOT NULL")
    op.create_check_constraint(op.f("ck_payment_amount_positive"), "payment", "amount_cents > 0")
    op.drop_index(op.f("ix_payment_invoice_id"), "payment")
    op.drop_index("uq_payment_reference_standing", "payment")
    op.create_unique_constraint(
        op.f("uq_payment_invoice_id_reference"), "payment", ["invoice_id", "reference"]
    )
    op.drop_constraint(op.f("uq_payment_reverses_id"), "payment")
    op.drop_constraint(op.f("fk_payment_reverses_id_payment"), "payment")
    op.drop_column("payment", "reversed_at")
    op.drop_column("payment", "reverses_id")
    op.drop_constraint(op.f("uq_credit_note_line_entry_id_part"), "credit_note_line")
    op.execute("DELETE FROM credit_note_line WHERE part > 1")
    op.execute(
        "DELETE FROM credit_note_line l USING credit_note n"
        " WHERE n.id = l.credit_note_id AND n.invoice_id IS NULL"
    )
    op.execute("DELETE FROM credit_note WHERE invoice_id IS NULL")
    op.create_unique_constraint(
        op.f("uq_credit_note_line_entry_id"), "credit_note_line", ["entry_id"]
    )
    op.drop_column("credit_note_line", "part")
    op.drop_index(op.f("ix_credit_note_last_invoice_id"), "credit_note")
    op.drop_constraint(op.f("fk_credit_note_last_invoice_id_invoice"), "credit_note")
    op.drop_column("credit_note", "last_invoice_id")
    op.alter_column("credit_note", "invoice_id", nullable=False)
    op.execute(
        "UPDATE invoice i SET period_from_on = period_from_on + 1 WHERE EXISTS (SELECT FROM invoice j"
        " WHERE j.agreement_id = i.agreement_id AND j.period_from_on = i.period_from_on AND j.id < i.id)"
    )
    op.drop_constraint(op.f("uq_invoice_agreement_id_period_from_on_currency"), "invoice")
    op.create_unique_constraint(
        op.f("uq_invoice_agreement_id_period_from_on"),
        "invoice",
        ["agreement_id", "period_from_on"],
    )
