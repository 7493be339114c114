"""Duration of agreements: last day, notice period, renewal without notice."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0059"
down_revision: str | Sequence[str] | None = "0058"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("agreement", sa.Column("fixed_until", sa.Date(), nullable=True))
    for name in ("notice_months", "notice_days"):
        column = sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
        op.add_column("agreement", column)
    op.add_column("agreement", sa.Column("renews_for_months", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_agreement_duration_not_negative"),
        "agreement",
        "notice_months >= 0 AND notice_days >= 0 AND renews_for_months >= 1",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_agreement_duration_not_negative"), "agreement")
    for name in ("renews_for_months", "notice_days", "notice_months", "fixed_until"):
        op.drop_column("agreement", name)
