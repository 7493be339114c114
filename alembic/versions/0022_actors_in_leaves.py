"""Leaves of the audit tree commit to their actors from here on; those before keep the text that was signed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | Sequence[str] | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

BEGUN = """
UPDATE audit_tree SET hidden_from = size,
    secret = decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
"""


def upgrade() -> None:
    op.add_column("audit_tree", sa.Column("secret", sa.LargeBinary(), nullable=True))
    op.add_column("audit_tree", sa.Column("hidden_from", sa.BigInteger(), nullable=True))
    op.execute("ALTER TABLE audit_tree NO FORCE ROW LEVEL SECURITY")
    op.execute(BEGUN)
    op.execute("ALTER TABLE audit_tree FORCE ROW LEVEL SECURITY")
    op.alter_column("audit_tree", "secret", nullable=False)
    op.alter_column("audit_tree", "hidden_from", nullable=False)


def downgrade() -> None:
    # Leaves that commit to their actors are not proven by the release before: their secret is gone.
    op.drop_column("audit_tree", "hidden_from")
    op.drop_column("audit_tree", "secret")
