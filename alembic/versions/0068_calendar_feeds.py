"""Links to calendars of shifts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0068"
down_revision: str | Sequence[str] | None = "0067"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(site_id IS NULL) = (account_id IS NULL)",
            name=op.f("ck_calendar_feed_site_has_account"),
        ),
        sa.CheckConstraint(
            "(user_id IS NULL) <> (site_id IS NULL)", name=op.f("ck_calendar_feed_of_guard_or_site")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_calendar_feed_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["site_id"], ["site.id"], name=op.f("fk_calendar_feed_site_id_site")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_calendar_feed_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_calendar_feed_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_calendar_feed")),
    )
    op.execute("ALTER TABLE calendar_feed ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE calendar_feed FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON calendar_feed USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(
        op.f("ix_calendar_feed_account_id"), "calendar_feed", ["account_id"], unique=False
    )
    op.create_index(op.f("ix_calendar_feed_site_id"), "calendar_feed", ["site_id"], unique=False)
    op.create_index(
        op.f("ix_calendar_feed_tenant_id"), "calendar_feed", ["tenant_id"], unique=False
    )
    op.create_index(op.f("ix_calendar_feed_user_id"), "calendar_feed", ["user_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_calendar_feed_user_id"), table_name="calendar_feed")
    op.drop_index(op.f("ix_calendar_feed_tenant_id"), table_name="calendar_feed")
    op.drop_index(op.f("ix_calendar_feed_site_id"), table_name="calendar_feed")
    op.drop_index(op.f("ix_calendar_feed_account_id"), table_name="calendar_feed")
    op.drop_table("calendar_feed")
