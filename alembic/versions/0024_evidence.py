"""Evidence: signs of life without a place, stays that lapse, and what a running duty's judge remembers."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql as pg

revision: str = "0024"
down_revision: str | Sequence[str] | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

WATCHED = sa.table(
    "watched_duty",
    sa.column("duty_id", sa.Uuid()),
    sa.column("upto_at", sa.DateTime(timezone=True)),
    sa.column("memory", pg.JSONB()),
)


def _newer(memory: dict[str, Any], upto_s: float) -> dict[str, Any]:
    """What the automata of this release remember: eleven numbers a fence, and the last fix that was believed."""
    stays = {}
    for site, (here, since, _votes, proven, gone, against) in memory["stays"].items():
        stays[site] = [here, since, 0.0, 0.0, 0.0, 0.0, proven, gone, against, upto_s, upto_s]
    more = {"stays": stays, "believed": [upto_s, 1], "dropped": [], "mock": None}
    return memory | more


def _older(memory: dict[str, Any], _upto_s: float) -> dict[str, Any]:
    """The same six numbers a fence, without votes for a stay that is not proven yet."""
    kept = {key: memory[key] for key in memory.keys() - {"believed", "dropped", "mock", "untold"}}
    stays = {site: [*m[:2], 0.0, *m[6:9]] for site, m in memory["stays"].items()}
    return kept | {"stays": stays}


def _rewrite(how: Callable[[dict[str, Any], float], dict[str, Any]]) -> None:
    op.execute("ALTER TABLE watched_duty NO FORCE ROW LEVEL SECURITY")
    bind = op.get_bind()
    for duty_id, upto_at, memory in bind.execute(sa.select(WATCHED)).all():
        if "stays" not in memory:
            continue
        upto_s = upto_at.timestamp() if upto_at is not None else 0.0
        changed = sa.update(WATCHED).where(WATCHED.c.duty_id == duty_id)
        bind.execute(changed.values(memory=how(memory, upto_s)))
    op.execute("ALTER TABLE watched_duty FORCE ROW LEVEL SECURITY")


def upgrade() -> None:
    op.alter_column("fix", "lat", nullable=True)
    op.alter_column("fix", "lon", nullable=True)
    op.add_column(
        "presence", sa.Column("lapsed", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.alter_column("presence", "lapsed", server_default=None)
    _rewrite(_newer)


def downgrade() -> None:
    _rewrite(_older)
    for table in ("fix", "presence"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM presence WHERE kind = 'mock'")
    op.execute("DELETE FROM fix WHERE lat IS NULL")
    for table in ("fix", "presence"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.drop_column("presence", "lapsed")
    op.alter_column("fix", "lon", nullable=False)
    op.alter_column("fix", "lat", nullable=False)
