"""Pinned parameters: units under promise keep the pause allowance and the warnings of the time when they began."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0047"
down_revision: str | Sequence[str] | None = "0046"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("promise_watch", sa.Column("pause_allowance_s", sa.BigInteger(), nullable=True))
    op.add_column(
        "promise_watch", sa.Column("warn_percents", sa.ARRAY(sa.BigInteger()), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("promise_watch", "warn_percents")
    op.drop_column("promise_watch", "pause_allowance_s")
