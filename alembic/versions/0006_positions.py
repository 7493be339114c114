"""Positions: devices on duty, fixes by day, what they prove, fences of sites."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision: str = "0006"
down_revision: str | Sequence[str] | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

AT = sa.DateTime(timezone=True)
SYSTEM_ONLY = """
          IF session_user <> current_user AND NOT EXISTS (
            SELECT FROM pg_roles WHERE rolname = session_user AND (rolbypassrls OR rolsuper)
          ) THEN
            RAISE insufficient_privilege USING MESSAGE = 'only the system does this';
          END IF;
"""
KEPT_FOR = ("duty", "fix", "whereabouts", "presence", "watched_duty")


def upgrade() -> None:
    op.add_column("site", sa.Column("fence_radius_m", sa.Double(), nullable=True))
    op.add_column("site", sa.Column("fence_outline", pg.ARRAY(sa.Double()), nullable=True))
    op.create_check_constraint("fence_radius_m_sane", "site", "fence_radius_m BETWEEN 10 AND 50000")
    _duty()
    _fix()
    _judged()
    for table in KEPT_FOR:
        for statement in _policy(table, account="account_id"):
            op.execute(statement)
    _days()


def downgrade() -> None:
    op.execute("DROP FUNCTION fix_days(date, date)")
    op.execute("DROP FUNCTION fix_forget(date)")
    for table in ("watched_duty", "presence", "whereabouts", "fix", "duty"):
        op.drop_table(table)
    op.drop_column("site", "fence_outline")
    op.drop_column("site", "fence_radius_m")


def _fk(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=f"fk_{table}_{column}_{to}")


def _owned(table: str) -> list[sa.Column[object] | sa.Constraint]:
    return [
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        _fk(table, "tenant_id", "tenant"),
        _fk(table, "account_id", "account"),
    ]


def _index_owned(table: str) -> None:
    for column in ("tenant_id", "account_id"):
        op.create_index(f"ix_{table}_{column}", table, [column])


def _duty() -> None:
    op.create_table(
        "duty",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_owned("duty"),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("from_at", AT, nullable=False),
        sa.Column("until_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=True),
        sa.Column("grace_s", sa.BigInteger(), nullable=False),
        sa.Column("silent_after_s", sa.BigInteger(), nullable=False),
        _fk("duty", "site_id", "site"),
        _fk("duty", "user_id", "app_user"),
        _fk("duty", "device_id", "device"),
        sa.CheckConstraint("until_at > from_at", name="until_after_from"),
        sa.CheckConstraint("ended_at >= from_at", name="ended_after_from"),
        sa.PrimaryKeyConstraint("id", name="pk_duty"),
    )
    op.execute(
        "ALTER TABLE duty ADD CONSTRAINT one_duty_at_a_time EXCLUDE USING gist ("
        "device_id WITH =, tstzrange(from_at, coalesce(ended_at, until_at)) WITH &&)"
    )
    _index_owned("duty")
    op.create_index("ix_duty_user_id", "duty", ["user_id"])
    op.create_index("ix_duty_device_id_from_at", "duty", ["device_id", "from_at"])
    op.create_index(
        "ix_duty_running", "duty", ["until_at"], postgresql_where=sa.text("ended_at IS NULL")
    )


def _fix() -> None:
    op.create_table(
        "fix",
        sa.Column("device_id", sa.Uuid(), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lon", sa.Double(), nullable=False),
        *(
            sa.Column(name, sa.REAL(), nullable=True)
            for name in (
                *("accuracy_m", "speed_mps", "heading_deg", "altitude_m", "battery_pct", "skew_s"),
            )
        ),
        sa.Column("charging", sa.Boolean(), nullable=True),
        sa.Column("mock", sa.Boolean(), nullable=True),
        sa.Column("source", sa.SmallInteger(), nullable=False),
        sa.Column("received_at", AT, nullable=False),
        sa.PrimaryKeyConstraint("device_id", "at", name="pk_fix"),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_fix_at", "fix", ["at"], postgresql_using="brin")


def _judged() -> None:
    op.create_table(
        "whereabouts",
        sa.Column("duty_id", sa.Uuid(), nullable=False),
        *_owned("whereabouts"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", AT, nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        *(
            sa.Column(name, sa.REAL(), nullable=True)
            for name in ("accuracy_m", "speed_mps", "heading_deg", "battery_pct")
        ),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", AT, nullable=True),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("heard", sa.BigInteger(), nullable=False),
        sa.Column("dirty_from", AT, nullable=True),
        _fk("whereabouts", "duty_id", "duty"),
        sa.PrimaryKeyConstraint("duty_id", name="pk_whereabouts"),
        postgresql_with={"fillfactor": "50"},
    )
    op.create_index(
        "ix_whereabouts_dirty",
        "whereabouts",
        ["duty_id"],
        postgresql_where=sa.text("dirty_from IS NOT NULL"),
    )
    op.create_table(
        "presence",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_owned("presence"),
        sa.Column("duty_id", sa.Uuid(), nullable=False),
        sa.Column("site_id", sa.Uuid(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "stay", "dwell", "silence", "absence", name="kind", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("from_at", AT, nullable=False),
        sa.Column("until_at", AT, nullable=True),
        sa.Column("fixes", pg.ARRAY(AT), nullable=False),
        _fk("presence", "duty_id", "duty"),
        _fk("presence", "site_id", "site"),
        sa.PrimaryKeyConstraint("id", name="pk_presence"),
    )
    op.create_index("ix_presence_duty_id_kind_from_at", "presence", ["duty_id", "kind", "from_at"])
    op.create_index(
        "ix_presence_open",
        "presence",
        ["account_id", "site_id"],
        postgresql_where=sa.text("until_at IS NULL"),
    )
    op.create_table(
        "watched_duty",
        sa.Column("duty_id", sa.Uuid(), nullable=False),
        *_owned("watched_duty"),
        sa.Column("upto_at", AT, nullable=True),
        sa.Column("memory", pg.JSONB(), nullable=False),
        sa.Column("next_check_at", AT, nullable=True),
        _fk("watched_duty", "duty_id", "duty"),
        sa.PrimaryKeyConstraint("duty_id", name="pk_watched_duty"),
    )
    op.create_index("ix_watched_duty_next_check_at", "watched_duty", ["next_check_at"])
    for table in ("whereabouts", "presence", "watched_duty"):
        _index_owned(table)


def _days() -> None:
    """Partitions come and go daily, made by the tables' owner at the bidding of logins that own nothing.

    A partition is a table of its own and needs the fence itself: the parent's holds for those who come through it.
    """
    fences = "\n".join(
        f"EXECUTE format({_quoted(statement)}, day_name);"
        for statement in _policy("%I", account="account_id")
    )
    op.execute(
        f"""
        CREATE FUNCTION fix_days(from_on date, until_on date) RETURNS void
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE day date; day_name text;
        BEGIN
          {SYSTEM_ONLY}
          IF until_on - from_on > 400 THEN RAISE EXCEPTION 'more than 400 days'; END IF;
          PERFORM pg_advisory_xact_lock(hashtextextended('fix_days', 0));
          FOR day IN SELECT generate_series(from_on, until_on, interval '1 day')::date LOOP
            day_name := 'fix_' || to_char(day, 'YYYYMMDD');
            IF to_regclass(day_name) IS NULL THEN
              EXECUTE format('CREATE TABLE %I (LIKE fix INCLUDING DEFAULTS)', day_name);
              {fences}
              EXECUTE format('ALTER TABLE fix ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                day_name, day || ' 00:00:00+00', day + 1 || ' 00:00:00+00');
            END IF;
          END LOOP;
        END $$
        """  # noqa: S608 - nothing of anybody's is in it
    )
    op.execute(
        f"""
        CREATE FUNCTION fix_forget(before_on date) RETURNS int
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
        DECLARE day_name text; dropped int := 0;
        BEGIN
          {SYSTEM_ONLY}
          FOR day_name IN
            SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = 'fix'::regclass
              AND c.relname < 'fix_' || to_char(before_on, 'YYYYMMDD')
          LOOP
            EXECUTE format('DROP TABLE %I', day_name);
            dropped := dropped + 1;
          END LOOP;
          RETURN dropped;
        END $$
        """  # noqa: S608 - nothing of anybody's is in it
    )


def _quoted(statement: str) -> str:
    return "'" + statement.replace("'", "''") + "'"


def _policy(table: str, *, account: str | None = None) -> list[str]:
    mine = "tenant_id = (SELECT fence_tenant())"
    if account is not None:
        mine += (
            f" AND ((SELECT fence_accounts()) IS NULL OR {account} IS NULL"
            f" OR {account} = ANY ((SELECT fence_accounts())::uuid[]))"
        )
    return [
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
        f"CREATE POLICY fence ON {table} USING ({mine})",
    ]
