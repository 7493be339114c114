"""The ledger: compare a numbered row as a whole, and let whoever imports refresh the planner's statistics."""

from collections.abc import Sequence

from alembic import op

revision: str = "0030"
down_revision: str | Sequence[str] | None = "0029"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KEEP_THE_LEDGER = """
CREATE OR REPLACE FUNCTION keep_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  told record;
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.seq IS NULL AND NEW.seq IS NOT NULL AND OLD.hash IS NULL THEN
    told := NEW;
    told.seq := OLD.seq;
    told.hash := OLD.hash;
    IF told *= OLD THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'restrict_violation';
END$$
"""

AS_JSON = """
CREATE OR REPLACE FUNCTION keep_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.seq IS NULL AND NEW.seq IS NOT NULL AND OLD.hash IS NULL
     AND to_jsonb(NEW) - 'seq' - 'hash' = to_jsonb(OLD) - 'seq' - 'hash' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'restrict_violation';
END$$
"""

# ANALYZE is the owner's; the login that imports owns no table.
REFRESH = """
CREATE FUNCTION refresh_statistics() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  ANALYZE (SKIP_LOCKED) ledger, incident, promise_watch;
END$$
"""


def upgrade() -> None:
    op.execute(KEEP_THE_LEDGER)
    op.execute(REFRESH)


def downgrade() -> None:
    op.execute("DROP FUNCTION refresh_statistics()")
    op.execute(AS_JSON)
