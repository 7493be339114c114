"""Who is between: forwarded addresses of configured proxies only, and demo tokens for nobody far away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from sqlalchemy import select

from api.demo.seed import seed
from api.embedded import Servers
from api.identity import sign_in_throttle
from api.support.client_address import Proxies, is_direct_loopback, throttle_name
from api.support.rate_limit import RateLimit
from domain import accounts
from domain.core.db import transaction
from domain.core.settings import Settings
from domain.credentials import SignIn
from tests.api import asking
from tests.api.asking import Api
from tests.conftest import copied
from tests.conftest import login as as_login
from tests.gate.test_sign_in import PASSWORD, person, post


def scope(peer: str, host: str = "localhost:8000", **headers: str) -> dict[str, Any]:
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"client": (peer, 4711), "headers": [(b"host", host.encode()), *given]}


@pytest.mark.parametrize(
    ("trusted", "peer", "chain", "client"),
    [
        ((), "127.0.0.1", "203.0.113.7", "127.0.0.1"),
        (("127.0.0.1",), "127.0.0.1", "203.0.113.7", "203.0.113.7"),
        (("127.0.0.1",), "127.0.0.1", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (("10.0.0.0/8",), "10.1.2.3", "203.0.113.7, 10.9.9.9", "203.0.113.7"),
        (("10.0.0.0/8",), "192.0.2.1", "203.0.113.7", "192.0.2.1"),
        (("127.0.0.1",), "127.0.0.1", "nonsense", "127.0.0.1"),
        (("127.0.0.1",), "127.0.0.1", "[2001:db8::7]:443", "2001:db8::7"),
        (("::1",), "::1", "203.0.113.7:5000", "203.0.113.7"),
    ],
)
def test_the_client_is_the_last_address_that_is_no_trusted_proxy(
    trusted: tuple[str, ...], peer: str, chain: str, client: str
) -> None:
    assert Proxies(trusted).client_of(scope(peer, x_forwarded_for=chain)) == client


def test_of_ipv6_a_whole_customer_is_counted() -> None:
    assert throttle_name("2001:db8::1") == throttle_name("2001:db8::2") == "2001:db8::/64"
    assert throttle_name("203.0.113.7") == "203.0.113.7"


@pytest.mark.parametrize(
    ("asked", "direct"),
    [
        (scope("127.0.0.1"), True),
        (scope("127.0.0.1", "127.0.0.1:8000"), True),
        (scope("::1", "[::1]:8000"), True),
        (scope("127.0.0.1", "desk.example"), False),
        (scope("127.0.0.1", "localhost.evil.example"), False),
        (scope("192.0.2.1"), False),
        (scope("127.0.0.1", x_forwarded_for="203.0.113.7"), False),
        (scope("127.0.0.1", x_forwarded_host="desk.example"), False),
        (scope("127.0.0.1", forwarded="for=203.0.113.7"), False),
        (scope("127.0.0.1", via="1.1 proxy"), False),
    ],
)
def test_direct_is_a_program_of_this_machine_that_says_so(
    asked: dict[str, Any], direct: bool
) -> None:
    assert is_direct_loopback(asked) is direct


@pytest.mark.parametrize("trusted", [(), ("127.0.0.1",)])
async def test_a_session_has_the_forwarded_address_of_a_configured_proxy_only(
    database_url: str, redis_url: str, tmp_path: Path, trusted: tuple[str, ...]
) -> None:
    """Under uvicorn, which by itself believes any program of this machine."""
    configured = asking.settings(database_url, redis_url, tmp_path, trusted_proxies=trusted)
    async with asking.serving(configured) as server:
        someone = await person(server.api, await asking.office(server.api))
        await server.api.http.post(
            "/auth/login",
            json={"email": someone.email, "password": PASSWORD},
            headers={"x-forwarded-for": "203.0.113.7"},
        )
        async with server.api.make() as session:
            query = select(SignIn.address).where(SignIn.user_id == someone.user.id)
            assert await session.scalar(query) == ("203.0.113.7" if trusted else "127.0.0.1")


async def test_changing_the_forwarded_address_does_not_get_round_the_throttle(
    database_url: str, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, redis: Redis
) -> None:
    monkeypatch.setattr(sign_in_throttle, "OF_AN_ADDRESS", RateLimit(per_s=1 / 600, burst=10))
    spent = "waarborg:rate:{login:address:127.0.0.1}"  # other tests ask from this address too
    await redis.delete(spent)
    async with asking.serving(asking.settings(database_url, redis_url, tmp_path)) as server:
        codes: list[int] = []
        for start in range(0, 20, 5):
            guesses = [
                server.api.http.post(
                    "/auth/login",
                    json={"email": f"u{n}@nowhere.example", "password": "guess"},
                    headers={"x-forwarded-for": f"203.0.113.{n}"},
                    timeout=60,
                )
                for n in range(start, start + 5)
            ]
            codes += [answer.status_code for answer in await asyncio.gather(*guesses)]
    await redis.delete(spent)
    assert (codes.count(401), codes.count(429)) == (10, 10)


@pytest.fixture
def own_database(pair: Servers) -> str:
    """A database with nobody else's companies."""
    owner = copied(pair, f"demonstration_{uuid4().hex[:8]}")
    return as_login(owner, "waarborg_app")


@pytest.fixture
async def demonstration(own_database: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The API of a demonstration, asked from this machine."""
    configured = asking.settings(own_database, redis_url, tmp_path, demo=True)
    async with asking.running(configured) as api:
        await seed(api.make, at=api.state.now(), tell=lambda _done, _of: None)
        yield api


async def test_demo_tokens_are_for_this_machine_and_never_beside_a_real_company(
    demonstration: Api,
) -> None:
    http = demonstration.http
    local = {"host": "127.0.0.1:8000"}
    shown = await http.get("/demo/tokens", headers=local)
    assert shown.status_code == 200
    assert {each["tenant"] for each in shown.json()} == {
        "Noorderlicht Beveiliging B.V.", "Zuiderpark Security B.V.",
    }  # fmt: skip
    assert (await http.get("/demo/tokens")).status_code == 404, "by another name"
    for header in ("x-forwarded-for", "x-forwarded-proto", "forwarded", "via", "x-real-ip"):
        proxied = await http.get("/demo/tokens", headers=local | {header: "203.0.113.7"})
        assert proxied.status_code == 404, header
    async with transaction(demonstration.make) as session:
        await accounts.create_tenant(session, name="Echt Beveiliging B.V.")
    assert (await http.get("/demo/tokens", headers=local)).status_code == 404
    assert (await post(demonstration, "/auth/forgotten", email="a@b.example")).status_code == 200


def test_development_is_off_unless_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAARBORG_DEVELOPMENT", raising=False)
    assert Settings().development is False
