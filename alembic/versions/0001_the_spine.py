"""The spine: accounts, agreements, tickets, promises, credits, messages, and the ledger under them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | Sequence[str] | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


# Append only: the relay may give a fact its number and hash, once; nothing else may ever change or go.
KEEP_THE_LEDGER = """
CREATE FUNCTION keep_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.seq IS NULL AND NEW.seq IS NOT NULL AND OLD.hash IS NULL
     AND to_jsonb(NEW) - 'seq' - 'hash' = to_jsonb(OLD) - 'seq' - 'hash' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'restrict_violation';
END$$
"""


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.create_table(
        "ledger_shard",
        sa.Column("shard", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shipped_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", name=op.f("pk_ledger_shard")),
    )
    op.create_table(
        "tenant",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kvk_number", sa.Text(), nullable=True),
        sa.Column("permit_number", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tenant")),
        sa.UniqueConstraint("name", name=op.f("uq_tenant_name")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kvk_number", sa.Text(), nullable=True),
        sa.Column(
            "segment",
            sa.Enum(
                "enterprise",
                "mid_market",
                "small_business",
                name="segment",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("vertical", sa.Text(), nullable=True),
        sa.Column(
            "regions", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("yearly_revenue_cents", sa.BigInteger(), nullable=True),
        sa.Column("employees", sa.BigInteger(), nullable=True),
        sa.Column("yearly_transactions", sa.BigInteger(), nullable=True),
        sa.Column(
            "complexity",
            sa.Enum(
                "simple",
                "moderate",
                "complex",
                "custom",
                name="complexity",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "contract_type",
            sa.Enum(
                "subscription",
                "project",
                "retainer",
                "transactional",
                name="contracttype",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("growth_potential", sa.BigInteger(), nullable=False),
        sa.Column("strategic_importance", sa.BigInteger(), nullable=False),
        sa.Column(
            "stage",
            sa.Enum(
                "prospect",
                "onboarding",
                "delivery",
                "growth",
                "renewal",
                "advocacy",
                name="stage",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "cadence_tier",
            sa.Enum(
                "strategic", "core", "standard", name="cadencetier", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column(
            "service_tier",
            sa.Enum(
                "basic", "enhanced", "premium", name="servicetier", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("client_since_on", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "kvk_number ~ '^[0-9]{8}$'", name=op.f("ck_account_kvk_number_8_digits")
        ),
        sa.CheckConstraint(
            "growth_potential BETWEEN 1 AND 5", name=op.f("ck_account_growth_potential_1_to_5")
        ),
        sa.CheckConstraint(
            "strategic_importance BETWEEN 1 AND 5",
            name=op.f("ck_account_strategic_importance_1_to_5"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_account_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_account_tenant_id_name")),
    )
    op.create_index(op.f("ix_account_tenant_id"), "account", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_account_tenant_id_id"), "account", ["tenant_id", "id"], unique=False)
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "client_user",
                "client_admin",
                "guard",
                "dispatcher",
                "relationship_manager",
                "finance",
                "management",
                "partner",
                "auditor",
                "system",
                name="role",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("account_ids", postgresql.ARRAY(sa.Uuid()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_api_key_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_api_key_prefix")),
    )
    op.create_index(op.f("ix_api_key_tenant_id"), "api_key", ["tenant_id"], unique=False)
    op.create_table(
        "app_user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "client_user",
                "client_admin",
                "guard",
                "dispatcher",
                "relationship_manager",
                "finance",
                "management",
                "partner",
                "auditor",
                "system",
                name="role",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_app_user_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("tenant_id", "email", name=op.f("uq_app_user_tenant_id_email")),
    )
    op.create_index(op.f("ix_app_user_tenant_id"), "app_user", ["tenant_id"], unique=False)
    op.create_table(
        "calendar",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_calendar_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_calendar_tenant_id_name")),
    )
    op.create_index(op.f("ix_calendar_tenant_id"), "calendar", ["tenant_id"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("payload_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_idempotency_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_idempotency")),
    )
    op.create_index(
        op.f("ix_idempotency_answered_at"), "idempotency", ["answered_at"], unique=False
    )
    op.create_table(
        "ledger_head",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_ledger_head_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_ledger_head")),
    )
    op.create_table(
        "agreement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("newest_terms", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_agreement_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_agreement_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement")),
        sa.UniqueConstraint(
            "tenant_id", "reference", name=op.f("uq_agreement_tenant_id_reference")
        ),
    )
    op.create_index(op.f("ix_agreement_account_id"), "agreement", ["account_id"], unique=False)
    op.create_index(op.f("ix_agreement_tenant_id"), "agreement", ["tenant_id"], unique=False)
    op.create_table(
        "calendar_version",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("calendar_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("spec", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["calendar_id"], ["calendar.id"], name=op.f("fk_calendar_version_calendar_id_calendar")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_calendar_version_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_version")),
        sa.UniqueConstraint(
            "calendar_id", "number", name=op.f("uq_calendar_version_calendar_id_number")
        ),
    )
    op.create_index(
        op.f("ix_calendar_version_tenant_id"), "calendar_version", ["tenant_id"], unique=False
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("seniority", sa.Text(), nullable=True),
        sa.Column("decision_power", sa.BigInteger(), nullable=False),
        sa.Column("relationship_strength", sa.BigInteger(), nullable=False),
        sa.Column("last_contact_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("internal_owner_id", sa.Uuid(), nullable=True),
        sa.Column(
            "channel",
            sa.Enum(
                "email", "sms", "push", "webhook", name="channel", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("tone", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("cultural_notes", sa.Text(), nullable=True),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.Column("wants_service_messages", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("language IN ('nl', 'en')", name=op.f("ck_contact_language_known")),
        sa.CheckConstraint(
            "decision_power BETWEEN 1 AND 5", name=op.f("ck_contact_decision_power_1_to_5")
        ),
        sa.CheckConstraint(
            "relationship_strength BETWEEN 1 AND 5",
            name=op.f("ck_contact_relationship_strength_1_to_5"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_contact_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["internal_owner_id"],
            ["app_user.id"],
            name=op.f("fk_contact_internal_owner_id_app_user"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_contact_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
        sa.UniqueConstraint("account_id", "email", name=op.f("uq_contact_account_id_email")),
    )
    op.create_index(op.f("ix_contact_account_id"), "contact", ["account_id"], unique=False)
    op.create_index(op.f("ix_contact_tenant_id"), "contact", ["tenant_id"], unique=False)
    op.create_table(
        "ledger",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("shard", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column(
            "origin",
            sa.Enum("live", "history", name="origin", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=True),
        sa.Column("once_key", sa.Text(), nullable=True),
        sa.Column("hash", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_ledger_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_ledger_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
        sa.UniqueConstraint("seq", name=op.f("uq_ledger_seq")),
    )
    op.create_index("ix_ledger_shard_seq", "ledger", ["shard", "seq"], unique=False)
    op.create_index(op.f("ix_ledger_subject_id_id"), "ledger", ["subject_id", "id"], unique=False)
    op.create_index(
        op.f("ix_ledger_tenant_id_account_id_seq"),
        "ledger",
        ["tenant_id", "account_id", "seq"],
        unique=False,
    )
    op.create_index(
        "ix_ledger_unnumbered",
        "ledger",
        ["id"],
        unique=False,
        postgresql_where=sa.text("seq IS NULL"),
    )
    op.create_index(
        "uq_ledger_once",
        "ledger",
        ["tenant_id", "once_key"],
        unique=True,
        postgresql_where=sa.text("once_key IS NOT NULL"),
    )
    op.create_table(
        "site",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("street", sa.Text(), nullable=True),
        sa.Column("postcode", sa.Text(), nullable=True),
        sa.Column("city", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column(
            "services", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("lat BETWEEN -90 AND 90", name=op.f("ck_site_lat_degrees")),
        sa.CheckConstraint("lon BETWEEN -180 AND 180", name=op.f("ck_site_lon_degrees")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_site_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_site_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("account_id", "name", name=op.f("uq_site_account_id_name")),
    )
    op.create_index(op.f("ix_site_account_id"), "site", ["account_id"], unique=False)
    op.create_index(op.f("ix_site_tenant_id"), "site", ["tenant_id"], unique=False)
    op.create_table(
        "user_reach",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_user_reach_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_user_reach_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_user_reach_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("user_id", "account_id", name=op.f("pk_user_reach")),
    )
    op.create_index(op.f("ix_user_reach_tenant_id"), "user_reach", ["tenant_id"], unique=False)
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "incident",
                "complaint",
                "inquiry",
                "service_request",
                "alarm",
                "maintenance",
                "enhancement",
                name="ticketkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column(
            "priority",
            sa.Enum(
                "critical", "high", "medium", "low", name="priority", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column(
            "source",
            sa.Enum(
                "guard",
                "client",
                "system",
                "partner",
                "alarm_centre",
                name="source",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reporter", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "new",
                "acknowledged",
                "in_progress",
                "paused",
                "resolved",
                "closed",
                name="status",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopened_count", sa.BigInteger(), nullable=False),
        sa.Column("reassigned_count", sa.BigInteger(), nullable=False),
        sa.Column("client_contact_count", sa.BigInteger(), nullable=False),
        sa.Column("external_source", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "acknowledged_at >= opened_at", name=op.f("ck_incident_acknowledged_after_opened")
        ),
        sa.CheckConstraint(
            "arrived_at >= opened_at", name=op.f("ck_incident_arrived_after_opened")
        ),
        sa.CheckConstraint("closed_at >= opened_at", name=op.f("ck_incident_closed_after_opened")),
        sa.CheckConstraint(
            "resolved_at >= opened_at", name=op.f("ck_incident_resolved_after_opened")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_incident_account_id_account")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_incident_site_id_site")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_incident_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint(
            "tenant_id",
            "external_source",
            "external_id",
            name=op.f("uq_incident_tenant_id_external_source_external_id"),
        ),
    )
    op.create_index(op.f("ix_incident_account_id"), "incident", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_incident_account_id_opened_at"),
        "incident",
        ["account_id", "opened_at"],
        unique=False,
    )
    op.create_index(
        "ix_incident_open",
        "incident",
        ["tenant_id", "opened_at"],
        unique=False,
        postgresql_where=sa.text("status <> 'closed'"),
    )
    op.create_index(op.f("ix_incident_tenant_id"), "incident", ["tenant_id"], unique=False)
    op.create_table(
        "message",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("template_version", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum(
                "email", "sms", "push", "webhook", name="channel", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("content_sha256", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "queued",
                "sending",
                "sent",
                "failed",
                name="messagestate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_message_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["contact.id"], name=op.f("fk_message_contact_id_contact")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_message_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("intent", "contact_id", name=op.f("uq_message_intent_contact_id")),
    )
    op.create_index(op.f("ix_message_account_id"), "message", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_message_account_id_queued_at"),
        "message",
        ["account_id", "queued_at"],
        unique=False,
    )
    op.create_index(op.f("ix_message_tenant_id"), "message", ["tenant_id"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("fact_id", sa.BigInteger(), nullable=False),
        sa.Column("job", sa.Text(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("pending", "done", "dead", name="outboxstate", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["fact_id"], ["ledger.id"], name=op.f("fk_outbox_fact_id_ledger")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_outbox_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("fact_id", "job", name=op.f("uq_outbox_fact_id_job")),
    )
    op.create_index(
        "ix_outbox_due",
        "outbox",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_index(op.f("ix_outbox_tenant_id"), "outbox", ["tenant_id"], unique=False)
    op.create_table(
        "terms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("in_force", postgresql.TSTZRANGE(), nullable=False),
        sa.Column("period_fee_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("credit_cap_cents", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("NOT isempty(in_force)", name=op.f("ck_terms_in_force_not_empty")),
        sa.CheckConstraint("credit_cap_cents >= 0", name=op.f("ck_terms_credit_cap_not_negative")),
        sa.CheckConstraint("period_fee_cents >= 0", name=op.f("ck_terms_period_fee_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_terms_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_terms_agreement_id_agreement")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_terms_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_terms")),
        sa.UniqueConstraint("agreement_id", "number", name=op.f("uq_terms_agreement_id_number")),
    )
    op.create_index(op.f("ix_terms_account_id"), "terms", ["account_id"], unique=False)
    op.create_index(op.f("ix_terms_tenant_id"), "terms", ["tenant_id"], unique=False)
    op.create_table(
        "incident_pause",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cap_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "cause",
            sa.Enum(
                "waiting_on_client",
                "access_denied",
                "force_majeure",
                name="pausecause",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column(
            "resumed_status",
            sa.Enum(
                "new",
                "acknowledged",
                "in_progress",
                "paused",
                "resolved",
                "closed",
                name="status",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("until_at >= from_at", name=op.f("ck_incident_pause_until_after_from")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_incident_pause_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_pause_incident_id_incident")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_incident_pause_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_pause")),
    )
    op.create_index(
        op.f("ix_incident_pause_account_id"), "incident_pause", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_incident_pause_incident_id_from_at"),
        "incident_pause",
        ["incident_id", "from_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_incident_pause_tenant_id"), "incident_pause", ["tenant_id"], unique=False
    )
    op.create_index(
        "uq_incident_pause_one_running",
        "incident_pause",
        ["incident_id"],
        unique=True,
        postgresql_where=sa.text("until_at IS NULL"),
    )
    op.create_table(
        "incident_update",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("client_visible", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_incident_update_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_incident_update_incident_id_incident")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_incident_update_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_update")),
    )
    op.create_index(
        op.f("ix_incident_update_account_id"), "incident_update", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_incident_update_incident_id_at"),
        "incident_update",
        ["incident_id", "at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_incident_update_tenant_id"), "incident_update", ["tenant_id"], unique=False
    )
    op.create_table(
        "promise_term",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("terms_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "first_response",
                "next_update",
                "arrival",
                "resolution",
                "closure",
                "agreed_date",
                name="promisekind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("calendar_version_id", sa.Uuid(), nullable=False),
        sa.Column("ticket_kinds", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("category", sa.Text(), nullable=True),
        sa.Column("objective_ppm", sa.BigInteger(), nullable=False),
        sa.Column("pausable", sa.Boolean(), nullable=False),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "objective_ppm BETWEEN 0 AND 1000000", name=op.f("ck_promise_term_objective_ppm")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_promise_term_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["calendar_version_id"],
            ["calendar_version.id"],
            name=op.f("fk_promise_term_calendar_version_id_calendar_version"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_promise_term_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["terms_id"], ["terms.id"], name=op.f("fk_promise_term_terms_id_terms")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise_term")),
        sa.UniqueConstraint("terms_id", "name", name=op.f("uq_promise_term_terms_id_name")),
    )
    op.create_index(
        op.f("ix_promise_term_account_id"), "promise_term", ["account_id"], unique=False
    )
    op.create_index(op.f("ix_promise_term_tenant_id"), "promise_term", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_promise_term_terms_id"), "promise_term", ["terms_id"], unique=False)
    op.create_table(
        "credit_rule",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("term_id", sa.Uuid(), nullable=False),
        sa.Column(
            "priority",
            sa.Enum(
                "critical", "high", "medium", "low", name="priority", native_enum=False, length=40
            ),
            nullable=True,
        ),
        sa.Column(
            "basis",
            sa.Enum("fixed", "fee_share", name="creditbasis", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("fixed_cents", sa.BigInteger(), nullable=True),
        sa.Column("fee_bps", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(basis = 'fixed') = (fixed_cents IS NOT NULL) AND (basis = 'fee_share') = (fee_bps IS NOT NULL)",
            name=op.f("ck_credit_rule_amount_fits_basis"),
        ),
        sa.CheckConstraint("fee_bps BETWEEN 0 AND 10000", name=op.f("ck_credit_rule_fee_bps")),
        sa.CheckConstraint(
            "fixed_cents >= 0", name=op.f("ck_credit_rule_fixed_cents_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_credit_rule_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_credit_rule_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["promise_term.id"], name=op.f("fk_credit_rule_term_id_promise_term")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_rule")),
        sa.UniqueConstraint(
            "term_id",
            "priority",
            name=op.f("uq_credit_rule_term_id_priority"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_credit_rule_account_id"), "credit_rule", ["account_id"], unique=False)
    op.create_index(op.f("ix_credit_rule_tenant_id"), "credit_rule", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_credit_rule_term_id"), "credit_rule", ["term_id"], unique=False)
    op.create_table(
        "promise",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("terms_id", sa.Uuid(), nullable=False),
        sa.Column("term_id", sa.Uuid(), nullable=False),
        sa.Column("part", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "first_response",
                "next_update",
                "arrival",
                "resolution",
                "closure",
                "agreed_date",
                name="promisekind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "priority",
            sa.Enum(
                "critical", "high", "medium", "low", name="priority", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("internal", sa.Boolean(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "running",
                "paused",
                "at_risk",
                "kept",
                "late",
                "cancelled",
                name="state",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("target_us", sa.BigInteger(), nullable=False),
        sa.Column("elapsed_us", sa.BigInteger(), nullable=False),
        sa.Column("paused_us", sa.BigInteger(), nullable=False),
        sa.Column("warned", sa.BigInteger(), nullable=False),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evaluator", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(state IN ('kept', 'late')) = (decided_at IS NOT NULL)",
            name=op.f("ck_promise_verdict_has_instant"),
        ),
        sa.CheckConstraint(
            "elapsed_us >= 0 AND paused_us >= 0", name=op.f("ck_promise_time_not_negative")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_promise_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_promise_agreement_id_agreement")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_promise_incident_id_incident")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_promise_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["promise_term.id"], name=op.f("fk_promise_term_id_promise_term")
        ),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.id"], name=op.f("fk_promise_terms_id_terms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise")),
        sa.UniqueConstraint(
            "incident_id", "term_id", "part", name=op.f("uq_promise_incident_id_term_id_part")
        ),
    )
    op.create_index(op.f("ix_promise_account_id"), "promise", ["account_id"], unique=False)
    op.create_index(
        "ix_promise_late",
        "promise",
        ["tenant_id", "decided_at"],
        unique=False,
        postgresql_where=sa.text("state = 'late'"),
    )
    op.create_index(op.f("ix_promise_tenant_id"), "promise", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_promise_term_id"), "promise", ["term_id"], unique=False)
    op.create_table(
        "promise_target",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("term_id", sa.Uuid(), nullable=False),
        sa.Column(
            "priority",
            sa.Enum(
                "critical", "high", "medium", "low", name="priority", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("elapsed_s", sa.BigInteger(), nullable=True),
        sa.Column("business_days", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(elapsed_s IS NULL) <> (business_days IS NULL)",
            name=op.f("ck_promise_target_one_kind_of_target"),
        ),
        sa.CheckConstraint(
            "elapsed_s >= 0 AND business_days >= 0",
            name=op.f("ck_promise_target_target_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_promise_target_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_promise_target_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["term_id"], ["promise_term.id"], name=op.f("fk_promise_target_term_id_promise_term")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise_target")),
        sa.UniqueConstraint("term_id", "priority", name=op.f("uq_promise_target_term_id_priority")),
    )
    op.create_index(
        op.f("ix_promise_target_account_id"), "promise_target", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_promise_target_tenant_id"), "promise_target", ["tenant_id"], unique=False
    )
    op.create_table(
        "credit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("promise_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("terms_id", sa.Uuid(), nullable=False),
        sa.Column("rule_id", sa.Uuid(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("uncapped_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("month_on", sa.Date(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_cents <= uncapped_cents", name=op.f("ck_credit_capped")),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("ck_credit_amount_not_negative")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_credit_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_credit_agreement_id_agreement")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_credit_incident_id_incident")
        ),
        sa.ForeignKeyConstraint(
            ["promise_id"], ["promise.id"], name=op.f("fk_credit_promise_id_promise")
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["credit_rule.id"], name=op.f("fk_credit_rule_id_credit_rule")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_credit_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(["terms_id"], ["terms.id"], name=op.f("fk_credit_terms_id_terms")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit")),
        sa.UniqueConstraint("promise_id", name=op.f("uq_credit_promise_id")),
    )
    op.create_index(op.f("ix_credit_account_id"), "credit", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_credit_agreement_id_month_on"),
        "credit",
        ["agreement_id", "month_on"],
        unique=False,
    )
    op.create_index(op.f("ix_credit_incident_id"), "credit", ["incident_id"], unique=False)
    op.create_index(op.f("ix_credit_tenant_id"), "credit", ["tenant_id"], unique=False)
    op.create_table(
        "promise_watch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("term_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_promise_watch_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_promise_watch_incident_id_incident")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_promise_watch_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promise_watch")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_promise_watch_incident_id")),
    )
    op.create_index(
        op.f("ix_promise_watch_account_id"), "promise_watch", ["account_id"], unique=False
    )
    op.create_index(
        "ix_promise_watch_due",
        "promise_watch",
        ["next_check_at"],
        unique=False,
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_promise_watch_tenant_id"), "promise_watch", ["tenant_id"], unique=False
    )
    op.execute(
        "ALTER TABLE terms ADD CONSTRAINT uq_terms_one_version_at_a_time "
        "UNIQUE (agreement_id, in_force WITHOUT OVERLAPS)"
    )
    op.execute("INSERT INTO ledger_shard SELECT generate_series(0, 15), 0")
    op.execute(KEEP_THE_LEDGER)
    op.execute(
        "CREATE TRIGGER ledger_keeps BEFORE UPDATE OR DELETE ON ledger "
        "FOR EACH ROW EXECUTE FUNCTION keep_the_ledger()"
    )
    op.execute(
        "CREATE TRIGGER ledger_keeps_all BEFORE TRUNCATE ON ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION keep_the_ledger()"
    )
    op.execute(
        "CREATE FUNCTION tell_of_facts() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM pg_notify('ledger', ''); RETURN NULL; END$$"
    )
    op.execute(
        "CREATE TRIGGER ledger_tells AFTER INSERT ON ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION tell_of_facts()"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_promise_watch_tenant_id"), table_name="promise_watch")
    op.drop_index(
        "ix_promise_watch_due",
        table_name="promise_watch",
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_promise_watch_account_id"), table_name="promise_watch")
    op.drop_table("promise_watch")
    op.drop_index(op.f("ix_credit_tenant_id"), table_name="credit")
    op.drop_index(op.f("ix_credit_incident_id"), table_name="credit")
    op.drop_index(op.f("ix_credit_agreement_id_month_on"), table_name="credit")
    op.drop_index(op.f("ix_credit_account_id"), table_name="credit")
    op.drop_table("credit")
    op.drop_index(op.f("ix_promise_target_tenant_id"), table_name="promise_target")
    op.drop_index(op.f("ix_promise_target_account_id"), table_name="promise_target")
    op.drop_table("promise_target")
    op.drop_index(op.f("ix_promise_term_id"), table_name="promise")
    op.drop_index(op.f("ix_promise_tenant_id"), table_name="promise")
    op.drop_index(
        "ix_promise_late", table_name="promise", postgresql_where=sa.text("state = 'late'")
    )
    op.drop_index(op.f("ix_promise_account_id"), table_name="promise")
    op.drop_table("promise")
    op.drop_index(op.f("ix_credit_rule_term_id"), table_name="credit_rule")
    op.drop_index(op.f("ix_credit_rule_tenant_id"), table_name="credit_rule")
    op.drop_index(op.f("ix_credit_rule_account_id"), table_name="credit_rule")
    op.drop_table("credit_rule")
    op.drop_index(op.f("ix_promise_term_terms_id"), table_name="promise_term")
    op.drop_index(op.f("ix_promise_term_tenant_id"), table_name="promise_term")
    op.drop_index(op.f("ix_promise_term_account_id"), table_name="promise_term")
    op.drop_table("promise_term")
    op.drop_index(op.f("ix_incident_update_tenant_id"), table_name="incident_update")
    op.drop_index(op.f("ix_incident_update_incident_id_at"), table_name="incident_update")
    op.drop_index(op.f("ix_incident_update_account_id"), table_name="incident_update")
    op.drop_table("incident_update")
    op.drop_index(
        "uq_incident_pause_one_running",
        table_name="incident_pause",
        postgresql_where=sa.text("until_at IS NULL"),
    )
    op.drop_index(op.f("ix_incident_pause_tenant_id"), table_name="incident_pause")
    op.drop_index(op.f("ix_incident_pause_incident_id_from_at"), table_name="incident_pause")
    op.drop_index(op.f("ix_incident_pause_account_id"), table_name="incident_pause")
    op.drop_table("incident_pause")
    op.drop_index(op.f("ix_terms_tenant_id"), table_name="terms")
    op.drop_index(op.f("ix_terms_account_id"), table_name="terms")
    op.drop_table("terms")
    op.drop_index(op.f("ix_outbox_tenant_id"), table_name="outbox")
    op.drop_index(
        "ix_outbox_due", table_name="outbox", postgresql_where=sa.text("state = 'pending'")
    )
    op.drop_table("outbox")
    op.drop_index(op.f("ix_message_tenant_id"), table_name="message")
    op.drop_index(op.f("ix_message_account_id_queued_at"), table_name="message")
    op.drop_index(op.f("ix_message_account_id"), table_name="message")
    op.drop_table("message")
    op.drop_index(op.f("ix_incident_tenant_id"), table_name="incident")
    op.drop_index(
        "ix_incident_open", table_name="incident", postgresql_where=sa.text("status <> 'closed'")
    )
    op.drop_index(op.f("ix_incident_account_id_opened_at"), table_name="incident")
    op.drop_index(op.f("ix_incident_account_id"), table_name="incident")
    op.drop_table("incident")
    op.drop_index(op.f("ix_user_reach_tenant_id"), table_name="user_reach")
    op.drop_table("user_reach")
    op.drop_index(op.f("ix_site_tenant_id"), table_name="site")
    op.drop_index(op.f("ix_site_account_id"), table_name="site")
    op.drop_table("site")
    op.drop_index(
        "uq_ledger_once", table_name="ledger", postgresql_where=sa.text("once_key IS NOT NULL")
    )
    op.drop_index(
        "ix_ledger_unnumbered", table_name="ledger", postgresql_where=sa.text("seq IS NULL")
    )
    op.drop_index(op.f("ix_ledger_tenant_id_account_id_seq"), table_name="ledger")
    op.drop_index(op.f("ix_ledger_subject_id_id"), table_name="ledger")
    op.drop_index("ix_ledger_shard_seq", table_name="ledger")
    op.drop_table("ledger")
    op.drop_index(op.f("ix_contact_tenant_id"), table_name="contact")
    op.drop_index(op.f("ix_contact_account_id"), table_name="contact")
    op.drop_table("contact")
    op.drop_index(op.f("ix_calendar_version_tenant_id"), table_name="calendar_version")
    op.drop_table("calendar_version")
    op.drop_index(op.f("ix_agreement_tenant_id"), table_name="agreement")
    op.drop_index(op.f("ix_agreement_account_id"), table_name="agreement")
    op.drop_table("agreement")
    op.drop_table("ledger_head")
    op.drop_index(op.f("ix_idempotency_answered_at"), table_name="idempotency")
    op.drop_table("idempotency")
    op.drop_index(op.f("ix_calendar_tenant_id"), table_name="calendar")
    op.drop_table("calendar")
    op.drop_index(op.f("ix_app_user_tenant_id"), table_name="app_user")
    op.drop_table("app_user")
    op.drop_index(op.f("ix_api_key_tenant_id"), table_name="api_key")
    op.drop_table("api_key")
    op.drop_index(op.f("ix_account_tenant_id_id"), table_name="account")
    op.drop_index(op.f("ix_account_tenant_id"), table_name="account")
    op.drop_table("account")
    op.drop_table("tenant")
    op.drop_table("ledger_shard")
    op.execute("DROP FUNCTION keep_the_ledger()")
    op.execute("DROP FUNCTION tell_of_facts()")
    op.execute("DROP EXTENSION btree_gist")
