"""Triggers that announce when replacements, replies to reviews and reviews of the RAID log fall due."""

from collections.abc import Sequence

from alembic import op

revision: str = "0074"
down_revision: str | Sequence[str] | None = "0073"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

DUE = (
    ("raid_entry", "review_due_at"),
    ("replacement", "look_at"),
    ("review_reply", "due_at"),
    ("review_reply", "next_try_at"),
)


def upgrade() -> None:
    for table, column in DUE:
        op.execute(
            f"CREATE TRIGGER announce_{column}_set AFTER INSERT ON {table} "
            f"FOR EACH ROW WHEN (NEW.{column} IS NOT NULL) "
            f"EXECUTE FUNCTION announce_change('{table}.{column}')"
        )
        op.execute(
            f"CREATE TRIGGER announce_{column}_earlier AFTER UPDATE OF {column} ON {table} FOR EACH ROW "
            f"WHEN (NEW.{column} < OLD.{column} OR OLD.{column} IS NULL AND NEW.{column} IS NOT NULL) "
            f"EXECUTE FUNCTION announce_change('{table}.{column}')"
        )


def downgrade() -> None:
    for table, column in DUE:
        op.execute(f"DROP TRIGGER announce_{column}_earlier ON {table}")
        op.execute(f"DROP TRIGGER announce_{column}_set ON {table}")
