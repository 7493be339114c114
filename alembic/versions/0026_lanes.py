"""The order of consequences: rows of the outbox know their lane, and when their fact was recorded."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | Sequence[str] | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

PENDING = sa.text("state = 'pending'")
# The key of a lane, as the release computes it: letters about one subject to one contact, letters that are composed
# about one subject, and any other job with itself.
LANES = """
UPDATE outbox o SET recorded_at = l.recorded_at,
  failing_since = CASE WHEN o.error IS NULL THEN NULL ELSE now() END,
  lane = ('x' || left(encode(sha256(convert_to(CASE
    WHEN o.job = 'send_message' AND l.body ? 'intent' THEN 'send_message:' || split_part(l.body->>'intent', ':', 1)
      || CASE WHEN l.body->>'intent' LIKE '%:%' THEN ':' || split_part(l.body->>'intent', ':', 2) ELSE '' END
      || ':' || coalesce(l.body->>'contact_id', 'None')
    WHEN starts_with(o.job, 'tell_') THEN 'tell:' || l.subject_id
    ELSE o.job || ':' || l.subject_id END, 'UTF8')), 'hex'), 16))::bit(64)::bigint
FROM ledger l WHERE l.id = o.fact_id AND o.state <> 'done'
"""


def _force(how: str) -> None:
    for table in ("outbox", "ledger"):
        op.execute(f"ALTER TABLE {table} {how} ROW LEVEL SECURITY")


def upgrade() -> None:
    op.add_column(
        "outbox",
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
    )
    op.add_column("outbox", sa.Column("lane", sa.BigInteger(), nullable=True))
    op.add_column("outbox", sa.Column("not_before", sa.DateTime(timezone=True), nullable=True))
    op.add_column("outbox", sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True))
    _force("NO FORCE")
    op.execute(LANES)
    _force("FORCE")
    op.drop_index("ix_outbox_due", "outbox")
    op.create_index(
        "ix_outbox_due", "outbox", ["tenant_id", "due_at", "fact_id"], postgresql_where=PENDING
    )
    op.create_index("ix_outbox_lane", "outbox", ["lane", "fact_id"], postgresql_where=PENDING)


def downgrade() -> None:
    op.drop_index("ix_outbox_lane", "outbox")
    op.drop_index("ix_outbox_due", "outbox")
    op.create_index("ix_outbox_due", "outbox", ["due_at"], postgresql_where=PENDING)
    for column in ("failing_since", "not_before", "lane", "recorded_at"):
        op.drop_column("outbox", column)
