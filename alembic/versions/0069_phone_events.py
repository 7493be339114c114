"""Events of guard apps: batches, and each event once."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0069"
down_revision: str | Sequence[str] | None = "0068"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "phone_batch",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.Text(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_error_ms", sa.BigInteger(), nullable=False),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), nullable=False),
        sa.Column("waiting", sa.BigInteger(), nullable=False),
        sa.Column("refused", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_phone_batch_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_phone_batch_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_batch")),
    )
    op.execute("ALTER TABLE phone_batch ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE phone_batch FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY fence ON phone_batch USING (tenant_id = (SELECT fence_tenant()))")
    op.create_index(op.f("ix_phone_batch_tenant_id"), "phone_batch", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_phone_batch_user_id"), "phone_batch", ["user_id"], unique=False)
    op.create_table(
        "phone_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("batch_id", sa.Uuid(), nullable=False),
        sa.Column("event_key", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "clock_in",
                "clock_out",
                "scan",
                name="phoneeventkind",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["phone_batch.id"], name=op.f("fk_phone_event_batch_id_phone_batch")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_phone_event_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_phone_event_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_phone_event")),
        sa.UniqueConstraint("user_id", "event_key", name=op.f("uq_phone_event_user_id_event_key")),
    )
    op.execute("ALTER TABLE phone_event ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE phone_event FORCE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY fence ON phone_event USING (tenant_id = (SELECT fence_tenant()))")
    op.create_index(op.f("ix_phone_event_batch_id"), "phone_event", ["batch_id"], unique=False)
    op.create_index(op.f("ix_phone_event_tenant_id"), "phone_event", ["tenant_id"], unique=False)
    op.create_index(
        "ix_phone_event_waiting",
        "phone_event",
        ["user_id", "happened_at"],
        unique=False,
        postgresql_where=sa.text("body IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_phone_event_waiting",
        table_name="phone_event",
        postgresql_where=sa.text("body IS NOT NULL"),
    )
    op.drop_index(op.f("ix_phone_event_tenant_id"), table_name="phone_event")
    op.drop_index(op.f("ix_phone_event_batch_id"), table_name="phone_event")
    op.drop_table("phone_event")
    op.drop_index(op.f("ix_phone_batch_user_id"), table_name="phone_batch")
    op.drop_index(op.f("ix_phone_batch_tenant_id"), table_name="phone_batch")
    op.drop_table("phone_batch")
