"""Row-level security of new tables: `migrate --revise` writes it into the revision that creates them."""

from collections.abc import Iterator
from typing import Any

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations import ops
from sqlalchemy import Column

_TENANT = "tenant_id = (SELECT fence_tenant())"
_ACCOUNTS = (
    " AND ((SELECT fence_accounts()) IS NULL OR account_id IS NULL",
    " OR account_id = ANY ((SELECT fence_accounts())::uuid[]))",
)


class RowSecurityOp(ops.ExecuteSQLOp):
    """Limit the rows of a table to one company, and to accounts where its rows belong to one."""

    def __init__(self, table: str, *, by_account: bool) -> None:
        conditions = (_TENANT, *(_ACCOUNTS if by_account else ()))
        self.statements = (
            (f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",),
            (f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",),
            (f"CREATE POLICY fence ON {table} USING (", *conditions, ")"),
        )
        super().__init__("; ".join("".join(each) for each in self.statements))


@renderers.dispatch_for(RowSecurityOp)
def render_statements(_context: AutogenContext, op: Any) -> list[str]:
    """Render each statement as a call; one of several parts over several lines."""
    calls = []
    for parts in op.statements:
        texts = [repr(part) for part in parts]
        inner = texts[0] if len(texts) == 1 else "\n    " + "\n    ".join(texts) + "\n"
        calls.append(f"op.execute({inner})")
    return calls


def secure_new_tables(_context: Any, _revision: Any, scripts: list[ops.MigrationScript]) -> None:
    """Add row-level security below every table that a generated revision creates for rows of a company."""
    for script in scripts:
        for upgrade in script.upgrade_ops_list:
            upgrade.ops[:] = [each for op in upgrade.ops for each in _secured(op)]


def _secured(op: ops.MigrateOperation) -> Iterator[ops.MigrateOperation]:
    yield op
    if isinstance(op, ops.CreateTableOp):
        columns = {each.name for each in op.columns if isinstance(each, Column)}
        if "tenant_id" in columns:
            yield RowSecurityOp(op.table_name, by_account="account_id" in columns)
