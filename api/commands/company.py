"""`company`: a security company, the first key to it, and a first client with the usual promises if one is named."""

import asyncio
import json
import sys
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from api.identity import tokens
from api.state import utc_now
from api.support.failures import CommandFailure, Exit
from domain import accounts, agreements, calendars
from domain.access import Actor, Role, Tx
from domain.accounts import Tenant
from domain.calendars import CalendarSpec
from domain.core.db import connect, sessions, transaction
from domain.core.settings import Settings


def run(
    settings: Settings,
    name: str,
    as_json: bool,
    *,
    client: str | None = None,
    site: str | None = None,
    guards: int = 0,
) -> int:
    """Make it and print the key, which is shown this once. Raises `Failure` when there is one of that name."""
    if site is not None and client is None:
        raise CommandFailure("A site belongs to a client: name one with --client.", Exit.INPUT)
    made = asyncio.run(_make(settings, name, client, site, guards))
    sys.stdout.write((json.dumps(made) if as_json else made["key"]) + "\n")
    return 0


async def _make(
    settings: Settings, name: str, client: str | None, site: str | None, guards: int
) -> dict[str, Any]:
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        async with transaction(sessions(engine)) as session:
            if await session.scalar(select(exists().where(Tenant.name == name))):
                raise CommandFailure(f"There is a company called {name} already.", Exit.INPUT)
            company = await accounts.create_tenant(session, name=name)
            actor = Actor.system(company.id, "company")
            _, key = await accounts.issue_api_key(
                Tx(session, actor, utc_now()),
                name="the first key",
                role=Role.MANAGEMENT,
                all_accounts=True,
            )
            if client is not None:
                await _first_client(session, actor, client, site)
            tokens_of_guards = await _guards(session, settings, actor, guards)
            return {"company": name, "key": key, "guards": tokens_of_guards}
    finally:
        await engine.dispose()


async def _guards(session: AsyncSession, settings: Settings, actor: Actor, count: int) -> list[str]:
    """Add guards; return an access token of each, because no letter reaches their addresses."""
    at, found = utc_now(), []
    signing = tokens.load(settings) if count else None
    for n in range(1, count + 1):
        user = await accounts.add_user(
            Tx(session, actor, at),
            email=f"guard-{n}-{actor.tenant_id.hex}@guards.invalid",
            name=f"Guard {n}",
            role=Role.GUARD,
        )
        found.append(user.id)
    await session.flush()
    return [] if signing is None else [signing.issue(each, at=at) for each in found]


async def _first_client(session: AsyncSession, actor: Actor, name: str, site: str | None) -> None:
    """Add a client with a site, under an agreement with the default promises, in force from today."""
    at = utc_now()
    account = await accounts.create_account(Tx(session, actor, at), name=name)
    if site is not None:
        await accounts.add_site(Tx(session, actor, at), account.id, name=site)
    calendar = await calendars.define(
        Tx(session, actor, at),
        name="Round the clock",
        spec=CalendarSpec(zone="Europe/Amsterdam", always_open=True),
    )
    today = at.astimezone(ZoneInfo("Europe/Amsterdam")).date()
    await agreements.sign(
        Tx(session, actor, at),
        account.id,
        reference="1",
        title="Security services",
        signed_on=today,
        in_force_from=datetime.combine(today, time(), ZoneInfo("Europe/Amsterdam")),
        terms=agreements.TermsDraft(agreements.seed_matrix(calendar.id, {})),
    )
