"""People: one address may be several users of a company, and a user has a language."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | Sequence[str] | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.drop_constraint("uq_app_user_tenant_id_email", "app_user", type_="unique")
    op.add_column("app_user", sa.Column("language", sa.Text(), nullable=True))
    op.create_check_constraint("language_known", "app_user", "language IN ('nl', 'en')")


def downgrade() -> None:
    op.drop_constraint("language_known", "app_user", type_="check")
    op.drop_column("app_user", "language")
    # The release before knows one user an address: the first one keeps it.
    op.execute("ALTER TABLE app_user NO FORCE ROW LEVEL SECURITY")
    op.execute("""
        UPDATE app_user SET email = id || '+' || email WHERE id IN (
            SELECT id FROM (SELECT id, row_number() OVER
                (PARTITION BY tenant_id, email ORDER BY disabled_at NULLS FIRST, id) AS nth FROM app_user
            ) AS numbered WHERE nth > 1)
    """)
    op.execute("ALTER TABLE app_user FORCE ROW LEVEL SECURITY")
    op.create_unique_constraint("uq_app_user_tenant_id_email", "app_user", ["tenant_id", "email"])
