"""Evaluators: promises are found by the version that judged them."""

from collections.abc import Sequence

from alembic import op

revision: str = "0032"
down_revision: str | Sequence[str] | None = "0031"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_index(op.f("ix_promise_evaluator"), "promise", ["evaluator"])


def downgrade() -> None:
    op.drop_index(op.f("ix_promise_evaluator"), "promise")
