"""Ratings of closed surveys are counted once."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0066"
down_revision: str | Sequence[str] | None = "0065"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "survey_response", sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True)
    )
    # Nothing was promised about what closed before; open surveys are counted when they close.
    op.execute(
        "UPDATE survey_response r SET counted_at = i.closes_at FROM survey_invitation i"
        " WHERE i.id = r.invitation_id AND i.closes_at <= now()"
    )
    op.create_index(
        "ix_survey_response_uncounted",
        "survey_response",
        ["invitation_id"],
        postgresql_where=sa.text("counted_at IS NULL AND NOT is_anonymous"),
    )


def downgrade() -> None:
    op.drop_index("ix_survey_response_uncounted", table_name="survey_response")
    op.drop_column("survey_response", "counted_at")
