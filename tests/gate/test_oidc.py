"""Tokens of an identity provider: verified against the keys it publishes, good for one company only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from api.identity import authenticator, oidc
from domain.core.db import Sessions
from tests import build
from tests.api import asking
from tests.api.asking import Api
from tests.build import World
from tests.gate.issuer import AUDIENCE, Issuer, issuing

VIEWER = "{ viewer { subject } }"


@dataclass(frozen=True)
class Federated:
    """An API that takes an issuer's tokens for one company."""

    api: Api
    issuer: Issuer
    world: World

    async def subject(self, token: str) -> str | None:
        """Whom a token makes the asker, None when it is not taken."""
        answer = await self.api.ask(token, VIEWER)
        data: Any = answer.get("data")
        return None if data is None else str(data["viewer"]["subject"])


@pytest.fixture
async def federated(
    make: Sessions,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Federated]:
    monkeypatch.setattr(authenticator, "FRESH_S", 0.0)
    async with at_one(make, database_url, redis_url, tmp_path) as found:
        yield found


@asynccontextmanager
async def at_one(
    make: Sessions, database_url: str, redis_url: str, data: Path, **issuer_settings: bool
) -> AsyncIterator[Federated]:
    world = await build.client(make)
    async with issuing() as issuer:
        trusted: dict[str, Any] = {
            "issuer": issuer.url,
            "audience": AUDIENCE,
            "company": world.tenant.name,
        }
        trusted |= issuer_settings
        configured = asking.settings(database_url, redis_url, data, oidc=(trusted,))
        async with asking.running(configured) as api:
            yield Federated(api, issuer, world)


async def test_a_good_token_is_its_address_s_user(federated: Federated) -> None:
    user = federated.world.client_user
    token = federated.issuer.token("one", user.email.upper())
    for _ in range(3):
        assert await federated.subject(token) == f"user:{user.id}"
    assert federated.issuer.asked == 1, "keys are remembered"


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another"},
        {"iss": "https://another.example"},
        {"exp": datetime.now(UTC) - timedelta(minutes=1)},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"email": None},
        {"email": ["a@b.example"]},
        {"email_verified": False},
        {"email_verified": None},
        {"nbf": datetime.now(UTC) + timedelta(hours=1)},
    ],
    ids=lambda changed: next(iter(changed)),
)
async def test_a_token_with_a_wrong_claim_is_not_taken(
    federated: Federated, changes: dict[str, Any]
) -> None:
    token = federated.issuer.token("one", federated.world.client_user.email, **changes)
    assert await federated.subject(token) is None


async def test_forged_tokens_are_not_taken(federated: Federated) -> None:
    email, issuer = federated.world.client_user.email, federated.issuer
    stranger = Issuer(url=issuer.url)
    stranger.add("one")
    good = issuer.token("one", email)
    confused = jwt.encode(
        {"iss": issuer.url, "aud": AUDIENCE, "email": email, "email_verified": True, "sub": "7",
         "iat": datetime.now(UTC), "exp": datetime.now(UTC) + timedelta(minutes=5)},
        "the public key as a secret, long enough for any taste", algorithm="HS256", headers={"kid": "one"},
    )  # fmt: skip
    for token in (
        issuer.forged(email),
        stranger.token("one", email),
        confused,
        good[:-6] + "AAAAAA",
    ):
        assert await federated.subject(token) is None
    assert await federated.subject(good) is not None


async def test_a_user_of_another_company_is_nobody_to_this_issuer(
    federated: Federated, make: Sessions
) -> None:
    other = await build.client(make)
    assert await federated.subject(federated.issuer.token("one", other.client_user.email)) is None


async def test_a_new_key_is_looked_for_and_made_up_ones_are_not_looked_for_each_time(
    federated: Federated, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, issuer = federated.world.client_user.email, federated.issuer
    assert await federated.subject(issuer.token("one", email)) is not None
    issuer.add("two", "ES256")
    monkeypatch.setattr(oidc, "AGAIN_S", 0.0)
    assert await federated.subject(issuer.token("two", email)) is not None
    monkeypatch.setattr(oidc, "AGAIN_S", 30.0)
    asked = issuer.asked
    made_up = Issuer(url=issuer.url)
    for n in range(20):
        made_up.keys = {f"made up {n}": issuer.keys["one"]}
        assert await federated.subject(made_up.token(f"made up {n}", email)) is None
    assert issuer.asked == asked


async def test_a_provider_that_is_away_leaves_its_known_keys_good(
    federated: Federated, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, issuer = federated.world.client_user.email, federated.issuer
    assert await federated.subject(issuer.token("one", email)) is not None
    issuer.broken = True
    monkeypatch.setattr(oidc, "AGAIN_S", 0.0)
    monkeypatch.setattr(oidc, "FRESH_S", 0.0)
    assert await federated.subject(issuer.token("one", email)) is not None


@pytest.mark.parametrize(
    ("claim", "trusting", "taken"),
    [
        (True, False, True), ("true", False, True), ("True", False, True), (None, False, False),
        (None, True, True), (False, True, False), ("false", True, False), (1, False, False),
    ],
)  # fmt: skip
async def test_an_address_counts_as_verified_when_the_provider_or_the_setting_says_so(
    make: Sessions,
    database_url: str,
    redis_url: str,
    tmp_path: Path,
    claim: object,
    trusting: bool,
    taken: bool,
) -> None:
    async with at_one(make, database_url, redis_url, tmp_path, trust_email=trusting) as federated:
        user = federated.world.client_user
        token = federated.issuer.token("one", user.email, email_verified=claim)
        assert await federated.subject(token) == (f"user:{user.id}" if taken else None)
        if not taken:
            answer = await federated.api.ask(token, VIEWER)
            assert "email_verified" in answer["errors"][0]["message"]


async def test_the_refusal_of_a_good_token_says_that_nobody_has_its_address(
    federated: Federated,
) -> None:
    answer = await federated.api.ask(federated.issuer.token("one", "nobody@b.example"), VIEWER)
    assert "no active user" in answer["errors"][0]["message"]
