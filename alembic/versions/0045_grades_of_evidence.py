"""Grades of evidence: a promise may state the lowest grade that counts, and who is favoured by doubt."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0045"
down_revision: str | Sequence[str] | None = "0044"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    grade = sa.Enum("A", "B", "C", "D", name="grade", native_enum=False, length=40)
    op.add_column("promise_term", sa.Column("lowest_grade", grade, nullable=True))
    favours = sa.Enum("client", "company", name="doubtfavours", native_enum=False, length=40)
    op.add_column(
        "promise_term",
        sa.Column("doubt_favours", favours, server_default="client", nullable=False),
    )
    op.alter_column("promise_term", "doubt_favours", server_default=None)


def downgrade() -> None:
    op.drop_column("promise_term", "doubt_favours")
    op.drop_column("promise_term", "lowest_grade")
