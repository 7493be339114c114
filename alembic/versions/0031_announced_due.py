"""Announced due instants: until when people are told that promises are kept, stored so that lists go by them."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0031"
down_revision: str | Sequence[str] | None = "0030"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

WATCHED = ("first_due_at", "client_due_at")


def upgrade() -> None:
    op.add_column("promise", sa.Column("announced_due_at", sa.DateTime(timezone=True)))
    for name in WATCHED:
        op.add_column("promise_watch", sa.Column(name, sa.DateTime(timezone=True)))
    # Right but for closing time, which follows from calendars: the sweepers judge these anew within seconds.
    op.execute("UPDATE promise SET announced_due_at = due_at WHERE state IN ('running', 'at_risk')")
    op.execute(
        """
        UPDATE promise_watch w SET
          first_due_at = p.first_due_at, client_due_at = p.client_due_at, next_check_at = now()
        FROM (
          SELECT incident_id, min(due_at) AS first_due_at, min(due_at) FILTER (WHERE NOT internal) AS client_due_at
          FROM promise WHERE state IN ('running', 'at_risk') GROUP BY incident_id
        ) p
        WHERE p.incident_id = w.incident_id
        """
    )
    op.create_index(
        "ix_promise_announced_due",
        "promise",
        ["tenant_id", "announced_due_at", "id"],
        postgresql_where=sa.text("announced_due_at IS NOT NULL"),
    )
    for name in WATCHED:
        op.create_index(
            f"ix_promise_watch_{name}",
            "promise_watch",
            ["tenant_id", name, "incident_id"],
            postgresql_where=sa.text(f"{name} IS NOT NULL"),
        )


def downgrade() -> None:
    for name in WATCHED:
        op.drop_index(f"ix_promise_watch_{name}", "promise_watch")
        op.drop_column("promise_watch", name)
    op.drop_index("ix_promise_announced_due", "promise")
    op.drop_column("promise", "announced_due_at")
