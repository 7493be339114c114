"""A reader of much, a caller of refused documents and a flood of health checks do not hold up the control room."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from api.execution.document_cache import Invalid
from api.execution.executor import GraphQLRequest
from tests import build, facts
from tests.api import asking
from tests.api.asking import Api, Office

REPLAYS = " ".join(
    f"a{n}: slaRestatement(accountId: $a, window: CONTRACT_YEAR, at: $t, knownAt: $t) {{ knownAt }}"
    for n in range(90)
)
HEAVY = f"query ($a: ID!, $t: DateTime!) {{ {REPLAYS} }}"
UNKNOWN = "{ " + " ".join(f"field{n}" for n in range(900)) + " }"
QUICK = "{ incidents(first: 5) { edges { node { summary } } } }"


@pytest.mark.slow
async def test_a_dispatcher_is_answered_while_a_client_has_twenty_heavy_requests_under_way(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    rich = {"budget_per_s": 1e9, "budget_burst": 1e9}
    configured = asking.settings(database_url, redis_url, tmp_path, **rich)
    async with asking.running(configured) as api:
        office = await asking.office(api)
        for _ in range(3):
            await build.incident(api.make, office.world)
        await facts.number_all(api.make)
        heavy = [
            asyncio.create_task(
                api.ask(office.client, HEAVY, a=office.account, t=api.state.now().isoformat())
            )
            for _ in range(20)
        ]
        await asyncio.sleep(0.3)
        for _ in range(5):
            found = await api.data(office.dispatcher, QUICK)
            assert len(found["incidents"]["edges"]) == 3
        assert sum(not each.done() for each in heavy) >= 15
        answers = await asyncio.gather(*heavy)
        assert all(len(each["data"]) == 90 for each in answers)


async def test_measuring_costs_by_what_it_takes(api: Api, office: Office) -> None:
    answer = await api.ask(office.client, HEAVY, a=office.account, t=api.state.now().isoformat())
    assert answer["extensions"]["cost"] == 90 * (1 + 1_000 + 1)


async def test_documents_that_are_refused_after_parsing_are_charged(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    poor = {"budget_per_s": 1, "budget_burst": 100_000}
    async with asking.running(asking.settings(database_url, redis_url, tmp_path, **poor)) as api:
        office = await asking.office(api)
        codes = [_code(await api.ask(office.client, f"{UNKNOWN} # {n}")) for n in range(60)]
        assert 10 <= codes.index("RATE_LIMITED") <= 12, "at 10 for a word, 100,000 are soon spent"
        assert await api.data(office.dispatcher, QUICK), "another actor's budget is not touched"


async def test_others_go_on_while_long_documents_are_examined(api: Api) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count())
    for number in range(10):
        with pytest.raises(Invalid):
            await api.state.gate.look(GraphQLRequest(f"{UNKNOWN} # {number} examined in a thread"))
    counting.cancel()
    assert turns > 100, "on the loop, others would have about three turns for each document"


async def test_a_document_that_was_refused_is_refused_again_without_being_parsed(
    api: Api, office: Office
) -> None:
    documents = api.state.engine.documents
    text = "query q { viewer { role }\n  nothing }"
    first = await api.ask(office.client, text)
    assert documents.refused(text) is not None
    assert await api.ask(office.client, text) == first
    assert first["errors"][0]["locations"] == [{"line": 2, "column": 3}]


async def test_a_refusal_that_depends_on_variables_is_not_kept(api: Api, office: Office) -> None:
    pages = "accounts(first: $n) { nodes { sites(first: $n) { id } } }"
    text = f"query q($n: Int!) {{ {pages} a: {pages} b: {pages} }}"
    assert _code(await api.ask(office.client, text, n=500)) == "TOO_COMPLEX"
    assert "data" in await api.ask(office.client, text, n=2)


async def test_a_flood_of_health_checks_asks_the_database_once_a_second(
    api: Api, office: Office
) -> None:
    statements: list[str] = []

    def saw(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = api.state.health_sessions.kw["bind"].sync_engine
    event.listen(engine, "before_cursor_execute", saw)
    async with asyncio.timeout(60):
        answers = await asyncio.gather(
            *(api.http.get(("/readyz", "/metrics")[n % 2]) for n in range(400))
        )
    assert {each.status_code for each in answers} == {200}
    assert 0 < len(statements) <= 60, "a refresh takes about ten statements"
    assert await api.data(office.dispatcher, QUICK)


async def test_not_ready_while_no_write_can_be_made(api: Api) -> None:
    assert (await api.http.get("/readyz")).status_code == 200
    engine = api.state.health_sessions.kw["bind"].sync_engine

    @event.listens_for(engine, "begin")
    def read_only(connection: Any) -> None:
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    api.app.state.health.forget()
    response = await api.http.get("/readyz")
    assert response.status_code == 503
    assert "no write can be made" in response.json()["parts"]["postgres"]["why"]
    event.remove(engine, "begin", read_only)
    api.app.state.health.forget()
    assert (await api.http.get("/readyz")).status_code == 200


def _code(answer: dict[str, Any]) -> str:
    code: str = answer["errors"][0].get("extensions", {}).get("code", "")
    return code
