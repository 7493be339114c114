"""Limits of promises: to sites and to hours; terms signed before keep the rule under which they were signed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0035"
down_revision: str | Sequence[str] | None = "0034"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("terms", sa.Column("rule", sa.BigInteger(), server_default="1", nullable=False))
    op.alter_column("terms", "rule", server_default=None)
    op.add_column(
        "promise_term",
        sa.Column("site_ids", sa.ARRAY(sa.Uuid()), server_default="{}", nullable=False),
    )
    op.alter_column("promise_term", "site_ids", server_default=None)
    op.add_column("promise_term", sa.Column("hours_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_promise_term_hours_id_calendar_version"),
        "promise_term",
        "calendar_version",
        ["hours_id"],
        ["id"],
    )


def downgrade() -> None:
    op.drop_constraint(
        op.f("fk_promise_term_hours_id_calendar_version"), "promise_term", type_="foreignkey"
    )
    op.drop_column("promise_term", "hours_id")
    op.drop_column("promise_term", "site_ids")
    op.drop_column("terms", "rule")
