"""Numbers for people, counted per company, and external numbers that belong to their sender."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | Sequence[str] | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COUNTED = {"incident": "opened_at", "credit": "decided_at", "report": "made_at"}
OLD_KEY = "uq_incident_tenant_id_external_source_external_id"

# A sequence a company and table: numbers are taken without a lock, so openings do not wait for each other.
NEXT = """
CREATE FUNCTION next_number(company uuid, counted text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  name text := 'number_' || counted || '_' || replace(company::text, '-', '');
BEGIN
  IF counted NOT IN ('incident', 'credit', 'report') OR company <> fence_tenant() THEN
    RAISE EXCEPTION 'no numbers for %', counted;
  END IF;
  IF to_regclass(name) IS NULL THEN
    PERFORM pg_advisory_xact_lock(hashtextextended(name, 0));
    EXECUTE format('CREATE SEQUENCE IF NOT EXISTS %I', name);
  END IF;
  RETURN nextval(name::regclass);
END $$
"""
GIVE = """
CREATE FUNCTION give_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.number IS NULL THEN
    NEW.number := next_number(NEW.tenant_id, TG_TABLE_NAME::text);
  END IF;
  RETURN NEW;
END $$
"""
FIRST = """
DO $$
DECLARE
  found record;
  name text;
BEGIN
  FOR found IN SELECT tenant_id, max(number) AS last FROM {table} GROUP BY tenant_id LOOP
    name := 'number_{table}_' || replace(found.tenant_id::text, '-', '');
    EXECUTE format('CREATE SEQUENCE %I START %s', name, found.last + 1);
  END LOOP;
END $$
"""
FORGET = """
DO $$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT relname FROM pg_class WHERE relkind = 'S' AND relname ~ '^number_(incident|credit|report)_' LOOP
    EXECUTE format('DROP SEQUENCE %I', name);
  END LOOP;
END $$
"""
# Who sent what is there already is what the ledger says. Rows that one sender sent twice, without naming a source,
# were taken before and stay: each later one counts as sent by itself.
SENDERS = """
UPDATE incident i SET external_sender = CASE WHEN told.nth = 1 THEN told.sender ELSE told.sender || ' ' || i.id END
FROM (
  SELECT id, sender, row_number() OVER (PARTITION BY account_id, sender, external_source, external_id ORDER BY opened_at, id) nth
  FROM (
    SELECT n.id, n.account_id, n.external_source, n.external_id, n.opened_at,
           CASE WHEN n.opener LIKE 'key:%' THEN n.opener
                WHEN n.origin = 'history' OR n.opener LIKE 'system:%' THEN 'import'
                WHEN n.role IN ('client_user', 'client_admin', 'guard') THEN 'reporter' ELSE 'staff' END AS sender
    FROM (
      SELECT e.*, l.actor AS opener, l.origin, u.role
      FROM incident e
      LEFT JOIN LATERAL (
        SELECT actor, origin FROM ledger WHERE subject_id = e.id AND kind = 'incident.opened' ORDER BY id LIMIT 1
      ) l ON true
      LEFT JOIN app_user u ON l.actor = 'user:' || u.id
      WHERE e.external_id IS NOT NULL
    ) n
  ) sent
) told
WHERE told.id = i.id
"""
READ = ("incident", "credit", "report", "ledger", "app_user")


def _force(how: str) -> None:
    for table in READ:
        op.execute(f"ALTER TABLE {table} {how} ROW LEVEL SECURITY")


def upgrade() -> None:
    op.add_column("incident", sa.Column("external_sender", sa.Text(), nullable=True))
    for table in COUNTED:
        op.add_column(table, sa.Column("number", sa.BigInteger(), nullable=True))
    _force("NO FORCE")
    op.execute(SENDERS)
    for table, since in COUNTED.items():
        op.execute(
            f"UPDATE {table} t SET number = n.nth FROM (SELECT id, row_number() OVER"  # noqa: S608 - names of ours
            f" (PARTITION BY tenant_id ORDER BY {since}, id) AS nth FROM {table}) n WHERE n.id = t.id"
        )
        op.execute(FIRST.format(table=table))
    _force("FORCE")
    op.execute(NEXT)
    op.execute(GIVE)
    for table in COUNTED:
        op.alter_column(table, "number", nullable=False)
        op.create_unique_constraint(
            op.f(f"uq_{table}_tenant_id_number"), table, ["tenant_id", "number"]
        )
        op.execute(
            f"CREATE TRIGGER {table}_is_numbered BEFORE INSERT ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION give_number()"
        )
    op.drop_constraint(op.f(OLD_KEY), "incident")
    op.create_index(
        "uq_incident_external",
        "incident",
        ["account_id", "external_sender", "external_source", "external_id"],
        unique=True,
        postgresql_where=sa.text("external_id IS NOT NULL"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_index("ix_incident_external_id", "incident", ["tenant_id", "external_id"])
    op.create_check_constraint(
        op.f("ck_incident_external_has_sender"),
        "incident",
        "external_id IS NULL OR external_sender IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_incident_external_has_sender"), "incident")
    op.drop_index("ix_incident_external_id", "incident")
    op.drop_index("uq_incident_external", "incident")
    # The older key knows no senders: of rows that meet under it, the first keeps its number.
    _force("NO FORCE")
    op.execute(
        "UPDATE incident SET external_id = NULL WHERE id IN (SELECT id FROM (SELECT id, row_number() OVER"
        " (PARTITION BY tenant_id, external_source, external_id ORDER BY opened_at, id) AS nth FROM incident"
        " WHERE external_id IS NOT NULL AND external_source IS NOT NULL) n WHERE nth > 1)"
    )
    _force("FORCE")
    op.create_unique_constraint(
        op.f(OLD_KEY), "incident", ["tenant_id", "external_source", "external_id"]
    )
    for table in COUNTED:
        op.execute(f"DROP TRIGGER {table}_is_numbered ON {table}")
        op.drop_column(table, "number")
    op.execute("DROP FUNCTION give_number()")
    op.execute("DROP FUNCTION next_number(uuid, text)")
    op.execute(FORGET)
    op.drop_column("incident", "external_sender")
