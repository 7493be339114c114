"""The first page in a real browser: what it says about a backlog of jobs, and the names on its map."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from domain import positions
from domain.accounts import User
from domain.core import sequencing
from domain.core.db import transaction
from domain.core.outbox import Outbox, OutboxState
from tests import build, guards
from tests.api import asking
from tests.api.asking import Api, Office
from tests.browser import chromium
from tests.browser.test_signing_in import ENGLISH, Visit
from tests.gate import prober
from tests.servers import free_cluster_ports
from workers.routes import ROUTES, names

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(chromium.FOUND is None, reason="Chromium is not installed"),
]
JOBS = (
    "[...document.querySelectorAll('#parts li')].find((each) => each.innerText.startsWith('Jobs'))"
)
NAME, EXPECTED = "Noor de Wit", "Guard "


@pytest.fixture
async def visit(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Visit]:
    """A browser in front of an installation without a worker."""
    [port] = free_cluster_ports(1)
    configured = asking.settings(database_url, redis_url, tmp_path, port=port)
    async with (
        asking.serving(configured, port=port) as server,
        chromium.tab(tmp_path, ENGLISH) as tab,
    ):
        yield Visit(server, tab)
        assert tab.complaints == [], "scripts threw, or the page's policy blocked something"


async def left_to_do(api: Api, office: Office) -> None:
    """Jobs of an incident that nobody has begun."""
    await build.incident(api.make, office.world)
    async with transaction(api.make) as session:
        await sequencing.assign_sequence(session, routes=names(ROUTES), due_at=datetime.now(UTC))
        waiting = select(Outbox.id).where(Outbox.state == OutboxState.PENDING)
        assert await session.scalar(waiting.limit(1)) is not None


async def test_a_backlog_shows_on_the_first_page_until_it_is_done(visit: Visit) -> None:
    office = await asking.office(visit.api)
    await left_to_do(visit.api, office)
    long_ago = datetime.now(UTC) - timedelta(minutes=2)
    async with transaction(visit.api.make) as session:
        await session.execute(update(Outbox).values(recorded_at=long_ago))
    await visit.tab.go(visit.home)
    await visit.tab.until(f"{JOBS}?.className === 'waiting'")
    said = await visit.tab.run(f"{JOBS}.innerText")
    assert re.search(r"\d+ scheduled or waiting, 1[2-9]\d s late: .*start more workers", said), said
    async with transaction(visit.api.make) as session:
        await session.execute(update(Outbox).values(state=OutboxState.DONE))
    await visit.tab.until(f"{JOBS}?.className === 'ready'")
    assert "all done" in await visit.tab.run(f"{JOBS}.innerText")


async def come_in(visit: Visit, token: str) -> None:
    """Open the page with a token that was pasted before."""
    await visit.tab.go(visit.home)
    await visit.tab.run(f"sessionStorage.setItem('waarborg.token', {json.dumps(token)})")
    await visit.tab.go(visit.home)


async def test_staff_read_the_names_of_guards_on_the_map_and_clients_a_number(visit: Visit) -> None:
    office, api = await asking.office(visit.api), visit.api
    guard = await guards.on_duty(api.make, office.world)
    async with transaction(api.make) as session:
        await session.execute(update(User).where(User.id == guard.user.id).values(name=NAME))
    place = guards.near(5)
    now = api.state.now()
    fixes = [
        positions.ReceivedFix(at=now - timedelta(seconds=n), lat=place["lat"], lon=place["lon"])
        for n in range(60)
    ]
    await api.state.intake.take(guard.device.id, fixes, positions.FixSource.BATCH)
    async with transaction(api.make) as session:
        await positions.judge(session, guard.duty.id, at=now)
    await prober.number(api)
    label = "document.querySelector('#tiles svg text')?.textContent"
    await come_in(visit, office.dispatcher)
    await visit.tab.until(f"{label} === {json.dumps(NAME)}")
    await visit.tab.sees(f"On site: {NAME}")
    await come_in(visit, api.token(office.world.client_user.id))
    await visit.tab.until(f"{label}?.startsWith({json.dumps(EXPECTED)})")
    number = await visit.tab.run(label)
    assert number.removeprefix(EXPECTED).isdecimal()
    await visit.tab.sees(f"On site: {number}")
    assert NAME not in await visit.tab.run("document.documentElement.outerHTML")
