"""Units under promise: promises, their watches and credits name the unit they are about, of whatever kind."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0036"
down_revision: str | Sequence[str] | None = "0035"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

INCIDENT_ID = "CASE WHEN unit_kind::text = 'incident'::text THEN unit_id ELSE NULL::uuid END"
RENAMED = (
    ("uq_promise_incident_id_term_id_part", "uq_promise_unit_id_term_id_part"),
    ("uq_promise_watch_incident_id", "uq_promise_watch_unit_id"),
    ("ix_credit_incident_id", "ix_credit_unit_id"),
)
FITS_KIND = (
    "(kind = 'promise') = (promise_id IS NOT NULL AND {unit} IS NOT NULL)"
    " AND (kind = 'period') = (term_id IS NOT NULL)"
    " AND (kind = 'goodwill') = (terms_id IS NULL)"
)


TABLES = ("promise", "promise_watch", "credit")


def upgrade() -> None:
    _force_row_security(False)
    for table in TABLES:
        op.drop_constraint(op.f(f"fk_{table}_incident_id_incident"), table)
        op.alter_column(table, "incident_id", new_column_name="unit_id")
        op.add_column(table, sa.Column("unit_kind", sa.Text(), server_default="incident"))
        op.alter_column(table, "unit_kind", server_default=None, nullable=table == "credit")
    for old, new in RENAMED:
        op.execute(f"ALTER INDEX {old} RENAME TO {new}")
    op.execute("UPDATE credit SET unit_kind = NULL WHERE unit_id IS NULL")
    for table in ("promise", "credit"):
        op.add_column(
            table, sa.Column("incident_id", sa.Uuid(), sa.Computed(INCIDENT_ID, persisted=True))
        )
        _foreign_key(table)
    op.create_check_constraint(
        op.f("ck_credit_unit_is_whole"), "credit", "(unit_id IS NULL) = (unit_kind IS NULL)"
    )
    _fits_kind("unit_id")
    _watch_of_incidents()
    _force_row_security(True)


def _force_row_security(on: bool) -> None:
    """The owner of the tables sees their rows only while row-level security is not forced on it."""
    for table in (*TABLES, "incident", "site"):
        op.execute(f"ALTER TABLE {table} {'' if on else 'NO '}FORCE ROW LEVEL SECURITY")


def _watch_of_incidents() -> None:
    op.add_column("promise_watch", sa.Column("site_id", sa.Uuid()))
    op.add_column("promise_watch", sa.Column("began_at", sa.DateTime(timezone=True)))
    op.execute(
        "UPDATE promise_watch w SET site_id = i.site_id, began_at = i.opened_at"
        " FROM incident i WHERE i.id = w.unit_id"
    )
    op.alter_column("promise_watch", "began_at", nullable=False)
    op.create_foreign_key(
        op.f("fk_promise_watch_site_id_site"), "promise_watch", "site", ["site_id"], ["id"]
    )


def downgrade() -> None:
    _force_row_security(False)
    for table in TABLES:
        _refuse_other_units(table)
    op.drop_column("promise_watch", "began_at")
    op.drop_column("promise_watch", "site_id")
    op.drop_constraint(op.f("ck_credit_unit_is_whole"), "credit")
    for table in ("promise", "credit"):
        op.drop_column(table, "incident_id")
    for table in TABLES:
        op.drop_column(table, "unit_kind")
        op.alter_column(table, "unit_id", new_column_name="incident_id")
        _foreign_key(table)
    for old, new in RENAMED:
        op.execute(f"ALTER INDEX {new} RENAME TO {old}")
    _fits_kind("incident_id")
    _force_row_security(True)


def _refuse_other_units(table: str) -> None:
    """Promises of other units than incidents have no place in the tables before."""
    op.execute(
        f"DO $$ BEGIN IF EXISTS (SELECT FROM {table} WHERE unit_kind <> 'incident') THEN"
        f" RAISE EXCEPTION '{table} has rows of other units than incidents'; END IF; END $$"
    )


def _foreign_key(table: str) -> None:
    op.create_foreign_key(
        op.f(f"fk_{table}_incident_id_incident"), table, "incident", ["incident_id"], ["id"]
    )


def _fits_kind(unit: str) -> None:
    op.drop_constraint(op.f("ck_credit_fits_kind"), "credit")
    op.create_check_constraint(op.f("ck_credit_fits_kind"), "credit", FITS_KIND.format(unit=unit))
