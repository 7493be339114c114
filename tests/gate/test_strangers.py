"""Nobody gets in where they do not belong: the prober finds nothing, with either fence alone."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import true

from api.execution.executor import GraphQLRequest
from domain import incidents
from domain.access import Actor, Tx, rows, visibility
from domain.access.rule import Rows
from domain.core.db import transaction
from schema.core import loaders
from tests import build, facts
from tests.api import asking
from tests.api.asking import Api
from tests.gate import prober, victims
from tests.gate.prober import Findings, Prober

ARMED = 0.9


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """An API whose budgets a prober cannot exhaust."""
    async with patient(database_url, redis_url, tmp_path) as running:
        yield running


@pytest.fixture
async def unfenced(system_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The same, answering from a login that row-level security lets pass."""
    async with patient(system_url, redis_url, tmp_path) as running:
        yield running


@asynccontextmanager
async def patient(database_url: str, redis_url: str, data: Path) -> AsyncIterator[Api]:
    configured = asking.settings(database_url, redis_url, data, budget_per_s=1e9, budget_burst=1e12)
    async with asking.running(configured) as running:
        yield running


async def probe(api: Api, lower: Callable[[], None] | None = None) -> Findings:
    """A manager of another company tries everything; `lower` takes a guard down once both companies are there."""
    stranger, victim = await victims.furnished(api), await victims.furnished(api)
    if lower is not None:
        lower()
    found = await Prober(
        api,
        await prober.side(api, stranger.manager, stranger.world.tenant.id),
        await prober.side(api, victim.manager, victim.world.tenant.id),
        victim.manager,
    ).run(victim.world.tenant.id)
    sys.stdout.write(f"{found}\n")
    return found


def take_down_the_actors_fence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Actor, "scope", lambda _actor, _model: true())
    everything = Rows((), "", lambda _actor, _model: true(), own=lambda _actor, _model: true())
    monkeypatch.setattr(visibility, "ROWS", dict.fromkeys(rows.ROWS, everything))
    monkeypatch.setattr(visibility, "visible_facts", lambda _actor, _model: true())
    monkeypatch.setattr(loaders, "_prepared", {})  # statements compiled with the fence


async def test_another_company_finds_nothing(api: Api) -> None:
    found = await probe(api)
    assert found.clean, (found.leaks, found.oracles, found.tampered)
    assert found.probes > 50
    assert found.share >= ARMED


@pytest.mark.slow
async def test_another_company_finds_nothing_without_row_level_security(unfenced: Api) -> None:
    found = await probe(unfenced)
    assert found.clean, (found.leaks, found.oracles, found.tampered)
    assert found.share >= ARMED


@pytest.mark.slow
async def test_another_company_finds_nothing_without_the_actors_fence(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await probe(api, lambda: take_down_the_actors_fence(monkeypatch))
    assert found.clean, (found.leaks, found.oracles, found.tampered)
    assert found.share >= ARMED


@pytest.mark.slow
async def test_without_either_fence_the_prober_would_find_a_lot(
    unfenced: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = await probe(unfenced, lambda: take_down_the_actors_fence(monkeypatch))
    assert len(found.leaks) > 20
    assert len(found.oracles) > 20
    assert len(found.tampered) > 3


async def test_another_client_of_the_same_company_finds_nothing(api: Api) -> None:
    office = await victims.furnished(api)
    world = office.world
    token = await victims.neighbour(api, office)
    found = await Prober(
        api,
        await prober.side(api, token, world.tenant.id, None),
        await prober.side(api, office.manager, world.tenant.id, world.account.id),
        office.manager,
        cursors=False,  # they are sealed for a company: a colleague's is as good as one's own
    ).run(world.tenant.id)
    sys.stdout.write(f"{found}\n")
    # The neighbour may add users of its own: the company's tables do change, the client's do not.
    changed = set(found.tampered) - {"app_user", "user_reach", "ledger", "idempotency"}
    assert (found.leaks, found.oracles, changed) == ([], [], set())


async def test_a_feed_says_nothing_of_what_happens_elsewhere(api: Api) -> None:
    stranger, victim = await asking.office(api), await asking.office(api)
    state = api.state
    identity = await state.authenticator.identify(stranger.manager)
    assert identity is not None
    heard: dict[str, list[str]] = {}

    async def listen(document: str, **variables: str) -> None:
        events = heard[document] = []
        ask = GraphQLRequest(document, dict(variables))
        operation = await state.gate.look(ask)
        stream = state.engine.stream(operation, ask, state.context(identity.actor), "")
        async for done in stream:
            events.append(str(done.answer))  # noqa: PERF401 - the others look at it meanwhile

    watching = [
        asyncio.create_task(listen("subscription { breaches(atRisk: true) { cursor at body } }")),
        asyncio.create_task(
            listen(
                "subscription ($a: ID!) { accountEvents(accountId: $a) { cursor at body } }",
                a=stranger.account,
            )
        ),
    ]
    await facts.until(lambda: state.hub.listeners == len(watching))
    later = build.T0 + timedelta(days=1)
    for at in (
        build.T0,
        later,
    ):  # what happens elsewhere first is followed by something that is told
        for office in (victim, stranger):
            ticket = await build.incident(api.make, office.world, at=at)
            async with transaction(api.make) as session:
                late = at + timedelta(minutes=400)
                await incidents.acknowledge(Tx(session, office.world.staff, late), ticket.id)
            await prober.number(api)
    day = str(later.date())
    await facts.until(lambda: all(any(day in told for told in each) for each in heard.values()))
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    told = [each for events in heard.values() for each in events]
    assert [each for each in told if str(victim.world.account.id) in each or "errors" in each] == []
