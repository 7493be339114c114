"""`export audit`: a bundle for `waarborg-verify`, of one client or of everything a company wrote down."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.commands import lookup
from api.commands.output import written
from api.support.failures import CommandFailure, Exit
from domain import audit
from domain.access import Actor
from domain.accounts import Account
from domain.audit import bundle
from domain.core.db import connect, sessions
from domain.core.settings import Settings


def run(
    settings: Settings,
    tenant: str | None,
    account: str | None,
    out: Path | None,
    since: Sequence[int],
) -> Exit:
    """Write the bundle under the last signed checkpoint; standard output when no file is named."""
    try:
        asyncio.run(_run(settings, tenant, account, out, since))
    except BrokenPipeError:
        sys.stderr.close()  # the reader (`| head`) has enough; there is nobody left to tell
    return Exit.DONE


async def _run(
    settings: Settings,
    tenant: str | None,
    account: str | None,
    out: Path | None,
    since: Sequence[int],
) -> None:
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        async with sessions(engine)() as session:
            # One snapshot: what the relay and the worker add meanwhile is the next bundle's.
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            tenant_id, account_id = await _about(session, tenant, account)
            signed = await audit.checkpoint(session, tenant_id)
            if signed is None:
                minutes = settings.audit_every_minutes
                raise CommandFailure(
                    f"Nothing is signed yet: a worker signs a checkpoint every {minutes} minutes."
                )
            sizes = {*since, *await audit.published_sizes(session, tenant_id, account_id)}
            reader = Actor.system(tenant_id, "export")
            with written(out) as file:
                async for record in bundle.records(
                    session, reader, signed, account_id, since=sizes
                ):
                    file.write(msgspec.json.encode(record) + b"\n")
    finally:
        await engine.dispose()
    print(
        f"{signed.size} facts are under this checkpoint, signed {signed.signed_at:%Y-%m-%d %H:%M} UTC"
        f" by {signed.verifier_key}",
        file=sys.stderr,
    )


async def _about(
    session: AsyncSession, tenant: str | None, account: str | None
) -> tuple[UUID, UUID | None]:
    """The one company and, if named, the one account of it."""
    tenants = await lookup.tenants(session, tenant)
    accounts = await lookup.accounts(session, tenants, account)
    if accounts is not None:
        if len(accounts) > 1:
            raise CommandFailure(f"Several companies have an account {account}: name the --tenant.")
        [account_id] = accounts
        row = await session.scalars(select(Account.tenant_id).where(Account.id == account_id))
        return row.one(), account_id
    if len(tenants) != 1:
        raise CommandFailure("Name the --account, or the --tenant whose whole trail you want.")
    return tenants[0], None
