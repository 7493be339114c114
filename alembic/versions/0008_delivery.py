"""Delivery: attempts, channels, quiet hours."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | Sequence[str] | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLES = ("message_attempt", "message_enclosure", "contact_address", "unsubscription")
AT = sa.DateTime(timezone=True)
CHANNEL = sa.Enum(
    "email", "sms", "push", "chat", "webhook", name="channel", native_enum=False, length=40
)


def _added() -> list[sa.Column[object]]:
    """What a message knows more than before."""
    return [
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("urgency", sa.String(40), nullable=False, server_default="normal"),
        sa.Column("topic", sa.Text(), nullable=True),
        sa.Column("unsubscribe_key", sa.Text(), nullable=True),
        sa.Column("fallbacks", postgresql.ARRAY(sa.Text()), nullable=False, server_default="{}"),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("not_before", AT, nullable=True),
        sa.Column("delivered_at", AT, nullable=True),
        sa.Column("read_at", AT, nullable=True),
        sa.Column("bounced_at", AT, nullable=True),
    ]


def _owned(table: str, refers_to: str) -> list[sa.Column[object] | sa.Constraint]:
    """A row of an account that belongs to another row."""
    own = {"tenant_id": "tenant", "account_id": "account", f"{refers_to}_id": refers_to}
    return [
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        *(sa.Column(column, sa.Uuid(), nullable=False) for column in own),
        *(
            sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}_{other}")
            for column, other in own.items()
        ),
    ]


def upgrade() -> None:
    for column in _added():
        op.add_column("message", column)
    op.alter_column("message", "urgency", server_default=None)
    op.alter_column("message", "contact_id", nullable=True)
    op.create_foreign_key("fk_message_user_id_app_user", "message", "app_user", ["user_id"], ["id"])
    op.create_unique_constraint("uq_message_intent_user_id", "message", ["intent", "user_id"])
    op.create_unique_constraint("uq_message_unsubscribe_key", "message", ["unsubscribe_key"])
    op.create_check_constraint(
        op.f("ck_message_to_one_person"), "message", "num_nonnulls(contact_id, user_id) = 1"
    )
    op.create_table(
        "message_attempt",
        *_owned("message_attempt", "message"),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("channel", CHANNEL, nullable=False),
        sa.Column("began_at", AT, nullable=False),
        sa.Column("handed_over_at", AT, nullable=True),
        sa.Column("ended_at", AT, nullable=True),
        sa.Column("outcome", sa.String(40), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.UniqueConstraint("message_id", "number", name="uq_message_attempt_message_id_number"),
    )
    op.create_table(
        "message_enclosure",
        *_owned("message_enclosure", "message"),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content_id", sa.Text(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint(
            "message_id", "position", name="uq_message_enclosure_message_id_position"
        ),
    )
    op.create_table(
        "contact_address",
        *_owned("contact_address", "contact"),
        sa.Column("channel", CHANNEL, nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("p256dh", sa.Text(), nullable=True),
        sa.Column("auth", sa.Text(), nullable=True),
        sa.Column("added_at", AT, nullable=False),
        sa.Column("ended_at", AT, nullable=True),
        sa.UniqueConstraint("contact_id", "url", name="uq_contact_address_contact_id_url"),
        sa.CheckConstraint(
            "channel IN ('chat', 'push')",
            name=op.f("ck_contact_address_channel_with_an_address"),
        ),
        sa.CheckConstraint(
            "num_nonnulls(p256dh, auth) IN (0, 2)", name=op.f("ck_contact_address_both_keys")
        ),
    )
    op.create_table(
        "unsubscription",
        *_owned("unsubscription", "contact"),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("at", AT, nullable=False),
        sa.UniqueConstraint("contact_id", "topic", name="uq_unsubscription_contact_id_topic"),
    )
    for table in TABLES:
        op.create_index(f"ix_{table}_tenant_id", table, ["tenant_id"])
        op.create_index(f"ix_{table}_account_id", table, ["account_id"])
        for statement in _policy(table, account="account_id"):
            op.execute(statement)
    op.create_index(
        "ix_outbox_open", "outbox", ["tenant_id", "id"], postgresql_where=sa.text("state <> 'done'")
    )


def downgrade() -> None:
    op.drop_index("ix_outbox_open", table_name="outbox")
    for table in reversed(TABLES):
        op.drop_table(table)
    op.execute("ALTER TABLE message NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM message WHERE contact_id IS NULL")  # nobody to be named as its reader
    op.execute("ALTER TABLE message FORCE ROW LEVEL SECURITY")
    op.alter_column("message", "contact_id", nullable=False)
    for column in _added():
        op.drop_column("message", column.name)


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
