"""`company`: a security company and the first key to it. The rest – clients, people, agreements – goes over the API."""

import asyncio
import json
import sys

from sqlalchemy import exists, select

from api.commands.failures import Exit, Failure
from api.state import utc_now
from domain import accounts
from domain.accounts import Tenant
from domain.actor import Actor, Role
from domain.db import connect, sessions, transaction
from domain.settings import Settings


def run(settings: Settings, name: str, as_json: bool) -> int:
    """Make it and print the key, which is told this once. Raises `Failure` when there is one of that name."""
    key = asyncio.run(_make(settings, name))
    sys.stdout.write((json.dumps({"company": name, "key": key}) if as_json else key) + "\n")
    return 0


async def _make(settings: Settings, name: str) -> str:
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        async with transaction(sessions(engine)) as session:
            if await session.scalar(select(exists().where(Tenant.name == name))):
                raise Failure(f"There is a company called {name} already.", Exit.INPUT)
            company = await accounts.create_tenant(session, name=name)
            actor = Actor.system(company.id, "company")
            _, key = await accounts.issue_api_key(
                session,
                actor,
                name="the first key",
                role=Role.MANAGEMENT,
                all_accounts=True,
                at=utc_now(),
            )
            return key
    finally:
        await engine.dispose()
