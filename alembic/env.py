"""Alembic environment, started by `api.support.migrate`: runs migrations one at a time with a short lock timeout."""

import asyncio
from typing import Any

from alembic import context
from alembic.operations import ops
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from api.support.announcing import announce_due_columns
from api.support.row_security import secure_new_tables
from domain.metadata import metadata

# "waarborg" in ASCII: concurrent deployments migrate one after the other
LOCK = 0x7761_6172_626F_7267


def _prepare(connection: Connection, app_role: str) -> None:
    """Wait for other migrations without a limit, then set a lock timeout of 4 s for table locks.

    A statement that waits for a table lock blocks all later statements on that table, so it fails after 4 s
    and is retried later.
    """
    connection.execute(text("SET lock_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
    connection.execute(text("SET lock_timeout = '4s'"))
    connection.execute(text("SET timezone = 'UTC'"))
    known = connection.scalar(
        text("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname = :r"), {"r": app_role}
    )
    if known and app_role != connection.scalar(text("SELECT current_user")):
        # The application reads and writes tables it does not own. Default privileges cover new tables only: a
        # table whose migration revokes rights (the ledger is append-only) keeps them revoked.
        allow = f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT %s TO {known}"
        connection.execute(text(allow % "SELECT, INSERT, UPDATE, DELETE ON TABLES"))
        connection.execute(text(allow % "USAGE, SELECT ON SEQUENCES"))
    connection.commit()


def _complete(context: Any, revision: Any, scripts: list[ops.MigrationScript]) -> None:
    """Add to a generated revision what the metadata does not hold."""
    secure_new_tables(context, revision, scripts)
    announce_due_columns(context, revision, scripts)


def _migrate(connection: Connection) -> None:
    _prepare(connection, context.config.attributes["app_role"])
    partitions = set(connection.scalars(text("SELECT relname FROM pg_class WHERE relispartition")))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        compare_server_default=True,
        transaction_per_migration=True,
        process_revision_directives=_complete,
        # Partitions are created and dropped over time; the metadata knows only the partitioned table.
        include_name=lambda name, kind, _parents: not (kind == "table" and name in partitions),
    )
    with context.begin_transaction():
        context.run_migrations()


async def _connect() -> None:
    engine = create_async_engine(context.config.attributes["url"], poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_migrate)
    finally:
        await engine.dispose()


asyncio.run(_connect())
