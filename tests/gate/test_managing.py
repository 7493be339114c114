"""Who may manage whose access: no verb reaches above the own rights or beyond the own accounts."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain import accounts, credentials
from domain.access import Actor, Role, Tx
from domain.accounts import Account, User
from domain.core.db import transaction
from schema.core import ids
from tests import build
from tests.api import asking
from tests.api.asking import Api, Office

ADD = """mutation ($input: AddUserInput!) { addUser(input: $input) {
    __typename ... on User { id email role } ... on Refusal { code argument message } } }"""
USERS = "{ users(first: 100) { edges { node { id email role } } } }"


@dataclass(frozen=True)
class Staffed:
    """A company with staff that is limited to one client, and that client's administrator."""

    api: Api
    office: Office
    other: Account

    async def user(
        self, role: Role, *reach: UUID, email: str | None = None, name: str = "Somebody"
    ) -> User:
        """A new user."""
        system = Actor.system(self.office.world.tenant.id, "test")
        async with transaction(self.api.make) as session:
            return await accounts.add_user(
                Tx(session, system, build.T0),
                email=email or f"{uuid4().hex[:8]}@guards.example",
                name=name,
                role=role,
                accounts=reach,
            )

    def token(self, user: User) -> str:
        return self.api.token(user.id)

    @property
    def account(self) -> UUID:
        return self.office.world.account.id


@pytest.fixture
async def staffed(api: Api, office: Office) -> Staffed:
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        other = await accounts.create_account(Tx(session, system, build.T0), name="Andere klant")
    return Staffed(api, office, other)


async def everything_tried(staffed: Staffed, token: str, user: User) -> dict[str, str]:
    """What each verb about a user's access answers."""
    api, id = staffed.api, ids.write("User", user.id)
    headers = {"authorization": f"Bearer {token}"}
    system = Actor.system(user.tenant_id, "test")
    async with transaction(api.make) as session:
        device, _ = await credentials.enrol(
            Tx(session, Actor(system.tenant_id, user.role, f"user:{user.id}"), build.T0), name="P"
        )
    invited = await api.http.post("/auth/invitations", json={"userId": id}, headers=headers)
    revoked = await api.http.post(f"/auth/devices/{device.id}/revoke", json={}, headers=headers)
    told = {"invite": str(invited.status_code), "revoke": str(revoked.status_code)}
    for verb in ("exportUser", "eraseUser", "disableUser"):
        query = f"""mutation ($id: ID!) {{ {verb}(input: {{id: $id}}) {{
            __typename ... on Refusal {{ code }} }} }}"""
        answer = (await api.data(token, query, id=id))[verb]
        told[verb] = answer.get("code", answer["__typename"])
    seen = await api.data(token, USERS)
    told["listed"] = str(id in {edge["node"]["id"] for edge in seen["users"]["edges"]})
    return told


REFUSED = {
    "invite": "404", "revoke": "404", "exportUser": "NOT_FOUND", "eraseUser": "NOT_FOUND",
    "disableUser": "NOT_FOUND",
}  # fmt: skip
ALLOWED = {
    "invite": "200", "revoke": "204", "exportUser": "PersonalData", "eraseUser": "User",
    "disableUser": "User",
}  # fmt: skip


@pytest.mark.parametrize(
    "role", [Role.FINANCE, Role.MANAGEMENT, Role.DISPATCHER, Role.GUARD, Role.AUDITOR]
)
async def test_a_client_admin_manages_and_sees_no_staff_of_the_own_account(
    staffed: Staffed, role: Role
) -> None:
    colleague = await staffed.user(role, staffed.account)
    told = await everything_tried(staffed, staffed.office.client, colleague)
    assert told == REFUSED | {"listed": "False"}


async def test_a_client_admin_manages_the_client_users_of_the_own_accounts_only(
    staffed: Staffed,
) -> None:
    own = await staffed.user(Role.CLIENT_USER, staffed.account)
    both = await staffed.user(Role.CLIENT_USER, staffed.account, staffed.other.id)
    client = staffed.office.client
    assert await everything_tried(staffed, client, own) == ALLOWED | {"listed": "True"}
    assert await everything_tried(staffed, client, both) == REFUSED | {"listed": "False"}


async def test_limited_management_manages_nobody_beyond_its_accounts(staffed: Staffed) -> None:
    limited = staffed.token(await staffed.user(Role.MANAGEMENT, staffed.account))
    boss = await staffed.user(Role.MANAGEMENT)
    elsewhere = await staffed.user(Role.DISPATCHER, staffed.other.id)
    near = await staffed.user(Role.DISPATCHER, staffed.account)
    assert await everything_tried(staffed, limited, boss) == REFUSED | {"listed": "False"}
    assert await everything_tried(staffed, limited, elsewhere) == REFUSED | {"listed": "False"}
    assert await everything_tried(staffed, limited, near) == ALLOWED | {"listed": "True"}


async def test_limited_management_lists_and_revokes_no_wider_key(staffed: Staffed) -> None:
    limited = staffed.token(await staffed.user(Role.MANAGEMENT, staffed.account))
    system = Actor.system(staffed.office.world.tenant.id, "test")
    async with transaction(staffed.api.make) as session:
        for name, reach in (("wide", None), ("near", [staffed.account])):
            await accounts.issue_api_key(
                Tx(session, system, build.T0), name=name, accounts=reach, all_accounts=reach is None
            )
    listed = await staffed.api.data(limited, "{ apiKeys(first: 10) { edges { node { name } } } }")
    assert [edge["node"]["name"] for edge in listed["apiKeys"]["edges"]] == ["near"]


async def test_a_client_admin_gives_no_staff_role_and_no_other_account(staffed: Staffed) -> None:
    client, api = staffed.office.client, staffed.api
    there = ids.write("Account", staffed.other.id)
    for given, argument in (
        ({"role": "FINANCE", "accountIds": [staffed.office.account]}, "role"),
        ({"role": "CLIENT_ADMIN", "accountIds": [staffed.office.account, there]}, "accountIds"),
        ({"role": "CLIENT_USER", "accountIds": []}, "accountIds"),
    ):
        asked = {"email": "new@client.example", "name": "New", **given}
        answer = (await api.data(client, ADD, input=asked))["addUser"]
        assert (answer["__typename"], answer["argument"]) == ("Refusal", argument)


async def test_an_address_that_somebody_unseen_has_is_added_like_any_other(
    staffed: Staffed,
) -> None:
    boss = await staffed.user(Role.MANAGEMENT, email="boss@guards.example", name="Boss")

    async def add(token: str, email: str) -> Any:
        asked = {
            "email": email, "name": "New", "role": "CLIENT_USER",
            "accountIds": [staffed.office.account],
        }  # fmt: skip
        return (await staffed.api.data(token, ADD, input=asked))["addUser"]

    fresh = await add(staffed.office.client, "fresh@client.example")
    taken = await add(staffed.office.client, boss.email.upper())
    assert (fresh["__typename"], taken["__typename"]) == ("User", "User")
    assert taken["id"] != ids.write("User", boss.id)
    again = await add(staffed.office.client, boss.email)
    assert (again["code"], again["argument"]) == ("ALREADY_EXISTS", "email")
    seen = await add(staffed.office.manager, "boss@guards.example")
    assert seen["code"] == "ALREADY_EXISTS", "who sees the user is told"
    async with staffed.api.make() as session:
        kept = await session.get_one(User, boss.id)
    assert (kept.role, kept.name) == (Role.MANAGEMENT, "Boss")


async def test_an_address_can_be_added_again_after_its_user_was_disabled(staffed: Staffed) -> None:
    gone = await staffed.user(Role.GUARD, email="guard@guards.example")
    system = Actor.system(gone.tenant_id, "test")
    async with transaction(staffed.api.make) as session:
        await accounts.disable_user(Tx(session, system, build.T0), gone.id)
    asked = {"email": "guard@guards.example", "name": "Back", "role": "GUARD"}
    answer = (await staffed.api.data(staffed.office.manager, ADD, input=asked))["addUser"]
    assert answer["__typename"] == "User"


async def test_nobody_of_another_company_is_managed(staffed: Staffed) -> None:
    stranger = await asking.office(staffed.api)
    user = await staffed.user(Role.CLIENT_USER, staffed.account)
    told = await everything_tried(staffed, stranger.manager, user)
    assert told == REFUSED | {"listed": "False"}
