"""Many tokens at a time: each is who it is, however many are looked up together, and none waits longer than one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event

from api.identity import authenticator
from api.identity.authenticator import FRESH_S, Authenticator
from api.live.connections import ROUND_S
from domain import accounts, credentials
from domain.access import Actor, Role, Tx
from domain.core.db import Sessions, transaction
from tests import build
from tests.api.asking import Api, Office


@contextmanager
def statements(make: Sessions) -> Iterator[list[str]]:
    """What is asked of PostgreSQL meanwhile."""
    said: list[str] = []

    def saw(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    engine = make.kw["bind"].sync_engine
    event.listen(engine, "before_cursor_execute", saw)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", saw)


def stranger(api: Api) -> Authenticator:
    """One that has seen nobody yet."""
    return Authenticator(api.make, api.state.keys, api.state.now)


async def users(api: Api, office: Office, count: int) -> list[accounts.User]:
    """So many new clients of the office."""
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        return [
            await accounts.add_user(
                Tx(session, system, build.T0),
                email=f"{uuid4()}@example.org",
                name="n",
                role=Role.CLIENT_USER,
                accounts=[office.world.account.id],
            )
            for _ in range(count)
        ]


async def signed_in(api: Api, user: accounts.User) -> str:
    """The token of a sign-in."""
    async with transaction(api.make) as session:
        begun = await credentials.begin(session, user, at=api.state.now())
    return api.token(user.id, sign_in_id=begun.sign_in_id)


async def key(api: Api, office: Office, **more: Any) -> str:
    """A key of two days ago."""
    system = Actor.system(office.world.tenant.id, "test")
    more.setdefault("all_accounts", "accounts" not in more)
    async with transaction(api.make) as session:
        _, text = await accounts.issue_api_key(
            Tx(session, system, api.state.now() - timedelta(days=2)), name=str(uuid4()), **more
        )
    return text


async def test_everybody_in_a_crowd_is_who_he_is_alone(api: Api, office: Office) -> None:
    here, at = office.world.account.id, api.state.now()
    system = Actor.system(office.world.tenant.id, "test")
    one, two, gone, out = await users(api, office, 4)
    other = await signed_in(api, one)
    async with transaction(api.make) as session:
        begun = await credentials.begin(session, gone, at=at)
        await credentials.end(session, begun.refresh_token, at=at)
        await accounts.disable_user(Tx(session, system, at), out.id)
        _, device = await credentials.enrol(
            Tx(session, Actor(two.tenant_id, two.role, f"user:{two.id}"), at), name="phone"
        )
    ended = api.token(gone.id, sign_in_id=begun.sign_in_id)
    old = await key(api, office, expires_at=at - timedelta(days=1))
    crowd = [
        office.manager, office.dispatcher, office.client, other, ended, api.token(one.id), api.token(out.id),
        api.token(two.id, only=frozenset()), api.token(two.id, only=frozenset({here})),
        api.token(uuid4()), api.token(one.id, lifetime=timedelta(seconds=-60)), device, device[:-1] + "!",
        await key(api, office), await key(api, office, accounts=[here]),
        old, "wb_no_key_atall", "nonsense",
    ]  # fmt: skip
    alone = {each: await stranger(api).identify(each) for each in crowd}
    together = await stranger(api).identify_all(crowd, every_s=ROUND_S)
    assert together == alone
    assert [each for each in crowd if together[each] is None] == [
        ended, crowd[6], *crowd[9:11], crowd[12], *crowd[15:]
    ]  # fmt: skip


async def test_a_hundred_are_looked_up_with_as_many_statements_as_three(
    api: Api, office: Office, make: Sessions
) -> None:
    asked = partial(
        Authenticator, make, api.state.keys, api.state.now
    )  # the API has its own to ask
    crowd = [await signed_in(api, user) for user in await users(api, office, 50)]
    crowd += [await key(api, office) for _ in range(50)]
    with statements(make) as few:
        await asked().identify_all([crowd[0], crowd[1], crowd[50]], every_s=ROUND_S)
    with statements(make) as many:
        found = await asked().identify_all(crowd, every_s=ROUND_S)
    assert all(found.values())
    assert len(many) == len(few) == 5  # keys and their use, sign-ins, users, reach


async def test_those_who_came_together_are_looked_up_by_turns_and_each_in_time(
    api: Api, office: Office
) -> None:
    crowd = [api.token(user.id) for user in await users(api, office, 24)]
    asked = stranger(api)
    await asked.identify_all(crowd, every_s=ROUND_S)
    seen = {each: asked.known(each).seen_at for each in crowd}
    for _ in range(int(FRESH_S / ROUND_S)):
        before = dict(seen)
        await asked.identify_all(crowd, every_s=ROUND_S)
        seen = {each: asked.known(each).seen_at for each in crowd}
        assert sum(seen[each] != before[each] for each in crowd) == 3
    assert len(set(seen.values())) == 8


async def test_more_than_are_remembered_are_known_all_the_same(
    api: Api, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "KEPT", 5)
    crowd = [api.token(user.id) for user in await users(api, office, 12)]
    asked = stranger(api)
    for _ in range(3):
        assert all((await asked.identify_all(crowd, every_s=ROUND_S)).values())
