"""`defaults`: give an account the default promises, escalation policy, touchpoints and reports that it lacks."""

import asyncio
import json

from api.commands import lookup
from api.state import utc_now
from api.support.failures import CommandFailure, Exit
from domain import onboarding
from domain.access import Actor, Tx
from domain.accounts import Account
from domain.core.db import connect, sessions, transaction
from domain.core.settings import Settings
from domain.onboarding import AppliedDefault


def run(
    settings: Settings, account: str, tenant: str | None, reference: str, as_json: bool
) -> Exit:
    """Print one line for each thing that was made or left; `Failure` for an unknown account."""
    parts = asyncio.run(_apply(settings, account, tenant, reference))
    if as_json:
        print(json.dumps([{"part": p.part, "name": p.name, "made": p.made} for p in parts]))
        return Exit.DONE
    for each in parts:
        did = "made" if each.made else "left, it was there"
        print(f"{each.part.replace('_', ' ')} {each.name.replace('_', ' ')}: {did}")
    return Exit.DONE


async def _apply(
    settings: Settings, account: str, tenant: str | None, reference: str
) -> list[AppliedDefault]:
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        async with transaction(sessions(engine)) as session:
            companies = await lookup.tenants(session, tenant)
            found = await lookup.accounts(session, companies, account) or []
            if len(found) != 1:
                raise CommandFailure(f"Several accounts are called {account}: add --tenant.")
            row = await session.get_one(Account, found[0])
            tx = Tx(session, Actor.system(row.tenant_id, "defaults"), utc_now())
            applied = await onboarding.apply_defaults(tx, row.id, reference=reference)
            return applied.parts
    finally:
        await engine.dispose()
