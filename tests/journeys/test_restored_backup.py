"""A backup is restored and the ledger grows past what was lost: readers of the lost history are told, not misled."""

from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from api.embedded import Servers
from domain.core import epoch, sequencing
from domain.core.db import transaction
from tests import build, conftest, facts
from tests.api import asking
from tests.api.asking import Api
from tests.api.conftest import server

__all__ = ["server"]

LEDGER = "query ($after: String) { ledger(first: 100, after: $after) { edges { cursor node { kind hash } } } }"
FEED = "subscription ($a: ID!, $after: String) { accountEvents(accountId: $a, after: $after) { cursor kind gap } }"


async def code_of(api: Api, token: str, query: str, **variables: Any) -> str | None:
    answer = await api.ask(token, query, **variables)
    return None if "errors" not in answer else answer["errors"][0]["extensions"]["code"]


async def replace(pair: Servers, source: str, target: str) -> None:
    """Put a copy of `source` in the place of `target`."""
    address = conftest.superuser(pair)
    await conftest._drop(address, target)
    assert await conftest._create(address, target, source)


async def grow(api: Api, office: asking.Office, incidents: int) -> None:
    for _ in range(incidents):
        await build.incident(api.make, office.world)
    await facts.number_all(api.make)


async def test_a_cursor_of_a_lost_fact_is_refused_also_after_the_ledger_grew_past_it(
    pair: Servers, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    live = str(make_url(database_url).database)
    backup = f"{live}_backup"
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.running(configured) as api:
        office = await asking.office(api)
        await grow(api, office, 2)
        kept = (await api.data(office.client, LEDGER))["ledger"]["edges"][-1]["cursor"]
    assert await conftest._create(conftest.superuser(pair), backup, live)
    async with asking.running(configured) as api:
        await grow(api, office, 3)
        lost = (await api.data(office.client, LEDGER))["ledger"]["edges"][-1]["cursor"]
        assert await code_of(api, office.client, LEDGER, after=lost) is None
    await replace(pair, backup, live)
    async with asking.serving(configured) as server:
        assert await code_of(server.api, office.client, LEDGER, after=lost) == "LEDGER_RESTORED"
        await grow(server.api, office, 5)
        assert await code_of(server.api, office.client, LEDGER, after=lost) == "LEDGER_RESTORED"
        assert await code_of(server.api, office.client, LEDGER, after=kept) is None
        async with server.socket(office.client) as socket:
            await socket.subscribe("lost", FEED, a=office.account, after=lost)
            refused = await socket.hear()
            assert refused["payload"][0]["extensions"]["code"] == "LEDGER_RESTORED"
            await socket.subscribe("kept", FEED, a=office.account, after=kept)
            assert (await socket.next())["accountEvents"]["kind"] is not None
        await noticed_by_the_company(server.api, office)
    await conftest._drop(conftest.superuser(pair), backup)


async def noticed_by_the_company(api: Api, office: asking.Office) -> None:
    """The first relay on the restored database begins an epoch; its fact is in the company's ledger."""
    async with transaction(api.make) as session:
        first = await epoch.ensure(session, at=api.state.now())
        first.server = "the cluster that the backup was made of"
    async with transaction(api.make) as session:
        second = await epoch.ensure(session, at=api.state.now())
        assert second.id != first.id
    async with transaction(api.make) as session:
        assert (await epoch.ensure(session, at=api.state.now())).id == second.id
    await facts.number_all(api.make)
    kinds = '{ ledger(first: 10, kinds: ["ledger.restored"]) { edges { node { kind body } } } }'
    [edge] = (await api.data(office.manager, kinds))["ledger"]["edges"]
    assert edge["node"]["body"]["epoch"] == str(second.id)
    assert edge["node"]["body"]["epoch_before"] == str(first.id)
    consistency = "{ auditConsistency(from: 7777, to: 8888) { hashes } }"
    assert await code_of(api, office.manager, consistency) == "LEDGER_RESTORED"


async def test_open_subscriptions_end_with_a_notice_when_a_backup_is_restored_under_them(
    pair: Servers, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    live = str(make_url(database_url).database)
    backup = f"{live}_earlier"
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.running(configured) as api:
        office = await asking.office(api)
        await grow(api, office, 1)
    assert await conftest._create(conftest.superuser(pair), backup, live)
    async with asking.serving(configured) as server:
        await grow(server.api, office, 2)
        async with server.socket(office.client) as socket:
            await socket.subscribe("1", FEED, a=office.account)
            async with server.api.make() as session:
                head = await sequencing.last_seq(session)
            hub = server.api.state.hub
            await facts.until(lambda: hub.listeners == 1 and hub.position == head)
            await replace(pair, backup, live)
            assert (await socket.next())["accountEvents"]["gap"] == "RESTORED"
    await conftest._drop(conftest.superuser(pair), backup)
