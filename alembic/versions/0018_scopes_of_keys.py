"""Scopes of API keys: partners' keys get the operational ones, keys of other roles keep what their role may."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | Sequence[str] | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# What new partners' keys get, and what their keys could do with rosters until now.
OPERATIONAL = "{incidents:read,incidents:write,promises:read,sites:read,roster:read,roster:write,ledger:read,webhooks:write}"


def upgrade() -> None:
    op.add_column("api_key", sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=True))
    op.execute("ALTER TABLE api_key NO FORCE ROW LEVEL SECURITY")
    given = sa.text("UPDATE api_key SET scopes = CAST(:scopes AS text[]) WHERE role = 'partner'")
    op.execute(given.bindparams(scopes=OPERATIONAL))
    op.execute("ALTER TABLE api_key FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.drop_column("api_key", "scopes")
