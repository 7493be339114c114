"""A generated revision secures the rows of each new table as the policies of the other tables do."""

import sqlalchemy as sa
from alembic.autogenerate import render_python_code
from alembic.operations import ops

from api.support.row_security import secure_new_tables


def written(*columns: str) -> str:
    table = ops.CreateTableOp("probe", [sa.Column(name, sa.Uuid()) for name in columns])
    upgrade = ops.UpgradeOps([table, ops.DropTableOp("gone")])
    script = ops.MigrationScript("1", upgrade, ops.DowngradeOps([]))
    secure_new_tables(None, None, [script])
    return render_python_code(upgrade)


def test_rows_of_an_account_are_limited_to_a_company_and_to_accounts() -> None:
    code = written("id", "tenant_id", "account_id")
    assert "op.execute('ALTER TABLE probe FORCE ROW LEVEL SECURITY')" in code
    assert "tenant_id = (SELECT fence_tenant())" in code
    assert "account_id = ANY ((SELECT fence_accounts())::uuid[])" in code
    assert code.index("op.create_table") < code.index("CREATE POLICY") < code.index("op.drop_table")


def test_rows_of_a_company_are_limited_to_the_company() -> None:
    code = written("id", "tenant_id")
    assert "tenant_id = (SELECT fence_tenant())" in code
    assert "fence_accounts" not in code


def test_a_table_of_no_company_is_left_to_who_writes_the_revision() -> None:
    assert "POLICY" not in written("id")
