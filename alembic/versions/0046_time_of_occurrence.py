"""Time of occurrence: when an incident happened, and which promises start their clock then."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0046"
down_revision: str | Sequence[str] | None = "0045"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("incident", sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_incident_occurred_before_told"), "incident", "occurred_at <= opened_at"
    )
    op.add_column(
        "promise_term",
        sa.Column("clock_start", sa.String(40), server_default="told", nullable=False),
    )
    op.alter_column("promise_term", "clock_start", server_default=None)


def downgrade() -> None:
    _refuse("incident", "occurred_at IS NOT NULL")
    _refuse("promise_term", "clock_start <> 'told' OR kind = 'incident_told'")
    op.drop_column("promise_term", "clock_start")
    op.drop_constraint(op.f("ck_incident_occurred_before_told"), "incident", type_="check")
    op.drop_column("incident", "occurred_at")


def _refuse(table: str, what: str) -> None:
    """What was said of the time of occurrence has no place in the tables before."""
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        f"DO $$ BEGIN IF EXISTS (SELECT FROM {table} WHERE {what}) THEN"
        f" RAISE EXCEPTION '{table} has rows about times of occurrence'; END IF; END $$"
    )
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
