"""Device records: how wrong a device's clock is, and what of it was refused last."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0025"
down_revision: str | Sequence[str] | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    for name in ("clock_ms", "refusals"):
        op.add_column(
            "device", sa.Column(name, sa.BigInteger(), nullable=False, server_default=sa.text("0"))
        )
        op.alter_column("device", name, server_default=None)
    op.add_column("device", sa.Column("refused_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("device", sa.Column("refused_for", sa.Text(), nullable=True))
    op.add_column("device", sa.Column("refused_message", sa.Text(), nullable=True))


def downgrade() -> None:
    for name in ("refused_message", "refused_for", "refused_at", "refusals", "clock_ms"):
        op.drop_column("device", name)
