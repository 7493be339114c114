"""Credentials: passwords, invitations, sign-ins with their refresh tokens, devices."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0005"
down_revision: str | Sequence[str] | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ("password", "invitation", "sign_in", "refresh_token", "device")
AT = sa.DateTime(timezone=True)


def _of_a_company(table: str) -> list[sa.Column[object] | sa.Constraint]:
    return [
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=f"fk_{table}_tenant_id_tenant"),
    ]


def _of_a_user(table: str) -> list[sa.Column[object] | sa.Constraint]:
    return [
        *_of_a_company(table),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=f"fk_{table}_user_id_app_user"),
    ]


def _keyed(table: str) -> list[sa.Column[object] | sa.Constraint]:
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        *_of_a_user(table),
    ]


def upgrade() -> None:
    op.create_index("ix_app_user_email", "app_user", ["email"])
    op.create_table(
        "password",
        *_of_a_user("password"),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("changed_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_password"),
    )
    op.create_table(
        "invitation",
        *_keyed("invitation"),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", AT, nullable=False),
        sa.Column("used_at", AT, nullable=True),
        sa.UniqueConstraint("secret_sha256", name="uq_invitation_secret_sha256"),
    )
    op.create_table(
        "sign_in",
        *_keyed("sign_in"),
        sa.Column("started_at", AT, nullable=False),
        sa.Column("renewed_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=True),
        sa.Column(
            "ended_by",
            sa.Enum(
                "user", "password_change", "reuse", name="endedby", native_enum=False, length=40
            ),
            nullable=True,
        ),
    )
    op.create_table(
        "refresh_token",
        *_of_a_company("refresh_token"),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("sign_in_id", sa.Uuid(), nullable=False),
        sa.Column("issued_at", AT, nullable=False),
        sa.Column("used_at", AT, nullable=True),
        sa.ForeignKeyConstraint(
            ["sign_in_id"], ["sign_in.id"], name="fk_refresh_token_sign_in_id_sign_in"
        ),
        sa.PrimaryKeyConstraint("secret_sha256", name="pk_refresh_token"),
    )
    op.create_table(
        "device",
        *_keyed("device"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("enrolled_at", AT, nullable=False),
        sa.Column("revoked_at", AT, nullable=True),
        sa.UniqueConstraint("secret_sha256", name="uq_device_secret_sha256"),
    )
    op.create_index("ix_refresh_token_sign_in_id", "refresh_token", ["sign_in_id"])
    for table in ("invitation", "sign_in", "device"):
        op.create_index(f"ix_{table}_user_id", table, ["user_id"])
    for table in TABLES:
        op.create_index(f"ix_{table}_tenant_id", table, ["tenant_id"])
        for statement in _policy(table):
            op.execute(statement)


def downgrade() -> None:
    for table in ("device", "refresh_token", "sign_in", "invitation", "password"):
        op.drop_table(table)
    op.drop_index("ix_app_user_email", table_name="app_user")


def _policy(table: str) -> list[str]:
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY fence ON {table} USING (tenant_id = (SELECT fence_tenant()))",
    ]
