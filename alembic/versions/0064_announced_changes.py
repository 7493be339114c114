"""Triggers that announce when a row falls due earlier than before, or is added, so that workers need not poll."""

from collections.abc import Sequence

from alembic import op

revision: str = "0064"
down_revision: str | Sequence[str] | None = "0063"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

DUE = (
    ("commitment", "due_at"),
    ("duty", "until_at"),
    ("escalation", "next_step_at"),
    ("file", "stored_at"),
    ("health_mark", "due_at"),
    ("incident_pause", "cap_at"),
    ("outbox", "due_at"),
    ("patrol_round", "look_at"),
    ("promise_watch", "next_check_at"),
    ("quality_look", "due_at"),
    ("report", "look_at"),
    ("report_plan", "look_at"),
    ("review_source", "next_read_at"),
    ("shift", "look_at"),
    ("survey_wave", "due_at"),
    ("watched_duty", "next_check_at"),
    ("webhook", "not_before"),
    ("webhook_delivery", "due_at"),
    ("whereabouts", "dirty_from"),
)


def upgrade() -> None:
    # The message names the column or the table: PostgreSQL sends equal messages of a transaction once.
    op.execute(
        "CREATE FUNCTION announce_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM pg_notify('changes', TG_ARGV[0]); RETURN NULL; END$$"
    )
    op.execute(
        "CREATE TRIGGER announce_row_set AFTER INSERT ON account "
        "FOR EACH ROW EXECUTE FUNCTION announce_change('account')"
    )
    for table, column in DUE:
        op.execute(
            f"CREATE TRIGGER announce_{column}_set AFTER INSERT ON {table} "
            f"FOR EACH ROW WHEN (NEW.{column} IS NOT NULL) "
            f"EXECUTE FUNCTION announce_change('{table}.{column}')"
        )
        # Later than before concerns nobody: who sleeps until then looks, and finds the new instant.
        op.execute(
            f"CREATE TRIGGER announce_{column}_earlier AFTER UPDATE OF {column} ON {table} FOR EACH ROW "
            f"WHEN (NEW.{column} < OLD.{column} OR OLD.{column} IS NULL AND NEW.{column} IS NOT NULL) "
            f"EXECUTE FUNCTION announce_change('{table}.{column}')"
        )


def downgrade() -> None:
    for table, column in DUE:
        op.execute(f"DROP TRIGGER announce_{column}_earlier ON {table}")
        op.execute(f"DROP TRIGGER announce_{column}_set ON {table}")
    op.execute("DROP TRIGGER announce_row_set ON account")
    op.execute("DROP FUNCTION announce_change()")
