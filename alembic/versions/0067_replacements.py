"""Replacements of absent guards, offers of shifts, bars of guards, and where guards travel from."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0067"
down_revision: str | Sequence[str] | None = "0066"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "guard_bar",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("barred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lifted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_guard_bar_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_guard_bar_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_guard_bar_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guard_bar")),
    )
    op.execute("ALTER TABLE guard_bar ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE guard_bar FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON guard_bar USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(op.f("ix_guard_bar_account_id"), "guard_bar", ["account_id"], unique=False)
    op.create_index(op.f("ix_guard_bar_tenant_id"), "guard_bar", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_guard_bar_user_id"), "guard_bar", ["user_id"], unique=False)
    op.create_index(
        "uq_guard_bar_that_stands",
        "guard_bar",
        ["account_id", "user_id"],
        unique=True,
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.create_table(
        "replacement",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("shift_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=False),
        sa.Column(
            "cause",
            sa.Enum("reported", "no_show", name="absencecause", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "sought",
                "found",
                "on_the_way",
                "arrived",
                "unfilled",
                "withdrawn",
                name="replacementstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts_from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replacing_user_id", sa.Uuid(), nullable=True),
        sa.Column("replacing_number", sa.BigInteger(), nullable=True),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("on_the_way_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrives_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "arrival_grade",
            sa.Enum("A", "B", "C", "D", name="grade", native_enum=False, length=40),
            nullable=True,
        ),
        sa.Column("reassessed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("by_hand_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wave", sa.BigInteger(), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "(state = 'arrived') = (arrived_at IS NOT NULL)", name=op.f("ck_replacement_arrived_at")
        ),
        sa.CheckConstraint(
            "(state = 'withdrawn') = (withdrawn_at IS NOT NULL)",
            name=op.f("ck_replacement_withdrawn_at"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_replacement_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["replacing_user_id"],
            ["app_user.id"],
            name=op.f("fk_replacement_replacing_user_id_app_user"),
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"], ["shift.id"], name=op.f("fk_replacement_shift_id_shift")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_replacement_site_id_site")),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_replacement_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_replacement_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replacement")),
    )
    op.execute("ALTER TABLE replacement ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE replacement FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON replacement USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(op.f("ix_replacement_account_id"), "replacement", ["account_id"], unique=False)
    op.create_index(
        "ix_replacement_due",
        "replacement",
        ["tenant_id", "look_at"],
        unique=False,
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_replacement_replacing_user_id"), "replacement", ["replacing_user_id"], unique=False
    )
    op.create_index(
        op.f("ix_replacement_site_id_known_at"),
        "replacement",
        ["site_id", "known_at"],
        unique=False,
    )
    op.create_index(op.f("ix_replacement_tenant_id"), "replacement", ["tenant_id"], unique=False)
    op.create_index(op.f("ix_replacement_user_id"), "replacement", ["user_id"], unique=False)
    op.create_index(
        "uq_replacement_that_stands",
        "replacement",
        ["shift_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.create_table(
        "shift_offer",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("replacement_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "accepted",
                "declined",
                "closed",
                name="offerstate",
                native_enum=False,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("wave", sa.BigInteger(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("site_name", sa.Text(), nullable=False),
        sa.Column("post_name", sa.Text(), nullable=False),
        sa.Column("travel_minutes", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'open') = (closed_at IS NULL)", name=op.f("ck_shift_offer_closed_at")
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_shift_offer_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["replacement_id"],
            ["replacement.id"],
            name=op.f("fk_shift_offer_replacement_id_replacement"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id"], ["tenant.id"], name=op.f("fk_shift_offer_tenant_id_tenant")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_shift_offer_user_id_app_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_offer")),
        sa.UniqueConstraint(
            "replacement_id", "user_id", name=op.f("uq_shift_offer_replacement_id_user_id")
        ),
    )
    op.execute("ALTER TABLE shift_offer ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE shift_offer FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY fence ON shift_offer USING ("
        "tenant_id = (SELECT fence_tenant())"
        " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
        " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
        ")"
    )
    op.create_index(op.f("ix_shift_offer_account_id"), "shift_offer", ["account_id"], unique=False)
    op.create_index(op.f("ix_shift_offer_tenant_id"), "shift_offer", ["tenant_id"], unique=False)
    op.create_index(
        op.f("ix_shift_offer_user_id_offered_at"),
        "shift_offer",
        ["user_id", "offered_at"],
        unique=False,
    )
    op.create_index(
        "uq_shift_offer_accepted",
        "shift_offer",
        ["replacement_id"],
        unique=True,
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.add_column("guard_profile", sa.Column("home_lat", sa.Double(), nullable=True))
    op.add_column("guard_profile", sa.Column("home_lon", sa.Double(), nullable=True))
    op.add_column("guard_profile", sa.Column("hour_cost_cents", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_guard_profile_home_lat_degrees"), "guard_profile", "home_lat BETWEEN -90 AND 90"
    )
    op.create_check_constraint(
        op.f("ck_guard_profile_home_lon_degrees"), "guard_profile", "home_lon BETWEEN -180 AND 180"
    )
    op.create_check_constraint(
        op.f("ck_guard_profile_home_is_whole"),
        "guard_profile",
        "(home_lat IS NULL) = (home_lon IS NULL)",
    )
    op.create_check_constraint(
        op.f("ck_guard_profile_hour_cost_not_negative"), "guard_profile", "hour_cost_cents >= 0"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_guard_profile_home_lat_degrees"), "guard_profile", type_="check")
    op.drop_constraint(op.f("ck_guard_profile_home_lon_degrees"), "guard_profile", type_="check")
    op.drop_constraint(op.f("ck_guard_profile_home_is_whole"), "guard_profile", type_="check")
    op.drop_constraint(
        op.f("ck_guard_profile_hour_cost_not_negative"), "guard_profile", type_="check"
    )
    op.drop_column("guard_profile", "hour_cost_cents")
    op.drop_column("guard_profile", "home_lon")
    op.drop_column("guard_profile", "home_lat")
    op.drop_index(
        "uq_shift_offer_accepted",
        table_name="shift_offer",
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.drop_index(op.f("ix_shift_offer_user_id_offered_at"), table_name="shift_offer")
    op.drop_index(op.f("ix_shift_offer_tenant_id"), table_name="shift_offer")
    op.drop_index(op.f("ix_shift_offer_account_id"), table_name="shift_offer")
    op.drop_table("shift_offer")
    op.drop_index(
        "uq_replacement_that_stands",
        table_name="replacement",
        postgresql_where=sa.text("state <> 'withdrawn'"),
    )
    op.drop_index(op.f("ix_replacement_user_id"), table_name="replacement")
    op.drop_index(op.f("ix_replacement_tenant_id"), table_name="replacement")
    op.drop_index(op.f("ix_replacement_site_id_known_at"), table_name="replacement")
    op.drop_index(op.f("ix_replacement_replacing_user_id"), table_name="replacement")
    op.drop_index(
        "ix_replacement_due",
        table_name="replacement",
        postgresql_where=sa.text("look_at IS NOT NULL"),
    )
    op.drop_index(op.f("ix_replacement_account_id"), table_name="replacement")
    op.drop_table("replacement")
    op.drop_index(
        "uq_guard_bar_that_stands",
        table_name="guard_bar",
        postgresql_where=sa.text("lifted_at IS NULL"),
    )
    op.drop_index(op.f("ix_guard_bar_user_id"), table_name="guard_bar")
    op.drop_index(op.f("ix_guard_bar_tenant_id"), table_name="guard_bar")
    op.drop_index(op.f("ix_guard_bar_account_id"), table_name="guard_bar")
    op.drop_table("guard_bar")
