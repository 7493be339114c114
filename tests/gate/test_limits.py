"""Budgets, known documents, cancelled SQL, and what other people's pages may do."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from sqlalchemy import text

from api.execution import executor
from api.support.rate_limit import InMemory, RateLimit, RedisWithFallback, Throttle
from domain.core.db import connect
from tests.api import asking
from tests.api.asking import Api, Office, Server
from tests.servers import redis_server

VIEWER = "{ viewer { role } }"


def code(answer: dict[str, Any]) -> str:
    return str(answer["errors"][0]["extensions"]["code"])


@asynccontextmanager
async def having(database_url: str, redis_url: str, data: Path, **more: Any) -> AsyncIterator[Api]:
    async with asking.running(asking.settings(database_url, redis_url, data, **more)) as api:
        yield api


async def test_a_throttle_lets_the_burst_through_and_says_exactly_how_long_to_wait(
    redis: Any,
) -> None:
    rate = RateLimit(per_s=1, burst=5)
    for kind in (Throttle(redis), InMemory()):
        waits = [await kind.wait_s(f"{id(kind)}", 1, rate) for _ in range(7)]
        assert waits[:5] == [0] * 5
        assert 0 < waits[5] <= 1.01
        await asyncio.sleep(waits[6] + 0.02)
        assert await kind.wait_s(f"{id(kind)}", 1, rate) == 0


async def test_the_loss_of_redis_renews_no_allowance() -> None:
    rate = RateLimit(per_s=1 / 60, burst=5)
    with redis_server() as server:
        client = Redis.from_url(server.url, retry=None)
        throttle = RedisWithFallback(client)
        before = [await throttle.wait_s("a", 1, rate) for _ in range(4)]
        server.kill()
        after = [await throttle.wait_s("a", 1, rate) for _ in range(2)]
        other = await throttle.wait_s("b", 1, rate)
        await client.aclose()
    assert before == [0] * 4
    assert after[0] == other == 0
    assert after[1] > 0


async def test_who_spends_too_much_is_told_when_to_come_back(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    dear = "{ accounts(first: 100) { nodes { sites(first: 100) { id name city } } } }"
    async with having(
        database_url, redis_url, tmp_path, budget_per_s=1000, budget_burst=100_000
    ) as api:
        office = await asking.office(api)
        headers = {"authorization": f"Bearer {office.dispatcher}"}
        answers = [
            await api.http.post("/graphql", json={"query": dear}, headers=headers) for _ in range(6)
        ]
        other = await api.ask(office.client, VIEWER)
    cost = answers[0].json()["extensions"]["cost"]
    last = answers[-1]
    assert cost > 30_000
    assert [a.status_code for a in answers].count(200) == 100_000 // cost
    assert (last.status_code, code(last.json())) == (429, "RATE_LIMITED")
    assert int(last.headers["retry-after"]) >= 1
    assert last.json()["errors"][0]["extensions"]["retryAfterMs"] > 0
    assert other["extensions"] == {"cost": 2}, "another actor has a purse of its own"


@pytest.mark.parametrize("policy", ["open", "closed"])
async def test_without_redis_budgets_do_what_the_setting_says(
    database_url: str, tmp_path: Path, policy: str
) -> None:
    with redis_server() as server:
        async with having(database_url, server.url, tmp_path, budget_without_redis=policy) as api:
            office = await asking.office(api)
            server.kill()
            answers = [await api.ask(office.client, VIEWER) for _ in range(3)]
    if policy == "open":
        assert all(a["data"]["viewer"] for a in answers)
    else:
        assert {code(a) for a in answers} == {"RATE_LIMITED"}


def named(query: str) -> dict[str, Any]:
    return {
        "persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}
    }


async def post(api: Api, token: str, **body: Any) -> dict[str, Any]:
    response = await api.http.post(
        "/graphql", json=body, headers={"authorization": f"Bearer {token}"}
    )
    told: dict[str, Any] = response.json()
    return told


async def test_a_document_that_was_sent_with_its_hash_is_known_by_it_in_every_process(
    api: Api, office: Office, database_url: str, redis_url: str, tmp_path: Path
) -> None:
    query = f"query q{office.world.tenant.id.hex} {{ viewer {{ role }} }}"
    unknown = await post(api, office.client, extensions=named(query))
    sent = await post(api, office.client, query=query, extensions=named(query))
    again = await post(api, office.client, extensions=named(query))
    wrong = await post(api, office.client, query=VIEWER, extensions=named(query))
    async with having(database_url, redis_url, tmp_path) as elsewhere:
        there = await post(elsewhere, office.client, extensions=named(query))
    assert (unknown["errors"][0]["message"], code(unknown)) == (
        "PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND",
    )  # fmt: skip
    assert sent["data"] == again["data"] == there["data"] == {"viewer": {"role": "CLIENT_ADMIN"}}
    assert code(wrong) == "BAD_REQUEST"


async def test_documents_do_not_fill_redis(api: Api, office: Office) -> None:
    redis = api.state.redis
    long = [
        f"{{ viewer {{ role }} }} #{office.world.tenant.id.hex} {n}".ljust(63_000)
        for n in range(70)
    ]
    for query in long:
        sent = await post(api, office.client, query=query, extensions=named(query))
        assert "errors" not in sent
    keys = [f"waarborg:document:{hashlib.sha256(query.encode()).hexdigest()}" for query in long]
    kept = [await redis.exists(key) for key in keys]
    assert 63 <= sum(kept) < 70
    assert (await post(api, office.client, extensions=named(long[-1])))["data"], "here it is known"


async def test_a_frozen_redis_holds_up_no_document(database_url: str, tmp_path: Path) -> None:
    with redis_server() as server:
        async with having(database_url, server.url, tmp_path) as api:
            office = await asking.office(api)
            server.freeze()
            try:
                async with asyncio.timeout(15):
                    unknown = await post(api, office.client, extensions=named(VIEWER))
                    sent = await post(api, office.client, query=VIEWER, extensions=named(VIEWER))
                    again = await post(api, office.client, extensions=named(VIEWER))
            finally:
                server.thaw()
    assert code(unknown) == "PERSISTED_QUERY_NOT_FOUND"
    assert sent["data"] == again["data"] == {"viewer": {"role": "CLIENT_ADMIN"}}


async def test_a_known_document_is_asked_for_by_get_too(api: Api, office: Office) -> None:
    await post(api, office.client, query=VIEWER, extensions=named(VIEWER))
    response = await api.http.get(
        "/graphql",
        params={"extensions": json.dumps(named(VIEWER))},
        headers={"authorization": f"Bearer {office.client}"},
    )
    assert response.json()["data"]["viewer"]["role"] == "CLIENT_ADMIN"


async def test_with_a_manifest_clients_are_answered_nothing_else(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    manifest = tmp_path / "documents.json"
    manifest.write_text(json.dumps({"viewer.v1": VIEWER}))
    other = "{ viewer { subject } }"
    async with having(database_url, redis_url, tmp_path, trusted_documents=manifest) as api:
        office = await asking.office(api)
        assert (await post(api, office.client, documentId="viewer.v1"))["data"]
        assert (await post(api, office.client, query=VIEWER))["data"]
        assert code(await post(api, office.client, query=other)) == "UNTRUSTED_DOCUMENT"
        refused = await post(api, office.client, query=other, extensions=named(other))
        assert code(refused) == "UNTRUSTED_DOCUMENT"
        assert code(await post(api, office.client, documentId="no")) == "PERSISTED_QUERY_NOT_FOUND"
        assert (await post(api, office.dispatcher, query=other))["data"], "staff ask what they like"


async def test_a_socket_knows_documents_and_budgets_too(server: Server) -> None:
    office = await asking.office(server.api)
    query = f"query s{office.world.tenant.id.hex} {{ viewer {{ role }} }}"
    async with server.socket(office.client) as socket:
        await socket.say(type="subscribe", id="1", payload={"extensions": named(query)})
        unknown = await socket.hear()
        await socket.say(
            type="subscribe", id="2", payload={"query": query, "extensions": named(query)}
        )
        known = [await socket.hear(), await socket.hear()]
        await socket.say(type="subscribe", id="3", payload={"extensions": named(query)})
        again = [await socket.hear(), await socket.hear()]
    assert (unknown["type"], code({"errors": unknown["payload"]})) == (
        "error", "PERSISTED_QUERY_NOT_FOUND",
    )  # fmt: skip
    assert known[0]["payload"]["data"] == again[0]["payload"]["data"]


async def test_an_operation_that_takes_too_long_is_given_up_and_so_is_its_sql(
    api: Api, office: Office, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executor, "TIMEOUT_S", 0.5)
    busy = text(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event_type = 'Lock'"
        " AND datname = current_database()"
    )
    owner = connect(owner_url, pool_size=1)
    async with owner.begin() as blocker:
        await blocker.execute(text("LOCK TABLE incident IN ACCESS EXCLUSIVE MODE"))
        query = "{ incidents { nodes { id } } }"
        answer = await api.ask(office.manager, query)
        async with asyncio.timeout(60), api.make() as session:
            while await session.scalar(busy):  # noqa: ASYNC110 - what is waited for is PostgreSQL's
                await asyncio.sleep(0.02)
    await owner.dispose()
    after = await api.ask(office.manager, VIEWER)
    assert code(answer) == "TIMEOUT"
    assert after["data"]["viewer"]


async def test_other_people_s_pages_cannot_ask_without_the_browser_asking_us_first(
    server: Server,
) -> None:
    http = server.api.http
    for content_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ):
        response = await http.post(
            "/graphql",
            content=b'{"query": "{ __typename }"}',
            headers={"content-type": content_type},
        )
        assert response.status_code == 415
    asked = await http.options(
        "/graphql",
        headers={
            "origin": "https://evil.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,authorization",
        },
    )
    assert "access-control-allow-origin" not in asked.headers
    got = await http.get("/graphql", params={"query": "mutation { __typename }"})
    assert (got.status_code, got.headers["allow"]) == (405, "POST")


async def test_allowed_origins_are_told_so(
    database_url: str, redis_url: str, tmp_path: Path
) -> None:
    origin = "https://app.example"
    async with having(database_url, redis_url, tmp_path, allowed_origins=(origin,)) as api:
        for path in ("/graphql", "/auth/login"):
            asked = await api.http.options(
                path,
                headers={
                    "origin": origin,
                    "access-control-request-method": "POST",
                    "access-control-request-headers": "content-type",
                },
            )
            assert asked.headers["access-control-allow-origin"] == origin
            assert "access-control-allow-credentials" not in asked.headers


async def test_every_answer_carries_the_headers_that_browsers_obey(api: Api) -> None:
    for path in ("/", "/graphql", "/livez", "/auth/login", "/.well-known/jwks.json", "/nothing"):
        headers = (await api.http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
    policy = (await api.http.get("/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
