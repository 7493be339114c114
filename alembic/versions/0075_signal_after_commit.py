"""The ledger: no NOTIFY in the transactions of facts; writers send it after their commit."""

from collections.abc import Sequence

from alembic import op

revision: str = "0075"
down_revision: str | Sequence[str] | None = "0074"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("DROP TRIGGER ledger_tells ON ledger")
    op.execute("DROP FUNCTION tell_of_facts()")


def downgrade() -> None:
    op.execute(
        "CREATE FUNCTION tell_of_facts() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM pg_notify('ledger', ''); RETURN NULL; END$$"
    )
    op.execute(
        "CREATE TRIGGER ledger_tells AFTER INSERT ON ledger "
        "FOR EACH STATEMENT EXECUTE FUNCTION tell_of_facts()"
    )
