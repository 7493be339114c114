"""The second fence: row-level security on every table that holds a company's rows."""

from collections.abc import Sequence

from alembic import op

revision: str = "0002"
down_revision: str | Sequence[str] | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OF_A_COMPANY = (
    "api_key", "app_user", "calendar", "calendar_version", "idempotency", "ledger_head", "outbox",
    # Which users reach an account is decided by looking at all of their accounts.
    "user_reach",
)  # fmt: skip
OF_AN_ACCOUNT = (
    "agreement", "contact", "credit", "credit_rule", "incident", "incident_pause", "incident_update",
    "ledger", "message", "promise", "promise_target", "promise_term", "promise_watch", "site", "terms",
)  # fmt: skip


def upgrade() -> None:
    # Null, and so no row at all, when nothing was said. An empty string is what a setting that was local once becomes.
    op.execute(
        "CREATE FUNCTION fence_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS "
        "$$SELECT nullif(current_setting('waarborg.tenant', true), '')::uuid$$"
    )
    # Null for those who reach every account of their company.
    op.execute(
        "CREATE FUNCTION fence_accounts() RETURNS uuid[] LANGUAGE sql STABLE PARALLEL SAFE AS "
        "$$SELECT nullif(current_setting('waarborg.accounts', true), '')::uuid[]$$"
    )
    statements = [
        *_policy("tenant", tenant="id"),
        *_policy("account", account="id"),
        *(statement for table in OF_A_COMPANY for statement in _policy(table)),
        *(
            statement
            for table in OF_AN_ACCOUNT
            for statement in _policy(table, account="account_id")
        ),
    ]
    for statement in statements:
        op.execute(statement)


def downgrade() -> None:
    for table in ("tenant", "account", *OF_A_COMPANY, *OF_AN_ACCOUNT):
        op.execute(f"DROP POLICY fence ON {table}")
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    op.execute("DROP FUNCTION fence_tenant()")
    op.execute("DROP FUNCTION fence_accounts()")


def _policy(table: str, *, tenant: str = "tenant_id", account: str | None = None) -> list[str]:
    mine = f"{tenant} = (SELECT fence_tenant())"
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
