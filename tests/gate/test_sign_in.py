"""Passwords, refresh tokens, key rotation, devices: who is let in, for how long, and who never."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import argon2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import select, update

from api.identity import authenticator, sign_in_throttle, tokens
from domain import accounts, credentials
from domain.access import Actor, Role, Tx
from domain.accounts import User
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from domain.credentials import Password, SignIn
from schema.core import ids
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office
from tests.gate.letters import text_for
from tests.servers import redis_server

PASSWORD = "correct horse battery staple"
VIEWER = "{ viewer { subject role } }"


@dataclass(frozen=True)
class Person:
    """Somebody with a password."""

    user: User
    email: str
    company: str


async def post(api: Api, path: str, token: str | None = None, /, **body: Any) -> Any:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    return await api.http.post(path, json=body, headers=headers)


async def person(
    api: Api, office: Office, *, password: str = PASSWORD, email: str | None = None
) -> Person:
    """A dispatcher who accepted an invitation."""
    email = email or f"{uuid4().hex[:10]}@guards.example"
    async with transaction(api.make) as session:
        actor = Actor.system(office.world.tenant.id, "test")
        user = await accounts.add_user(
            Tx(session, actor, build.T0), email=email, name="D", role=Role.DISPATCHER
        )
    invited = await post(
        api, "/auth/invitations", office.manager, userId=ids.write("User", user.id)
    )
    assert invited.status_code == 200, invited.text
    secret = await text_for(api, user.id)
    set_it = await post(api, "/auth/password", invitation=secret, password=password)
    assert set_it.status_code == 204, set_it.text
    return Person(user, email, office.world.tenant.name)


@pytest.fixture
async def someone(api: Api, office: Office) -> Person:
    return await person(api, office)


async def login(api: Api, someone: Person, password: str = PASSWORD) -> Any:
    return await post(api, "/auth/login", email=someone.email, password=password)


async def test_the_right_password_gives_a_token_that_works(api: Api, someone: Person) -> None:
    response = await login(api, someone)
    told = response.json()
    viewer = (await api.data(told["accessToken"], VIEWER))["viewer"]
    assert (response.status_code, told["tokenType"], told["expiresIn"]) == (200, "Bearer", 900)
    assert response.headers["cache-control"] == "no-store"
    assert viewer == {"subject": f"user:{someone.user.id}", "role": "DISPATCHER"}


async def test_wrong_unknown_and_disabled_are_told_the_same(
    api: Api, office: Office, someone: Person
) -> None:
    gone = await person(api, office)
    async with transaction(api.make) as session:
        actor = Actor.system(office.world.tenant.id, "test")
        await accounts.disable_user(Tx(session, actor, build.T0), gone.user.id)
    answers = [
        await login(api, someone, "wrong password here"),
        await post(api, "/auth/login", email="nobody@nowhere.example", password=PASSWORD),
        await login(api, gone),
        await post(api, "/auth/login", email=someone.email, password=PASSWORD, company="Another"),
        await post(api, "/auth/login", email=someone.email, password="x" * 5000),
    ]
    assert {(a.status_code, a.text) for a in answers} == {(401, answers[0].text)}


async def test_a_password_is_compared_with_all_users_of_an_address_and_several_are_chosen_from(
    api: Api, office: Office
) -> None:
    second = await asking.office(api)
    one, other = await person(api, office), await person(api, second, password="another long one")
    both = await person(api, await asking.office(api))
    async with transaction(api.make) as session:
        for each in (other, both):
            await session.execute(
                update(User).where(User.id == each.user.id).values(email=one.email)
            )
    alone = await post(api, "/auth/login", email=one.email, password="another long one")
    viewer = await api.data(alone.json()["accessToken"], VIEWER)
    assert viewer["viewer"]["subject"] == f"user:{other.user.id}"
    wrong = await post(api, "/auth/login", email=one.email, password="no such password")
    assert (wrong.status_code, "choices" in wrong.text) == (401, False)
    several = await post(api, "/auth/login", email=one.email, password=PASSWORD)
    told = several.json()["errors"][0]["extensions"]
    assert (several.status_code, told["code"]) == (409, "CHOOSE_USER")
    assert {each["company"] for each in told["choices"]} == {one.company, both.company}
    mine = next(each for each in told["choices"] if each["company"] == both.company)
    for choice in ({"user": mine["user"]}, {"company": both.company}):
        chosen = await post(api, "/auth/login", email=one.email, password=PASSWORD, **choice)
        viewer = await api.data(chosen.json()["accessToken"], VIEWER)
        assert viewer["viewer"]["subject"] == f"user:{both.user.id}"


async def test_passwords_are_kept_as_argon2id_and_made_anew_when_the_parameters_change(
    api: Api, someone: Person
) -> None:
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    async with transaction(api.make) as session:
        await session.execute(
            update(Password).where(Password.user_id == someone.user.id).values(hash=weak)
        )
    assert (await login(api, someone)).status_code == 200
    async with api.make() as session:
        hash = await session.scalar(
            select(Password.hash).where(Password.user_id == someone.user.id)
        )
    assert hash is not None
    assert hash.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert (await login(api, someone)).status_code == 200


async def test_hashing_keeps_nobody_else_waiting(api: Api, office: Office, someone: Person) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await login(api, someone)
    a_login_s = loop.time() - began

    async def ask() -> float:
        began = loop.time()
        await api.data(office.manager, VIEWER)
        return loop.time() - began

    await ask()
    logins = [asyncio.create_task(login(api, someone)) for _ in range(4)]
    await asyncio.sleep(0)
    waits = [await ask() for _ in range(10)]
    await asyncio.gather(*logins)
    assert sorted(waits)[5] < a_login_s


async def test_a_password_that_is_guessed_first_is_refused_and_the_invitation_stays(
    api: Api, office: Office
) -> None:
    whom = office.world.client_user.id
    await post(api, "/auth/invitations", office.manager, userId=ids.write("User", whom))
    secret = await text_for(api, whom)
    for weak in ("short", "aaaaaaaaaaaaaaaa", "client-client-1"):
        refused = await post(api, "/auth/password", invitation=secret, password=weak)
        assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (
            422,
            "INVALID",
        )
    first = await post(api, "/auth/password", invitation=secret, password=PASSWORD)
    again = await post(api, "/auth/password", invitation=secret, password=PASSWORD)
    assert (first.status_code, again.status_code) == (204, 401)


async def test_only_who_manages_access_invites_and_only_their_own_people(
    api: Api, office: Office
) -> None:
    stranger = await asking.office(api)
    whom = ids.write("User", office.world.client_user.id)
    by_a_dispatcher = await post(api, "/auth/invitations", office.dispatcher, userId=whom)
    by_a_stranger = await post(api, "/auth/invitations", stranger.manager, userId=whom)
    nobody = await post(
        api, "/auth/invitations", stranger.manager, userId=ids.write("User", uuid4())
    )
    assert by_a_dispatcher.status_code == 403
    assert (by_a_stranger.status_code, by_a_stranger.text) == (404, nobody.text)
    assert (await post(api, "/auth/invitations", userId=whom)).status_code == 401


async def test_a_refresh_token_whose_successor_was_used_ends_the_session(
    api: Api, someone: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "FRESH_S", 0.0)
    first = (await login(api, someone)).json()
    second = (await post(api, "/auth/refresh", refreshToken=first["refreshToken"])).json()
    third = (await post(api, "/auth/refresh", refreshToken=second["refreshToken"])).json()
    assert (await api.ask(third["accessToken"], VIEWER))["data"]
    stolen = await post(api, "/auth/refresh", refreshToken=first["refreshToken"])
    owner = await post(api, "/auth/refresh", refreshToken=third["refreshToken"])
    assert (stolen.status_code, owner.status_code) == (401, 401)
    assert (await api.ask(third["accessToken"], VIEWER))["errors"][0]["extensions"]["code"] == (
        "UNAUTHENTICATED"
    )
    async with api.make() as session:
        bodies = await session.scalars(
            select(LedgerRow.body).where(
                LedgerRow.subject_id == someone.user.id, LedgerRow.kind == "user.signed_out"
            )
        )
        assert [body["ended_by"] for body in bodies] == ["reuse"]


async def test_a_client_that_lost_the_answer_gets_the_same_refresh_token_again(
    api: Api, someone: Person
) -> None:
    first = (await login(api, someone)).json()
    lost = (await post(api, "/auth/refresh", refreshToken=first["refreshToken"])).json()
    again = await post(api, "/auth/refresh", refreshToken=first["refreshToken"])
    assert (again.status_code, again.json()["refreshToken"]) == (200, lost["refreshToken"])
    on = await post(api, "/auth/refresh", refreshToken=lost["refreshToken"])
    assert on.status_code == 200


@pytest.mark.parametrize("thief", ["another client", "too late"])
async def test_the_grace_is_for_the_same_client_and_short(
    api: Api, someone: Person, thief: str
) -> None:
    first = (await login(api, someone)).json()["refreshToken"]
    assert (await post(api, "/auth/refresh", refreshToken=first)).status_code == 200
    agent = "thief/1.0" if thief == "another client" else api.http.headers["user-agent"]
    later = timedelta(seconds=31 if thief == "too late" else 1)
    async with transaction(api.make) as session:
        requester = credentials.Requester(api.address, agent)
        at = api.state.now() + later
        assert await credentials.renew(session, first, requester, at=at) is None
    async with api.make() as session:
        ended = select(SignIn.ended_by).where(SignIn.user_id == someone.user.id)
        assert await session.scalar(ended) == "reuse"


async def test_one_refresh_token_used_many_times_at_once_has_one_successor(
    api: Api, someone: Person
) -> None:
    token = (await login(api, someone)).json()["refreshToken"]
    answers = await asyncio.gather(
        *(post(api, "/auth/refresh", refreshToken=token) for _ in range(10))
    )
    assert len({a.json()["refreshToken"] for a in answers}) == 1


async def test_signing_out_ends_the_access_token_within_seconds(
    api: Api, someone: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "FRESH_S", 0.0)
    told = (await login(api, someone)).json()
    assert (await api.ask(told["accessToken"], VIEWER))["data"]
    assert (await post(api, "/auth/logout", refreshToken=told["refreshToken"])).status_code == 204
    assert "errors" in await api.ask(told["accessToken"], VIEWER)
    assert (await post(api, "/auth/logout", refreshToken="wr_nothing")).status_code == 204


async def test_an_idle_and_an_old_sign_in_are_over(api: Api, someone: Person) -> None:
    idle, old = [(await login(api, someone)).json()["refreshToken"] for _ in range(2)]
    at = api.state.now()
    async with transaction(api.make) as session:
        assert await credentials.renew(session, idle, at=at + timedelta(days=15)) is None
    for day in range(10, 100, 10):
        async with transaction(api.make) as session:
            renewed = await credentials.renew(session, old, at=at + timedelta(days=day))
        if renewed is None:
            break
        old = renewed.refresh_token
    assert day == 90


async def test_a_new_password_needs_the_current_one_and_ends_every_sign_in(
    api: Api, someone: Person
) -> None:
    told = (await login(api, someone)).json()
    wrong = await post(
        api, "/auth/password", told["accessToken"], current="no", password="another long one"
    )
    right = await post(
        api, "/auth/password", told["accessToken"], current=PASSWORD, password="another long one"
    )
    assert (wrong.status_code, right.status_code) == (401, 204)
    assert (await post(api, "/auth/refresh", refreshToken=told["refreshToken"])).status_code == 401
    assert (await login(api, someone)).status_code == 401
    assert (await login(api, someone, "another long one")).status_code == 200
    async with api.make() as session:
        ended = await session.scalars(
            select(SignIn.ended_by).where(
                SignIn.user_id == someone.user.id, SignIn.ended_at.is_not(None)
            )
        )
        assert [*ended] == ["password_change"]


async def test_a_guesser_is_slowed_down_and_the_owner_still_gets_in(
    api: Api, someone: Person
) -> None:
    guesses = [await login(api, someone, f"guess number {n}") for n in range(8)]
    codes = [g.status_code for g in guesses]
    assert codes == [401] * 5 + [429] * 3
    assert 1 <= int(guesses[-1].headers["retry-after"]) <= 60
    assert (await login(api, someone)).status_code == 200, "the right password, from there too"


async def test_a_guesser_elsewhere_costs_the_owner_nothing(
    api: Api, someone: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    await login(api, someone)
    device = (await login(api, someone)).json()["device"]
    await asyncio.gather(*(login(api, someone, f"guess {n}") for n in range(9)))
    monkeypatch.setattr(sign_in_throttle, "SLOW_S", 30)
    began = asyncio.get_running_loop().time()
    known = await post(api, "/auth/login", email=someone.email, password=PASSWORD, device=device)
    took = asyncio.get_running_loop().time() - began
    assert (known.status_code, took < sign_in_throttle.SLOW_S / 2) == (200, True), (
        "a known device is counted apart"
    )
    forged = await post(api, "/auth/login", email="a@b.example", password="x", device=device)
    assert forged.status_code in {401, 429}


async def test_a_flood_of_guesses_waits_in_a_short_queue(api: Api, someone: Person) -> None:
    guesses = [login(api, someone, f"guess {n}") for n in range(30)]
    began = asyncio.get_running_loop().time()
    codes = [answer.status_code for answer in await asyncio.gather(*guesses)]
    took = asyncio.get_running_loop().time() - began
    assert codes.count(401) <= 5
    assert codes.count(429) >= 25
    assert took < len(guesses) * sign_in_throttle.SLOW_S / 2, (
        "three wait, the others are refused at once"
    )


async def test_guessing_is_slowed_down_without_redis_too(database_url: str, tmp_path: Path) -> None:
    with redis_server() as server:
        configured = asking.settings(database_url, server.url, tmp_path)
        async with asking.running(configured) as api:
            someone = await person(api, await asking.office(api))
            server.kill()
            codes = [(await login(api, someone, f"guess {n}")).status_code for n in range(7)]
    assert codes == [401] * 5 + [429] * 2


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"{}", "application/json", 400),
        (b"null", "application/json", 400),
        (b'{"email": 1, "password": 2}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 5_000, "application/json", 400),
        (b" " * 10_000, "application/json", 413),
        (b"email=a&password=b", "application/x-www-form-urlencoded", 415),
        (b'{"email": "a\\u0000@b", "password": "x"}', "application/json", 401),
    ],
)
async def test_nonsense_is_refused(api: Api, body: bytes, content_type: str, status: int) -> None:
    response = await api.http.post(
        "/auth/login", content=body, headers={"content-type": content_type}
    )
    assert response.status_code == status, response.text


async def test_a_device_hands_in_and_asks_nothing(
    api: Api, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "FRESH_S", 0.0)
    enrolled = (await post(api, "/auth/devices", office.dispatcher, name="Phone")).json()
    identity = await api.state.authenticator.identify(enrolled["token"])
    assert identity is not None
    assert identity.ingest_only
    device_id = ids.known(enrolled["id"], "Device")
    assert identity.actor.subject == f"device:{device_id}"
    asked = await api.ask(enrolled["token"], VIEWER)
    assert asked["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert (await post(api, "/auth/devices", enrolled["token"], name="Another")).status_code == 401
    stranger = await asking.office(api)
    path = f"/auth/devices/{enrolled['id']}/revoke"
    assert (await post(api, path, stranger.manager)).status_code == 404
    assert (await post(api, path, office.client)).status_code == 404
    bare = f"/auth/devices/{device_id}/revoke"
    assert (await post(api, path, office.manager)).status_code == 204
    assert (await post(api, bare, office.manager)).status_code == 204, "a bare UUID is taken too"
    assert await api.state.authenticator.identify(enrolled["token"]) is None


def key_file(path: Path) -> Path:
    path.write_bytes(
        Ed25519PrivateKey.generate().private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
    )
    return path


@pytest.fixture
async def rotated(
    database_url: str, redis_url: str, tmp_path: Path
) -> AsyncIterator[tuple[Api, tokens.Keys]]:
    """An API that signs with a new key and still reads what the old one signed."""
    old, new = key_file(tmp_path / "old.pem"), key_file(tmp_path / "new.pem")
    before = tokens.load(asking.settings(database_url, redis_url, tmp_path, signing_key_file=old))
    configured = asking.settings(
        database_url, redis_url, tmp_path, signing_key_file=new, retired_key_files=(old,)
    )
    async with asking.running(configured) as api:
        yield api, before


async def test_keys_rotate_without_signing_anybody_out_or_losing_a_cursor(
    rotated: tuple[Api, tokens.Keys],
) -> None:
    api, before = rotated
    office = await asking.office(api)
    user = office.world.client_user.id
    earlier = before.issue(user, at=api.state.now())
    assert (await api.data(earlier, VIEWER))["viewer"]["subject"] == f"user:{user}"
    assert jwt.get_unverified_header(office.client)["kid"] != before.kid
    published = (await api.http.get("/.well-known/jwks.json")).json()["keys"]
    assert {each["kid"] for each in published} == {before.kid, api.state.keys.kid}
    verified = jwt.decode(
        office.client, jwt.PyJWK(published[0]).key, algorithms=["EdDSA"], audience="waarborg"
    )
    assert verified["sub"] == str(user)
    assert api.state.keys.secret("cursor") == before.secret("cursor")
    stranger = tokens.Keys(Ed25519PrivateKey.generate())
    assert "errors" in await api.ask(stranger.issue(user, at=api.state.now()), VIEWER)
