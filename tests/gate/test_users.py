"""Users are changed within the own rights, sessions are listed and ended, and both are facts."""

from typing import Any

import pytest
from sqlalchemy import select

from api.identity import authenticator
from domain import accounts, credentials
from domain.access import Actor, Role, Tx
from domain.accounts import User
from domain.core.db import transaction
from domain.core.ledger import LedgerRow
from schema.core import ids
from tests import build
from tests.api.asking import Api, Office
from tests.gate.test_invitations import change, manager
from tests.gate.test_sign_in import PASSWORD, VIEWER, login, person, post

SESSIONS = """query ($user: ID) { sessions(first: 20, userId: $user) { edges { node {
    id method userAgent address startedAt seenAt endedAt endedBy user { id } } } } }"""
END = """mutation ($id: ID!) { endSession(input: {id: $id}) {
    __typename ... on SignIn { endedBy } ... on Refusal { code } } }"""


async def test_a_changed_user_has_the_new_rights_within_seconds_and_the_fact_says_what_changed(
    api: Api, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "FRESH_S", 0.0)
    someone = await person(api, office)
    token = (await login(api, someone)).json()["accessToken"]
    told = await change(
        api, office.manager, someone.user, name="Dina", role="AUDITOR", accountIds=[office.account]
    )
    assert told["role"] == "AUDITOR"
    viewer = await api.data(token, "{ viewer { role reachesAllAccounts } }")
    assert viewer["viewer"] == {"role": "AUDITOR", "reachesAllAccounts": False}
    async with api.make() as session:
        body = await session.scalar(
            select(LedgerRow.body).where(
                LedgerRow.kind == "user.changed", LedgerRow.subject_id == someone.user.id
            )
        )
        user = await session.get_one(User, someone.user.id)
    assert body is not None
    assert (body["role_before"], body["role_after"]) == ("dispatcher", "auditor")
    assert (body["accounts_before"], body["accounts_after"]) == (
        [],
        [str(office.world.account.id)],
    )
    assert body["name_after"].startswith("sha256:"), "a name is personal"
    assert (user.name, user.version) == ("Dina", 2)


async def test_reach_alone_raises_the_version_and_a_stale_one_is_refused(
    api: Api, office: Office
) -> None:
    someone = await person(api, office)
    await change(api, office.manager, someone.user, accountIds=[office.account])
    stale = await change(api, office.manager, someone.user, name="Stale", expectedVersion=1)
    assert stale["code"] == "STALE_VERSION"
    back = await change(api, office.manager, someone.user, accountIds=None, expectedVersion=2)
    assert back["__typename"] == "User"


@pytest.mark.parametrize(
    ("changes", "code", "argument"),
    [
        ({"role": "MANAGEMENT"}, "NOT_ALLOWED", "role"),
        ({"role": "DISPATCHER"}, "NOT_ALLOWED", "role"),
        ({"accountIds": []}, "INVALID", "accountIds"),
        ({"accountIds": ["other"]}, "NOT_FOUND", "accountIds"),
        ({"language": "de"}, "INVALID", "language"),
        ({"name": None}, "INVALID", "name"),
        ({"role": None}, "INVALID", "role"),
    ],
)
async def test_a_client_admin_changes_own_client_users_within_the_own_rights(
    api: Api, office: Office, changes: dict[str, Any], code: str, argument: str
) -> None:
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        other = await accounts.create_account(Tx(session, system, build.T0), name="Other")
        user = await accounts.add_user(
            Tx(session, system, build.T0),
            email="u@client.example",
            name="U",
            role=Role.CLIENT_USER,
            accounts=[office.world.account.id],
        )
    if changes.get("accountIds") == ["other"]:
        changes = {"accountIds": [ids.write("Account", other.id)]}
    told = await change(api, office.client, user, **changes)
    assert (told["code"], told["argument"]) == (code, argument)
    raised = await change(api, office.client, user, role="CLIENT_ADMIN")
    assert raised["role"] == "CLIENT_ADMIN"


async def test_nobody_changes_the_own_role_and_no_client_changes_staff(
    api: Api, office: Office
) -> None:
    second = await manager(api, office)
    told = await change(api, api.token(second.id), second, role="FINANCE")
    assert told["code"] == "NOT_ALLOWED"
    for token in (office.client, office.dispatcher):
        told = await change(api, token, second, name="Hacked")
        assert told["code"] in {"NOT_FOUND", "NOT_ALLOWED"}


async def test_sessions_are_listed_and_ended_by_their_owner_and_by_who_manages(
    api: Api, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "FRESH_S", 0.0)
    someone = await person(api, office)
    whom = ids.write("User", someone.user.id)
    phone, desk = [
        (
            await api.http.post(
                "/auth/login",
                json={"email": someone.email, "password": PASSWORD},
                headers={"user-agent": agent},
            )
        ).json()["accessToken"]
        for agent in ("phone/1.0", "desk/1.0")
    ]
    mine = (await api.data(phone, SESSIONS))["sessions"]["edges"]
    agents = {edge["node"]["userAgent"]: edge["node"] for edge in mine}
    assert set(agents) == {"phone/1.0", "desk/1.0"}
    assert agents["phone/1.0"]["method"] == "password"
    assert agents["phone/1.0"]["address"] == api.address
    assert agents["phone/1.0"]["seenAt"] is not None
    theirs = (await api.data(office.manager, SESSIONS, user=whom))["sessions"]["edges"]
    assert len(theirs) == 2
    for token in (office.client, office.dispatcher):
        hidden = (await api.data(token, SESSIONS, user=whom))["sessions"]["edges"]
        refused = await api.data(token, END, id=agents["desk/1.0"]["id"])
        assert (hidden, refused["endSession"].get("code")) == ([], "NOT_FOUND")
    ended = await api.data(phone, END, id=agents["desk/1.0"]["id"])
    assert ended["endSession"]["endedBy"] == "USER"
    assert "errors" in await api.ask(desk, VIEWER)
    ended = await api.data(office.manager, END, id=agents["phone/1.0"]["id"])
    assert ended["endSession"]["endedBy"] == "MANAGER"
    assert "errors" in await api.ask(phone, VIEWER)


async def test_disabling_ends_sessions_and_devices(api: Api, office: Office) -> None:
    someone = await person(api, office)
    told = (await login(api, someone)).json()
    device = (await post(api, "/auth/devices", told["accessToken"], name="Phone")).json()
    query = "mutation ($id: ID!) { disableUser(input: {id: $id}) { __typename } }"
    await api.data(office.manager, query, id=ids.write("User", someone.user.id))
    async with api.make() as session:
        ended = select(credentials.SignIn.ended_by).where(
            credentials.SignIn.user_id == someone.user.id
        )
        revoked = select(credentials.Device.revoked_at).where(
            credentials.Device.id == ids.known(device["id"], "Device")
        )
        assert await session.scalar(ended) == "disabled"
        assert await session.scalar(revoked) is not None


@pytest.mark.parametrize("keep", [True, False])
async def test_a_new_password_ends_device_tokens_unless_the_owner_keeps_them(
    api: Api, office: Office, keep: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authenticator, "FRESH_S", 0.0)
    someone = await person(api, office)
    token = (await login(api, someone)).json()["accessToken"]
    device = (await post(api, "/auth/devices", token, name="Phone")).json()["token"]
    changed = await post(
        api,
        "/auth/password",
        token,
        current=PASSWORD,
        password="another long one",
        keepDevices=keep,
    )
    assert changed.status_code == 204
    assert (await api.state.authenticator.identify(device) is not None) is keep


async def test_the_id_of_an_enrolled_device_is_the_one_that_graphql_takes(
    api: Api, office: Office
) -> None:
    device = (await post(api, "/auth/devices", office.dispatcher, name="Phone")).json()
    found = await api.data(
        office.manager, "query ($id: ID!) { node(id: $id) { __typename id } }", id=device["id"]
    )
    assert found["node"] == {"__typename": "Device", "id": device["id"]}
