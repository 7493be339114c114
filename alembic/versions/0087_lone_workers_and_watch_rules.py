"""Welfare checks, signs of distress, and incidents that the system opened once for each event."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0087"
down_revision: str | Sequence[str] | None = "0086"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "system_opening",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column(
            "rule",
            sa.Enum(
                "no_show",
                "missed_points",
                "silence",
                "expiring_qualification",
                name="watchrule",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_system_opening_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_system_opening_incident_id_incident")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_system_opening_tenant_id_tenant")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_opening")),
        sa.UniqueConstraint("incident_id", name=op.f("uq_system_opening_incident_id")),
        sa.UniqueConstraint("rule", "subject_id", name=op.f("uq_system_opening_rule_subject_id")),
    )
    op.execute("ALTER TABLE system_opening ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE system_opening FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON system_opening USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_system_opening_account_id"), "system_opening", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_system_opening_tenant_id"), "system_opening", ["tenant_id"], unique=False
    )
    op.create_table(
        "distress_sign",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column(
            "cause",
            sa.Enum(
                "panic",
                "no_movement",
                "missed_check",
                name="distresscause",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("position_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(lat IS NULL) = (lon IS NULL)", name=op.f("ck_distress_sign_position_is_whole")
        ),
        sa.CheckConstraint(
            "ended_at IS NULL OR lat IS NULL", name=op.f("ck_distress_sign_position_ends")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_distress_sign_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_distress_sign_incident_id_incident")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_distress_sign_shift_id_shift")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_distress_sign_site_id_site")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_distress_sign_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_distress_sign_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_distress_sign")),
        sa.UniqueConstraint(
            "shift_id", "cause", "event_key", name=op.f("uq_distress_sign_shift_id_cause_event_key")
        ),
    )
    op.execute("ALTER TABLE distress_sign ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE distress_sign FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON distress_sign USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_distress_sign_account_id"), "distress_sign", ["account_id"], unique=False
    )
    op.create_index(
        op.f("ix_distress_sign_incident_id"), "distress_sign", ["incident_id"], unique=False
    )
    op.create_index(
        "ix_distress_sign_open",
        "distress_sign",
        ["shift_id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        op.f("ix_distress_sign_tenant_id"), "distress_sign", ["tenant_id"], unique=False
    )
    op.create_index(op.f("ix_distress_sign_user_id"), "distress_sign", ["user_id"], unique=False)
    op.create_table(
        "welfare_watch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("every_s", sa.BigInteger(), nullable=False),
        sa.Column("grace_s", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "ended_at IS NULL OR look_at IS NULL",
            name=op.f("ck_welfare_watch_ended_is_not_watched"),
        ),
        sa.CheckConstraint("every_s > 0 AND grace_s >= 0", name=op.f("ck_welfare_watch_periods")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_welfare_watch_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_welfare_watch_shift_id_shift")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_welfare_watch_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_welfare_watch_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_welfare_watch")),
        sa.UniqueConstraint("shift_id", name=op.f("uq_welfare_watch_shift_id")),
    )
    op.execute("ALTER TABLE welfare_watch ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE welfare_watch FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON welfare_watch USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_welfare_watch_account_id"), "welfare_watch", ["account_id"], unique=False
    )
    op.create_index(
        "ix_welfare_watch_due",
        "welfare_watch",
        ["tenant_id", "look_at"],
        unique=False,
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_welfare_watch_tenant_id"), "welfare_watch", ["tenant_id"], unique=False
    )
    op.create_index(op.f("ix_welfare_watch_user_id"), "welfare_watch", ["user_id"], unique=False)
    op.execute(
        "CREATE TRIGGER announce_look_at_set AFTER INSERT ON welfare_watch FOR EACH ROW WHEN (NEW.look_at IS NOT NULL) "
        "EXECUTE FUNCTION announce_change('welfare_watch.look_at')"
    )
    op.execute(
        "CREATE TRIGGER announce_look_at_earlier AFTER UPDATE OF look_at ON welfare_watch FOR EACH ROW "
        "WHEN (NEW.look_at < OLD.look_at OR OLD.look_at IS NULL AND NEW.look_at IS NOT NULL) "
        "EXECUTE FUNCTION announce_change('welfare_watch.look_at')"
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_welfare_watch_user_id"), table_name="welfare_watch")
    op.drop_index(op.f("ix_welfare_watch_tenant_id"), table_name="welfare_watch")
    op.drop_index(
        "ix_welfare_watch_due",
        table_name="welfare_watch",
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_welfare_watch_account_id"), table_name="welfare_watch")
    op.drop_table("welfare_watch")
    op.drop_index(op.f("ix_distress_sign_user_id"), table_name="distress_sign")
    op.drop_index(op.f("ix_distress_sign_tenant_id"), table_name="distress_sign")
    op.drop_index(
        "ix_distress_sign_open",
        table_name="distress_sign",
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.drop_index(op.f("ix_distress_sign_incident_id"), table_name="distress_sign")
    op.drop_index(op.f("ix_distress_sign_account_id"), table_name="distress_sign")
    op.drop_table("distress_sign")
    op.drop_index(op.f("ix_system_opening_tenant_id"), table_name="system_opening")
    op.drop_index(op.f("ix_system_opening_account_id"), table_name="system_opening")
    op.drop_table("system_opening")
