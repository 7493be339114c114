"""Compensation: schedules, double entry, invoices, disputes, recovery cases."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import SchemaItem

revision: str = "0007"
down_revision: str | Sequence[str] | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OF_A_COMPANY = ("compensation_policy", "document_series")
OF_AN_ACCOUNT = (
    "billing_party", "closed_month", "credit_band", "credit_note", "credit_note_line", "delivered_line", "dispute",
    "invoice", "invoice_line", "journal_entry", "journal_line", "payment", "planned_line", "rate", "recovery_case",
    "recovery_step",
)  # fmt: skip
JOURNAL = ("journal_entry", "journal_line")
FIXED_OR_SHARE = "(basis = 'fixed') = (fixed_cents IS NOT NULL) AND (basis = 'fee_share') = (fee_bps IS NOT NULL)"

RULE_CHECKS = {
    "amount_fits_basis": "(basis = 'fixed') = (fixed_cents IS NOT NULL) AND (basis IN ('fee_share', 'line_share')) = (fee_bps IS NOT NULL) AND (basis = 'service') = (units_milli IS NOT NULL) AND (basis IN ('line_share', 'service')) = (rate_code IS NOT NULL)",
    "units_positive": "units_milli > 0",
    "least_most": "least_cents >= 0 AND most_cents >= least_cents",
}
CREDIT_CHECKS = {
    "fits_kind": "(kind = 'promise') = (promise_id IS NOT NULL AND incident_id IS NOT NULL) AND (kind = 'period') = (term_id IS NOT NULL) AND (kind = 'goodwill') = (terms_id IS NULL)",
    "decision_is_whole": "(decision_reason IS NULL) = (decision_by IS NULL)",
    "override_not_negative": "override_cents >= 0",
}

KEEP_THE_JOURNAL = """
CREATE FUNCTION keep_the_journal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the journal is append-only: put right what is wrong by a counter-entry'
    USING ERRCODE = 'restrict_violation';
END $$"""
BALANCE_THE_JOURNAL = """
CREATE FUNCTION balance_the_journal() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  entry uuid := CASE TG_TABLE_NAME WHEN 'journal_line' THEN (to_jsonb(NEW)->>'entry_id')::uuid ELSE NEW.id END;
BEGIN
  IF NOT (SELECT count(*) >= 2 AND count(DISTINCT currency) = 1 AND sum(amount_cents) = 0
          FROM journal_line WHERE entry_id = entry) THEN
    RAISE EXCEPTION 'journal entry % does not balance', entry USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$"""
# Credits from before there was a journal: their first entry, as it would have been made.
OPENING_ENTRIES = """
INSERT INTO journal_entry (id, tenant_id, account_id, agreement_id, subject_id, n, kind, reason, at, actor)
SELECT uuidv7(), tenant_id, account_id, agreement_id, id, 1, 'grant', 'A promise was broken', decided_at, 'system:migration'
FROM credit WHERE amount_cents > 0"""
OPENING_LINES = """
INSERT INTO journal_line (id, tenant_id, account_id, entry_id, book, amount_cents, currency)
SELECT uuidv7(), e.tenant_id, e.account_id, e.id, side.book, side.sign * c.amount_cents, c.currency
FROM journal_entry e JOIN credit c ON c.id = e.subject_id,
     (VALUES ('service_recovery', 1), ('client_credit', -1)) AS side (book, sign)"""


def upgrade() -> None:
    op.create_table(
        "compensation_policy",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("approval_above_cents", sa.BigInteger(), nullable=True),
        sa.Column("vat_category", sa.Text(), nullable=False),
        sa.Column("vat_rate_bps", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "approval_above_cents >= 0",
            name=op.f("ck_compensation_policy_approval_above_not_negative"),
        ),
        sa.CheckConstraint(
            "vat_rate_bps BETWEEN 0 AND 10000", name=op.f("ck_compensation_policy_vat_rate_bps")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_compensation_policy_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_compensation_policy")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_compensation_policy_tenant_id")),
    )
    op.create_index(
        op.f("ix_compensation_policy_tenant_id"), "compensation_policy", ["tenant_id"], unique=False
    )
    op.create_table(
        "document_series",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("year", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_document_series_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "series", "year", name=op.f("pk_document_series")),
    )
    op.create_table(
        "billing_party",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("legal_name", sa.Text(), nullable=False),
        sa.Column("kvk_number", sa.Text(), nullable=True),
        sa.Column("vat_number", sa.Text(), nullable=True),
        sa.Column("street", sa.Text(), nullable=False),
        sa.Column("postcode", sa.Text(), nullable=False),
        sa.Column("city", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=True),
        sa.Column("bic", sa.Text(), nullable=True),
        sa.Column("bill_from_on", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kvk_number ~ '^[0-9]{8}$'", name=op.f("ck_billing_party_kvk_number_8_digits")
        ),
        sa.CheckConstraint(
            "(account_id IS NULL) = (bill_from_on IS NULL)",
            name=op.f("ck_billing_party_clients_are_billed"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_billing_party_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_billing_party_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_party")),
        sa.UniqueConstraint(
            "tenant_id",
            "account_id",
            name=op.f("uq_billing_party_tenant_id_account_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "closed_month",
        *_owned("closed_month"),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("billed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_closed_month_agreement_id_agreement")
        ),
        sa.UniqueConstraint(
            "agreement_id", "month_on", name=op.f("uq_closed_month_agreement_id_month_on")
        ),
    )
    op.create_table(
        "invoice",
        *_owned("invoice"),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("period_from_on", sa.Date(), nullable=False),
        sa.Column("period_until_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("supplier", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("customer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("net_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.Column("gross_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("gross_cents = net_cents + vat_cents", name=op.f("ck_invoice_adds_up")),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_invoice_agreement_id_agreement")
        ),
        sa.UniqueConstraint(
            "agreement_id", "period_from_on", name=op.f("uq_invoice_agreement_id_period_from_on")
        ),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_invoice_tenant_id_number")),
    )
    op.create_table(
        "journal_entry",
        *_owned("journal_entry"),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "grant",
                "adjust",
                "apply",
                "invoice",
                "payment",
                name="journalkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.CheckConstraint("n > 0", name=op.f("ck_journal_entry_n_positive")),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_journal_entry_agreement_id_agreement")
        ),
        sa.UniqueConstraint("subject_id", "n", name=op.f("uq_journal_entry_subject_id_n")),
    )
    op.create_index(
        op.f("ix_journal_entry_account_id_at"), "journal_entry", ["account_id", "at"], unique=False
    )
    op.create_index(
        op.f("ix_journal_entry_agreement_id"), "journal_entry", ["agreement_id"], unique=False
    )
    op.create_table(
        "planned_line",
        *_owned("planned_line"),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("rate_code", sa.Text(), nullable=False),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "quantity_milli >= 0", name=op.f("ck_planned_line_quantity_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_planned_line_agreement_id_agreement")
        ),
        sa.UniqueConstraint(
            "agreement_id",
            "month_on",
            "rate_code",
            name=op.f("uq_planned_line_agreement_id_month_on_rate_code"),
        ),
    )
    op.create_table(
        "rate",
        *_owned("rate"),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "unit",
            sa.Enum("C62", "HUR", "DAY", "MON", "KMT", name="unit", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("in_force", postgresql.DATERANGE(), nullable=False),
        sa.CheckConstraint("NOT isempty(in_force)", name=op.f("ck_rate_in_force_not_empty")),
        sa.CheckConstraint("price_cents >= 0", name=op.f("ck_rate_price_not_negative")),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_rate_agreement_id_agreement")
        ),
    )
    op.create_table(
        "credit_note",
        *_owned("credit_note"),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("period_from_on", sa.Date(), nullable=False),
        sa.Column("period_until_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("supplier", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("customer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("net_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.Column("gross_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "gross_cents = net_cents + vat_cents", name=op.f("ck_credit_note_adds_up")
        ),
        sa.CheckConstraint("net_cents > 0", name=op.f("ck_credit_note_net_positive")),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_credit_note_agreement_id_agreement")
        ),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_credit_note_invoice_id_invoice")
        ),
        sa.UniqueConstraint("invoice_id", name=op.f("uq_credit_note_invoice_id")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_credit_note_tenant_id_number")),
    )
    op.create_index(
        op.f("ix_credit_note_agreement_id"), "credit_note", ["agreement_id"], unique=False
    )
    op.create_table(
        "invoice_line",
        *_owned("invoice_line"),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("rate_id", sa.Uuid(), nullable=True),
        sa.Column("terms_id", sa.Uuid(), nullable=True),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sa.Column(
            "unit",
            sa.Enum("C62", "HUR", "DAY", "MON", "KMT", name="unit", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("net_cents", sa.BigInteger(), nullable=False),
        sa.Column(
            "vat_category",
            sa.Enum("S", "Z", "E", "O", name="vatcategory", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("vat_rate_bps", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(rate_id IS NULL) <> (terms_id IS NULL)",
            name=op.f("ck_invoice_line_follows_from_the_terms"),
        ),
        sa.CheckConstraint("price_cents >= 0", name=op.f("ck_invoice_line_price_not_negative")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_invoice_line_invoice_id_invoice")
        ),
        sa.ForeignKeyConstraint(
            ["rate_id"], ["rate.id"], name=op.f("fk_invoice_line_rate_id_rate")
        ),
        sa.ForeignKeyConstraint(
            ["terms_id"], ["terms.id"], name=op.f("fk_invoice_line_terms_id_terms")
        ),
        sa.UniqueConstraint(
            "invoice_id", "position", name=op.f("uq_invoice_line_invoice_id_position")
        ),
    )
    op.create_index(op.f("ix_invoice_line_rate_id"), "invoice_line", ["rate_id"], unique=False)
    op.create_index(op.f("ix_invoice_line_terms_id"), "invoice_line", ["terms_id"], unique=False)
    op.create_table(
        "journal_line",
        *_owned("journal_line"),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column(
            "book",
            sa.Enum(
                "client_credit",
                "service_recovery",
                "goodwill",
                "receivable",
                "revenue",
                "vat",
                "bank",
                name="book",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_cents <> 0", name=op.f("ck_journal_line_amount_not_zero")),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["journal_entry.id"], name=op.f("fk_journal_line_entry_id_journal_entry")
        ),
        sa.UniqueConstraint("entry_id", "book", name=op.f("uq_journal_line_entry_id_book")),
    )
    op.create_index(
        op.f("ix_journal_line_account_id_book"),
        "journal_line",
        ["account_id", "book"],
        unique=False,
    )
    op.create_table(
        "payment",
        *_owned("payment"),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("paid_on", sa.Date(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_payment_amount_positive")),
        sa.ForeignKeyConstraint(
            ["invoice_id"], ["invoice.id"], name=op.f("fk_payment_invoice_id_invoice")
        ),
        sa.UniqueConstraint(
            "invoice_id", "reference", name=op.f("uq_payment_invoice_id_reference")
        ),
    )
    op.create_table(
        "recovery_case",
        *_owned("recovery_case"),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column(
            "size",
            sa.Enum("small", "medium", "major", name="size", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("open", "closed", name="casestate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("satisfied", sa.Boolean(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(state = 'closed') = (closed_at IS NOT NULL)",
            name=op.f("ck_recovery_case_closed_has_instant"),
        ),
        sa.CheckConstraint("round > 0", name=op.f("ck_recovery_case_round_positive")),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_recovery_case_incident_id_incident")
        ),
    )
    op.create_index(
        op.f("ix_recovery_case_incident_id"), "recovery_case", ["incident_id"], unique=False
    )
    op.create_index(
        "uq_recovery_case_one_open",
        "recovery_case",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "credit_band",
        *_owned("credit_band"),
        sa.Column("term_id", sa.Uuid(), nullable=False),
        sa.Column("below_ppm", sa.BigInteger(), nullable=False),
        sa.Column("fixed_cents", sa.BigInteger(), nullable=True),
        sa.Column("fee_bps", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(fixed_cents IS NULL) <> (fee_bps IS NULL)", name=op.f("ck_credit_band_one_amount")
        ),
        sa.CheckConstraint(
            "below_ppm BETWEEN 1 AND 1000000", name=op.f("ck_credit_band_below_ppm")
        ),
        sa.CheckConstraint("fee_bps BETWEEN 0 AND 10000", name=op.f("ck_credit_band_fee_bps")),
        sa.CheckConstraint(
            "fixed_cents >= 0", name=op.f("ck_credit_band_fixed_cents_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["promise_term.id"], name=op.f("fk_credit_band_term_id_promise_term")
        ),
        sa.UniqueConstraint("term_id", "below_ppm", name=op.f("uq_credit_band_term_id_below_ppm")),
    )
    op.create_table(
        "delivered_line",
        *_owned("delivered_line"),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("rate_code", sa.Text(), nullable=False),
        sa.Column("delivered_on", sa.Date(), nullable=False),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("invoice_line_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("quantity_milli <> 0", name=op.f("ck_delivered_line_quantity_not_zero")),
        sa.ForeignKeyConstraint(
            ["agreement_id"],
            ["agreement.id"],
            name=op.f("fk_delivered_line_agreement_id_agreement"),
        ),
        sa.ForeignKeyConstraint(
            ["invoice_line_id"],
            ["invoice_line.id"],
            name=op.f("fk_delivered_line_invoice_line_id_invoice_line"),
        ),
        sa.UniqueConstraint(
            "agreement_id", "reference", name=op.f("uq_delivered_line_agreement_id_reference")
        ),
    )
    op.create_index(
        op.f("ix_delivered_line_agreement_id_delivered_on"),
        "delivered_line",
        ["agreement_id", "delivered_on"],
        unique=False,
    )
    op.create_index(
        op.f("ix_delivered_line_invoice_line_id"),
        "delivered_line",
        ["invoice_line_id"],
        unique=False,
    )
    op.create_table(
        "dispute",
        *_owned("dispute"),
        sa.Column("promise_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict_was", sa.Text(), nullable=False),
        sa.Column("verdict_was_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("facts_was", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open", "changed", "unchanged", name="disputestate", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("verdict_now", sa.Text(), nullable=True),
        sa.Column("verdict_now_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts_now", sa.BigInteger(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'open') = (decided_at IS NULL)", name=op.f("ck_dispute_end_has_instant")
        ),
        sa.ForeignKeyConstraint(
            ["promise_id"], ["promise.id"], name=op.f("fk_dispute_promise_id_promise")
        ),
    )
    op.create_index(op.f("ix_dispute_promise_id"), "dispute", ["promise_id"], unique=False)
    op.create_index(
        "uq_dispute_one_open",
        "dispute",
        ["promise_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "credit_note_line",
        *_owned("credit_note_line"),
        sa.Column("credit_note_id", sa.Uuid(), nullable=False),
        sa.Column("credit_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity_milli", sa.BigInteger(), nullable=False),
        sa.Column(
            "unit",
            sa.Enum("C62", "HUR", "DAY", "MON", "KMT", name="unit", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("net_cents", sa.BigInteger(), nullable=False),
        sa.Column(
            "vat_category",
            sa.Enum("S", "Z", "E", "O", name="vatcategory", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("vat_rate_bps", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("price_cents >= 0", name=op.f("ck_credit_note_line_price_not_negative")),
        sa.ForeignKeyConstraint(
            ["credit_id"], ["credit.id"], name=op.f("fk_credit_note_line_credit_id_credit")
        ),
        sa.ForeignKeyConstraint(
            ["credit_note_id"],
            ["credit_note.id"],
            name=op.f("fk_credit_note_line_credit_note_id_credit_note"),
        ),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["journal_entry.id"],
            name=op.f("fk_credit_note_line_entry_id_journal_entry"),
        ),
        sa.UniqueConstraint(
            "credit_note_id", "position", name=op.f("uq_credit_note_line_credit_note_id_position")
        ),
        sa.UniqueConstraint("entry_id", name=op.f("uq_credit_note_line_entry_id")),
    )
    op.create_index(
        op.f("ix_credit_note_line_credit_id"), "credit_note_line", ["credit_id"], unique=False
    )
    op.create_table(
        "recovery_step",
        *_owned("recovery_step"),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "apologize",
                "listen",
                "resolve",
                "compensate",
                "follow_up",
                name="stepkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("remedies", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("credit_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "kind = 'compensate' OR (cardinality(remedies) = 0 AND credit_id IS NULL)",
            name=op.f("ck_recovery_step_remedies_fit"),
        ),
        sa.CheckConstraint(
            "(done_at IS NULL) = (done_by IS NULL) AND (done_at IS NULL) = (note IS NULL)",
            name=op.f("ck_recovery_step_done_is_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["case_id"], ["recovery_case.id"], name=op.f("fk_recovery_step_case_id_recovery_case")
        ),
        sa.ForeignKeyConstraint(
            ["credit_id"], ["credit.id"], name=op.f("fk_recovery_step_credit_id_credit")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["app_user.id"], name=op.f("fk_recovery_step_owner_id_app_user")
        ),
        sa.UniqueConstraint(
            "case_id", "round", "kind", name=op.f("uq_recovery_step_case_id_round_kind")
        ),
    )
    op.create_index(
        "ix_recovery_step_due",
        "recovery_step",
        ["tenant_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    for table in OF_AN_ACCOUNT:
        for column in ("account_id", "tenant_id"):
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.add_column(
        "credit",
        sa.Column(
            "kind",
            sa.Enum(
                "promise", "period", "goodwill", name="creditkind", native_enum=False, length=40
            ),
            nullable=False,
            server_default="promise",
        ),
    )
    op.alter_column("credit", "kind", server_default=None)
    op.add_column(
        "credit",
        sa.Column(
            "state",
            sa.Enum(
                "awaiting", "granted", "declined", name="creditstate", native_enum=False, length=40
            ),
            nullable=False,
            server_default="granted",
        ),
    )
    op.alter_column("credit", "state", server_default=None)
    op.add_column("credit", sa.Column("term_id", sa.Uuid(), nullable=True))
    op.add_column("credit", sa.Column("turn", sa.BigInteger(), nullable=True))
    op.add_column("credit", sa.Column("units_milli", sa.BigInteger(), nullable=True))
    op.add_column("credit", sa.Column("override_cents", sa.BigInteger(), nullable=True))
    op.add_column("credit", sa.Column("decision_by", sa.Text(), nullable=True))
    op.add_column("credit", sa.Column("decision_reason", sa.Text(), nullable=True))
    op.alter_column("credit", "promise_id", existing_type=sa.UUID(), nullable=True)
    op.alter_column("credit", "incident_id", existing_type=sa.UUID(), nullable=True)
    op.alter_column("credit", "terms_id", existing_type=sa.UUID(), nullable=True)
    op.alter_column("credit", "rule_id", existing_type=sa.UUID(), nullable=True)
    op.create_unique_constraint(
        op.f("uq_credit_term_id_month_on"), "credit", ["term_id", "month_on"]
    )
    op.create_foreign_key(
        op.f("fk_credit_term_id_promise_term"), "credit", "promise_term", ["term_id"], ["id"]
    )
    op.add_column("credit_rule", sa.Column("rate_code", sa.Text(), nullable=True))
    op.add_column("credit_rule", sa.Column("units_milli", sa.BigInteger(), nullable=True))
    op.add_column(
        "credit_rule", sa.Column("least_cents", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.alter_column("credit_rule", "least_cents", server_default=None)
    op.add_column("credit_rule", sa.Column("most_cents", sa.BigInteger(), nullable=True))
    op.add_column(
        "terms",
        sa.Column(
            "per_cause",
            sa.Enum("largest", "each", name="percause", native_enum=False, length=40),
            nullable=False,
            server_default="each",
        ),
    )
    op.alter_column("terms", "per_cause", server_default=None)
    op.execute(
        "ALTER TABLE rate ADD CONSTRAINT uq_rate_one_price_a_day"
        " UNIQUE (agreement_id, code, in_force WITHOUT OVERLAPS)"
    )
    op.drop_constraint("ck_credit_rule_amount_fits_basis", "credit_rule")
    for name, says in RULE_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_credit_rule_{name}"), "credit_rule", says)
    for name, says in CREDIT_CHECKS.items():
        op.create_check_constraint(op.f(f"ck_credit_{name}"), "credit", says)
    op.execute("ALTER TABLE credit NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE credit SET turn = numbered.n FROM (SELECT id, row_number() OVER"
        " (PARTITION BY agreement_id ORDER BY id) AS n FROM credit) AS numbered WHERE numbered.id = credit.id"
    )
    op.alter_column("credit", "turn", nullable=False)
    op.create_unique_constraint(
        op.f("uq_credit_agreement_id_turn"), "credit", ["agreement_id", "turn"]
    )
    op.execute(OPENING_ENTRIES)
    op.execute(OPENING_LINES)
    op.execute("ALTER TABLE credit FORCE ROW LEVEL SECURITY")
    op.execute(KEEP_THE_JOURNAL)
    op.execute(BALANCE_THE_JOURNAL)
    for table in JOURNAL:
        op.execute(
            f"CREATE TRIGGER {table}_keeps BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION keep_the_journal()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_keeps_all BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION keep_the_journal()"
        )
        op.execute(
            f"CREATE CONSTRAINT TRIGGER {table}_balances AFTER INSERT ON {table} "
            "DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION balance_the_journal()"
        )
    for table in OF_A_COMPANY:
        for statement in _policy(table):
            op.execute(statement)
    for table in OF_AN_ACCOUNT:
        for statement in _policy(table, account="account_id"):
            op.execute(statement)


def downgrade() -> None:
    op.drop_table("recovery_step")
    op.drop_table("credit_note_line")
    op.drop_table("dispute")
    op.drop_table("delivered_line")
    op.drop_table("credit_band")
    op.drop_table("recovery_case")
    op.drop_table("payment")
    op.drop_table("journal_line")
    op.drop_table("invoice_line")
    op.drop_table("credit_note")
    op.drop_table("rate")
    op.drop_table("planned_line")
    op.drop_table("journal_entry")
    op.drop_table("invoice")
    op.drop_table("closed_month")
    op.drop_table("billing_party")
    op.drop_table("document_series")
    op.drop_table("compensation_policy")
    op.execute("DROP FUNCTION balance_the_journal()")
    op.execute("DROP FUNCTION keep_the_journal()")
    for name in CREDIT_CHECKS:
        op.drop_constraint(f"ck_credit_{name}", "credit")
    for name in RULE_CHECKS:
        op.drop_constraint(f"ck_credit_rule_{name}", "credit_rule")
    # What only the newer schedules can say cannot be said any more.
    for table in ("credit", "credit_rule"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "DELETE FROM credit WHERE kind <> 'promise'"
        " OR rule_id IN (SELECT id FROM credit_rule WHERE basis IN ('line_share', 'service'))"
    )
    op.execute("DELETE FROM credit_rule WHERE basis IN ('line_share', 'service')")
    for table in ("credit", "credit_rule"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.create_check_constraint(
        op.f("ck_credit_rule_amount_fits_basis"), "credit_rule", FIXED_OR_SHARE
    )
    op.drop_column("terms", "per_cause")
    op.drop_column("credit_rule", "most_cents")
    op.drop_column("credit_rule", "least_cents")
    op.drop_column("credit_rule", "units_milli")
    op.drop_column("credit_rule", "rate_code")
    op.drop_constraint(op.f("fk_credit_term_id_promise_term"), "credit", type_="foreignkey")
    op.drop_constraint(op.f("uq_credit_term_id_month_on"), "credit", type_="unique")
    op.drop_constraint(op.f("uq_credit_agreement_id_turn"), "credit", type_="unique")
    op.alter_column("credit", "rule_id", existing_type=sa.UUID(), nullable=False)
    op.alter_column("credit", "terms_id", existing_type=sa.UUID(), nullable=False)
    op.alter_column("credit", "incident_id", existing_type=sa.UUID(), nullable=False)
    op.alter_column("credit", "promise_id", existing_type=sa.UUID(), nullable=False)
    op.drop_column("credit", "decision_reason")
    op.drop_column("credit", "decision_by")
    op.drop_column("credit", "override_cents")
    op.drop_column("credit", "units_milli")
    op.drop_column("credit", "turn")
    op.drop_column("credit", "term_id")
    op.drop_column("credit", "state")
    op.drop_column("credit", "kind")


def _owned(table: str) -> list[SchemaItem]:
    """What every row of a client's has: its id, its company, its client."""
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f(f"fk_{table}_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f(f"fk_{table}_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def _policy(table: str, *, account: str | None = None) -> list[str]:
    mine = "tenant_id = (SELECT fence_tenant())"
    if account is not None:
        mine += (
            f" AND ((SELECT fence_accounts()) IS NULL OR {account} IS NULL"
            f" OR {account} = ANY ((SELECT fence_accounts())::uuid[]))"
        )
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY fence ON {table} USING ({mine})",
    ]
