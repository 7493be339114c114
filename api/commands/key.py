"""`key`: an API key, issued at the server's own keyboard."""

import asyncio
import json
import sys
from typing import NamedTuple

import domain.declared_access  # noqa: F401 - it adds the scopes of the capabilities
from api.commands import lookup
from api.state import utc_now
from api.support.failures import CommandFailure, Exit
from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core.db import connect, sessions, transaction
from domain.core.errors import Refused
from domain.core.settings import Settings


class KeyRequest(NamedTuple):
    """The key as it is asked for."""

    name: str
    role: str
    accounts: list[str]
    all_accounts: bool
    scopes: list[str] | None


def run(settings: Settings, wanted: KeyRequest, tenant: str | None, as_json: bool) -> int:
    """Issue the key and print it. Raises `Failure` when it cannot be issued as asked."""
    key = asyncio.run(_issue(settings, wanted, tenant))
    sys.stdout.write((json.dumps({"name": wanted.name, "key": key}) if as_json else key) + "\n")
    return 0


async def _issue(settings: Settings, wanted: KeyRequest, tenant: str | None) -> str:
    roles = [role.value for role in Role if role is not Role.SYSTEM]
    if wanted.role.lower() not in roles:
        raise CommandFailure(
            f"There is no role {wanted.role}. There are: {', '.join(roles)}.", Exit.INPUT
        )
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        async with transaction(sessions(engine)) as session:
            found = await lookup.tenants(session, tenant)
            if len(found) != 1:
                raise CommandFailure("Name the company with --tenant.", Exit.INPUT)
            reach = [
                account_id
                for named in wanted.accounts
                for account_id in await lookup.accounts(session, found, named) or ()
            ]
            _, key = await accounts.issue_api_key(
                Tx(session, Actor.system(found[0], "key"), utc_now()),
                name=wanted.name,
                role=Role(wanted.role.lower()),
                accounts=reach or None,
                all_accounts=wanted.all_accounts,
                scopes=wanted.scopes,
            )
            return key
    except Refused as refused:
        raise CommandFailure(refused.refusal.message, Exit.REFUSED) from refused
    finally:
        await engine.dispose()
