"""Alarms and their response, alarm systems, and the register of keys with its unchangeable history."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0086"
down_revision: str | Sequence[str] | None = "0085"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "alarm_system",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("zones", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("qualifications", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("checklist", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_alarm_system_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["key_id"], ["api_key.id"], name=op.f("fk_alarm_system_key_id_api_key")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_alarm_system_site_id_site")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_alarm_system_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_system")),
    )
    op.execute("ALTER TABLE alarm_system ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE alarm_system FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON alarm_system USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_alarm_system_account_id"), "alarm_system", ["account_id"], unique=False
    )
    op.create_index(op.f("ix_alarm_system_site_id"), "alarm_system", ["site_id"], unique=False)
    op.create_index(op.f("ix_alarm_system_tenant_id"), "alarm_system", ["tenant_id"], unique=False)
    op.create_index(
        "uq_alarm_system_in_use",
        "alarm_system",
        ["key_id", "number"],
        unique=True,
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_table(
        "registered_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_registered_key_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["holder_id"], ["app_user.id"], name=op.f("fk_registered_key_holder_id_app_user")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_registered_key_site_id_site")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_registered_key_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registered_key")),
    )
    op.execute("ALTER TABLE registered_key ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE registered_key FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON registered_key USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_registered_key_account_id"), "registered_key", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_registered_key_tenant_id"), "registered_key", ["tenant_id"], unique=False
    )
    op.create_index(
        "uq_registered_key_label",
        "registered_key",
        ["site_id", "label"],
        unique=True,
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "alarm",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=True),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("sender_number", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "burglary",
                "hold_up",
                "fire",
                "medical",
                "water",
                "technical",
                "other",
                name="alarmkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("event_code", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.Column("zone_name", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "received",
                "dispatched",
                "accepted",
                "en_route",
                "on_site",
                "inspected",
                "reported",
                "called_off",
                name="alarmstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("distance_m", sa.BigInteger(), nullable=True),
        sa.Column("arrives_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("en_route_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "arrival_grade",
            sa.Enum("A", "B", "C", "D", name="grade", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("inspected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("inspection", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum(
                "confirmed",
                "nothing_found",
                "false_alarm",
                name="alarmoutcome",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column(
            "false_alarm_cause",
            sa.Enum(
                "user_error",
                "defect",
                "weather",
                "animal",
                "cleaning",
                "unknown",
                name="falsealarmcause",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("report", sa.Text(), nullable=True),
        sa.Column("called_off_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("police_number", sa.Text(), nullable=True),
        sa.Column("police_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(false_alarm_cause IS NOT NULL) = (outcome IS NOT DISTINCT FROM 'false_alarm')",
            name=op.f("ck_alarm_false_alarm_has_cause"),
        ),
        sa.CheckConstraint(
            "(state = 'reported') = (reported_at IS NOT NULL)",
            name=op.f("ck_alarm_reported_at"),
        ),
        sa.CheckConstraint(
            "(police_number IS NULL) = (police_at IS NULL)", name=op.f("ck_alarm_police_is_whole")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_alarm_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_alarm_incident_id_incident")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_alarm_site_id_site")),
        sa.ForeignKeyConstraint(
            ["system_id"], ["alarm_system.id"], name=op.f("fk_alarm_system_id_alarm_system")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_alarm_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_alarm_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_alarm_incident_id")),
        sa.UniqueConstraint(
            "tenant_id",
            "sender",
            "sender_number",
            name=op.f("uq_alarm_tenant_id_sender_sender_number"),
        ),
    )
    op.execute("ALTER TABLE alarm ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE alarm FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON alarm USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(op.f("ix_alarm_account_id"), "alarm", ["account_id"], unique=False)
    op.create_index(
        op.f("ix_alarm_site_id_received_at"), "alarm", ["site_id", "received_at"], unique=False
    )
    op.create_index(op.f("ix_alarm_tenant_id"), "alarm", ["tenant_id"], unique=False)
    op.create_index(
        op.f("ix_alarm_tenant_id_received_at"), "alarm", ["tenant_id", "received_at"], unique=False
    )
    op.create_index(op.f("ix_alarm_user_id"), "alarm", ["user_id"], unique=False)
    op.create_index(
        "uq_alarm_one_of_guard",
        "alarm",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text(
            "state IN ('dispatched', 'accepted', 'en_route', 'on_site', 'inspected')"
        ),
    )
    op.create_table(
        "key_movement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("issued", "returned", name="keymovementkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_key_movement_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["key_id"], ["registered_key.id"], name=op.f("fk_key_movement_key_id_registered_key")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_key_movement_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_key_movement_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_movement")),
    )
    op.execute("ALTER TABLE key_movement ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE key_movement FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON key_movement USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_key_movement_account_id"), "key_movement", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_key_movement_key_id_moved_at"),
        "key_movement",
        ["key_id", "moved_at"],
        unique=False,
    )
    op.create_index(op.f("ix_key_movement_tenant_id"), "key_movement", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_key_movement_user_id"), "key_movement", ["user_id"], unique=False)
    op.execute(
        "CREATE TRIGGER key_movement_stays BEFORE UPDATE OR DELETE ON key_movement"
        " FOR EACH ROW EXECUTE FUNCTION keep_the_proofs()"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_key_movement_user_id"), table_name="key_movement")
    op.drop_index(op.f("ix_key_movement_tenant_id"), table_name="key_movement")
    op.drop_index(op.f("ix_key_movement_key_id_moved_at"), table_name="key_movement")
    op.drop_index(op.f("ix_key_movement_account_id"), table_name="key_movement")
    op.drop_table("key_movement")
    op.drop_index(
        "uq_alarm_one_of_guard",
        table_name="alarm",
        postgresql_where=sa.text(
            "state IN ('dispatched', 'accepted', 'en_route', 'on_site', 'inspected')"
        ),
    )
    op.drop_index(op.f("ix_alarm_user_id"), table_name="alarm")
    op.drop_index(op.f("ix_alarm_tenant_id_received_at"), table_name="alarm")
    op.drop_index(op.f("ix_alarm_tenant_id"), table_name="alarm")
    op.drop_index(op.f("ix_alarm_site_id_received_at"), table_name="alarm")
    op.drop_index(op.f("ix_alarm_account_id"), table_name="alarm")
    op.drop_table("alarm")
    op.drop_index(
        "uq_registered_key_label",
        table_name="registered_key",
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.drop_index(op.f("ix_registered_key_tenant_id"), table_name="registered_key")
    op.drop_index(op.f("ix_registered_key_account_id"), table_name="registered_key")
    op.drop_table("registered_key")
    op.drop_index(
        "uq_alarm_system_in_use",
        table_name="alarm_system",
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.drop_index(op.f("ix_alarm_system_tenant_id"), table_name="alarm_system")
    op.drop_index(op.f("ix_alarm_system_site_id"), table_name="alarm_system")
    op.drop_index(op.f("ix_alarm_system_account_id"), table_name="alarm_system")
    op.drop_table("alarm_system")
