"""Sessions: from where they come and how they began; invitations end; a lost answer gives the same refresh token."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0020"
down_revision: str | Sequence[str] | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_FILLED = ("invitation", "sign_in")  # rows of every company are changed, so the owner must see them


def upgrade() -> None:
    for table in _FILLED:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE tenant NO FORCE ROW LEVEL SECURITY")
    op.add_column(
        "tenant", sa.Column("demo", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    # The companies that `up` has made so far, by name and invented number.
    op.execute(
        "UPDATE tenant SET demo = true WHERE (name = 'Noorderlicht Beveiliging B.V.' AND kvk_number = '60000100')"
        " OR (name = 'Zuiderpark Security B.V.' AND kvk_number IS NULL AND EXISTS (SELECT FROM tenant AS first"
        " WHERE first.name = 'Noorderlicht Beveiliging B.V.' AND first.kvk_number = '60000100'))"
    )
    op.execute("ALTER TABLE tenant FORCE ROW LEVEL SECURITY")
    op.add_column("invitation", sa.Column("purpose", sa.Text(), nullable=True))
    op.add_column("invitation", sa.Column("invited_by", sa.Text(), nullable=True))
    op.add_column("invitation", sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "invitation", sa.Column("secrets", postgresql.ARRAY(sa.LargeBinary()), nullable=True)
    )
    # Nobody knows any more who made the open ones: they end, and are made again.
    op.execute(
        "UPDATE invitation SET purpose = 'invitation', secrets = ARRAY[secret_sha256],"
        " ended_at = CASE WHEN used_at IS NULL AND expires_at > now() THEN now() END"
    )
    op.alter_column(
        "invitation", "purpose", nullable=False, type_=sa.String(40), existing_type=sa.Text()
    )
    op.alter_column("invitation", "secrets", nullable=False)
    op.drop_column("invitation", "secret_sha256")
    op.create_index("ix_invitation_secrets", "invitation", ["secrets"], postgresql_using="gin")
    op.add_column("sign_in", sa.Column("method", sa.Text(), nullable=True))
    op.execute("UPDATE sign_in SET method = 'password'")
    op.alter_column("sign_in", "method", nullable=False)
    op.add_column("sign_in", sa.Column("user_agent", sa.Text(), nullable=True))
    op.add_column("sign_in", sa.Column("address", sa.Text(), nullable=True))
    op.add_column("sign_in", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("refresh_token", sa.Column("used_by", sa.LargeBinary(), nullable=True))
    op.add_column("refresh_token", sa.Column("successor_salt", sa.LargeBinary(), nullable=True))
    for table in _FILLED:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    for table in _FILLED:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for column in ("used_by", "successor_salt"):
        op.drop_column("refresh_token", column)
    for column in ("method", "user_agent", "address", "seen_at"):
        op.drop_column("sign_in", column)
    op.drop_column("tenant", "demo")
    # The release before knows neither an end nor letters of its own: what ended, or has no text, goes.
    op.execute(
        "DELETE FROM invitation WHERE ended_at IS NOT NULL OR purpose <> 'invitation' OR cardinality(secrets) = 0"
    )
    op.add_column("invitation", sa.Column("secret_sha256", sa.LargeBinary(), nullable=True))
    op.execute("UPDATE invitation SET secret_sha256 = secrets[1]")
    op.alter_column("invitation", "secret_sha256", nullable=False)
    op.create_unique_constraint("uq_invitation_secret_sha256", "invitation", ["secret_sha256"])
    op.drop_index("ix_invitation_secrets", table_name="invitation")
    for column in ("secrets", "purpose", "invited_by", "ended_at"):
        op.drop_column("invitation", column)
    for table in _FILLED:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
