"""Meetings with clients and their attendees; commitments and decisions name the meeting that they come from."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0061"
down_revision: str | Sequence[str] | None = "0060"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FENCE = (
    "tenant_id = (SELECT fence_tenant())"
    " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL"
    " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))"
)
RESPONSES = ("needs-action", "accepted", "declined", "tentative")


def owned() -> list[sa.Column[object]]:
    return [
        sa.Column(name, sa.Uuid(), nullable=False) for name in ("id", "tenant_id", "account_id")
    ]


def references(table: str, **targets: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}")
        )
        for column, target in targets.items()
    ]


def upgrade() -> None:
    op.create_table(
        "meeting",
        *owned(),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("whole_day", sa.Boolean(), nullable=False),
        sa.Column("organiser_id", sa.Uuid(), nullable=False),
        sa.Column("touchpoint_id", sa.Uuid(), nullable=True),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("agenda", sa.Text(), nullable=True),
        sa.Column("agenda_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("open_questions", sa.Text(), nullable=True),
        sa.Column("next_meeting_on", sa.Date(), nullable=True),
        sa.Column("summary_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_by_client", sa.Boolean(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_meeting_ends_after_start")),
        sa.CheckConstraint(
            "agenda_sent_at IS NULL OR agenda IS NOT NULL",
            name=op.f("ck_meeting_agenda_is_written"),
        ),
        sa.CheckConstraint(
            "cancelled_at IS NULL OR held_at IS NULL", name=op.f("ck_meeting_held_or_cancelled")
        ),
        sa.CheckConstraint(
            "num_nonnulls(cancelled_at, cancelled_by_client, cancel_reason) IN (0, 3)",
            name=op.f("ck_meeting_cancellation_is_whole"),
        ),
        sa.CheckConstraint(
            "(summary_sent_at IS NULL) = (next_meeting_on IS NULL)",
            name=op.f("ck_meeting_summary_is_whole"),
        ),
        *references(
            "meeting",
            account_id="account",
            organiser_id="app_user",
            tenant_id="tenant",
            touchpoint_id="touchpoint",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting")),
    )
    response = sa.Enum(*RESPONSES, name="attendeeresponse", native_enum=False, length=40)
    op.create_table(
        "meeting_attendee",
        *owned(),
        sa.Column("meeting_id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("response", response, nullable=False),
        sa.Column("responded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attended", sa.Boolean(), nullable=True),
        sa.CheckConstraint(
            "num_nonnulls(contact_id, user_id) = 1", name=op.f("ck_meeting_attendee_one_person")
        ),
        *references(
            "meeting_attendee",
            account_id="account",
            contact_id="contact",
            meeting_id="meeting",
            tenant_id="tenant",
            user_id="app_user",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_attendee")),
        sa.UniqueConstraint(
            "meeting_id", "contact_id", name=op.f("uq_meeting_attendee_meeting_id_contact_id")
        ),
        sa.UniqueConstraint(
            "meeting_id", "user_id", name=op.f("uq_meeting_attendee_meeting_id_user_id")
        ),
    )
    for table in ("meeting", "meeting_attendee"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY fence ON {table} USING ({FENCE})")
        for column in ("account_id", "tenant_id"):
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.create_index(op.f("ix_meeting_account_id_starts_at"), "meeting", ["account_id", "starts_at"])
    for table in ("commitment", "raid_entry"):
        op.add_column(table, sa.Column("meeting_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_meeting_id_meeting"), table, "meeting", ["meeting_id"], ["id"]
        )
        op.create_index(op.f(f"ix_{table}_meeting_id"), table, ["meeting_id"])


def downgrade() -> None:
    for table in ("raid_entry", "commitment"):
        op.drop_index(op.f(f"ix_{table}_meeting_id"), table_name=table)
        op.drop_constraint(op.f(f"fk_{table}_meeting_id_meeting"), table)
        op.drop_column(table, "meeting_id")
    op.drop_table("meeting_attendee")
    op.drop_table("meeting")
