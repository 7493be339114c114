"""Who may ask: tokens that are good, tokens that are not, and rights that end when they end."""

import asyncio
import base64
import json
import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from api.identity import authenticator, tokens
from domain import accounts
from domain.access import Actor, Tx
from domain.accounts import ApiKey
from domain.core.db import transaction
from domain.core.keyfile import KeyFileError
from domain.core.settings import Settings
from tests.api.asking import Api, Office

VIEWER = "{ viewer { role } }"


async def rejected(api: Api, token: str) -> bool:
    response = await api.http.post(
        "/graphql", json={"query": VIEWER}, headers={"authorization": f"Bearer {token}"}
    )
    return response.status_code == 401 and "www-authenticate" in response.headers


def forged(api: Api, header: dict[str, Any] | None = None, **changes: Any) -> str:
    at = api.state.now()
    claims = {
        "iss": "waarborg", "aud": "waarborg", "sub": "01a200ea-bc2e-76ed-b3d1-a030660763bc",
        "iat": at, "nbf": at, "exp": at + timedelta(hours=1),
    }  # fmt: skip
    claims = {k: v for k, v in (claims | changes).items() if v is not None}
    headers = {"kid": api.state.keys.kid} | (header or {})
    return jwt.encode(claims, api.state.keys._private, algorithm="EdDSA", headers=headers)


async def test_tokens_that_are_not_good_are_401(api: Api, office: Office) -> None:
    good = str(office.world.client_user.id)
    now = api.state.now()
    assert not await rejected(api, forged(api, sub=good))
    head, payload, signature = office.client.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["sub"] = good[:-1] + ("0" if good[-1] != "0" else "1")
    altered = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    other_key = jwt.encode(
        claims, Ed25519PrivateKey.generate(), "EdDSA", {"kid": api.state.keys.kid}
    )
    with_public_key = jwt.encode(claims, "x" * 32, "HS256", {"kid": api.state.keys.kid})
    unsigned = jwt.encode(claims, "", "none", {"kid": api.state.keys.kid})
    for token in (
        "nonsense",
        "a.b.c",
        ".." * 3000,
        f"{head}.{altered}.{signature}",
        other_key,
        with_public_key,
        unsigned,
        forged(api, sub=good, header={"kid": "other"}),
        forged(api, sub=good, exp=now - timedelta(minutes=1)),
        forged(api, sub=good, nbf=now + timedelta(minutes=5)),
        forged(api, sub=good, aud="elsewhere"),
        forged(api, sub=good, iss="elsewhere"),
        forged(api, sub=good, exp=None),
        forged(api, sub=good, nbf=None),
        forged(api, sub=good, aud=None),
        forged(api, sub="nobody"),
        forged(api),
        forged(api, sub=good, accounts="all"),
    ):
        assert await rejected(api, token), token


async def test_a_token_can_be_narrowed_to_accounts_but_not_widened(
    api: Api, office: Office
) -> None:
    count = "{ accounts { nodes { id } } }"
    world = office.world
    nothing = api.token(world.client_user.id, only=frozenset())
    stranger = api.token(world.client_user.id, only=frozenset({world.tenant.id}))
    same = api.token(world.client_user.id, only=frozenset({world.account.id}))
    for token, expected in ((nothing, 0), (stranger, 0), (same, 1)):
        assert len((await api.data(token, count))["accounts"]["nodes"]) == expected


async def test_a_disabled_user_is_out_within_five_seconds(
    api: Api, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert authenticator.FRESH_S < 5
    monkeypatch.setattr(authenticator, "FRESH_S", 0.2)
    assert not await rejected(api, office.client)
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        await accounts.disable_user(
            Tx(session, system, api.state.now()), office.world.client_user.id
        )
    await asyncio.sleep(0.25)
    assert await rejected(api, office.client)


async def test_an_api_key_works_until_it_is_revoked_and_remembers_its_use(
    api: Api, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "FRESH_S", 0.0)
    system = Actor.system(office.world.tenant.id, "test")
    at = api.state.now()
    async with transaction(api.make) as session:
        row, text = await accounts.issue_api_key(
            Tx(session, system, at), name="partner", all_accounts=True
        )
        _, expired = await accounts.issue_api_key(
            Tx(session, system, at - timedelta(days=2)),
            name="old",
            all_accounts=True,
            expires_at=at - timedelta(days=1),
        )
    assert (await api.data(text, VIEWER))["viewer"]["role"] == "PARTNER"
    async with api.make() as session:
        used = await session.scalar(select(ApiKey.last_used_at).where(ApiKey.id == row.id))
    assert used is not None
    assert await rejected(api, expired)
    head, _, checksum = text.rpartition("_")
    assert await rejected(api, f"{head[:-1]}{'0' if head[-1] != '0' else '1'}_{checksum}")
    assert await rejected(api, text + "0")
    async with transaction(api.make) as session:
        await accounts.revoke_api_key(Tx(session, system, at), row.id)
    assert await rejected(api, text)


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic eDp5", "bearer\tx", "Bearer é"])
async def test_other_authorizations_are_401(api: Api, header: str) -> None:
    response = await api.http.post(
        "/graphql", json={"query": VIEWER}, headers=[(b"authorization", header.encode("latin-1"))]
    )
    assert response.status_code == 401


def test_the_signing_key_is_made_once_and_for_us_only(tmp_path: Path) -> None:
    first = tokens.load(Settings(data=tmp_path / "new"))
    again = tokens.load(Settings(data=tmp_path / "new"))
    path = tmp_path / "new" / "signing.pem"
    assert first.kid == again.kid
    assert first.secret("cursor") == again.secret("cursor") != first.secret("other")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path], "nothing half-written stays"


def test_a_signing_key_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("not a key")
    for path in (bad, tmp_path / "missing.pem"):
        with pytest.raises(KeyFileError, match=path.name):
            tokens.load(Settings(data=tmp_path, signing_key_file=path))
