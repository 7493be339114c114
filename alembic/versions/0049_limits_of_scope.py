"""Services: promises are limited to some, and incidents state which one they concern."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0049"
down_revision: str | Sequence[str] | None = "0048"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("incident", sa.Column("service", sa.Text(), nullable=True))
    op.add_column(
        "promise_term",
        sa.Column("services", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}"),
    )
    op.alter_column("promise_term", "services", server_default=None)


def downgrade() -> None:
    op.drop_column("promise_term", "services")
    op.drop_column("incident", "service")
