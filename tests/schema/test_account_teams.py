"""Account teams through the API: one accountable member of a role, deputies, and successors."""

from typing import Any

import pytest

from domain import account_teams, accounts
from domain.access import Role, Tx
from domain.account_teams import TeamRole
from domain.core.base import uuid7
from domain.core.db import transaction
from schema.core import ids
from tests.api.asking import Api, Office
from tests.surveying import system

pytestmark = pytest.mark.anyio

ASSIGN = """mutation ($input: AssignTeamMemberInput!) { assignTeamMember(input: $input) {
  ... on TeamMember { id role raci user { name } deputy { name } } ... on Refusal { code argument } } }"""
END = """mutation ($input: EndTeamMembershipInput!) { endTeamMembership(input: $input) {
  ... on TeamMember { leftAt leftReason successor { name } } ... on Refusal { code argument } } }"""
LIST = """query ($account: ID) { teamMembers(accountId: $account) { nodes {
  id role raci user { name } deputy { name } } } }"""


async def user(api: Api, office: Office, name: str, role: Role = Role.RELATIONSHIP_MANAGER) -> str:
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        row = await accounts.add_user(tx, email=f"{uuid7()}@example.org", name=name, role=role)
        return ids.write("User", row.id)


async def test_a_role_has_one_accountable_member_whose_deputy_and_successor_take_over(
    api: Api, office: Office
) -> None:
    eva, finn, gijs = [await user(api, office, name) for name in ("Eva", "Finn", "Gijs")]
    guard = await user(api, office, "Guard", Role.GUARD)

    async def assign(token: str = office.manager, **given: Any) -> Any:
        sent = {
            "accountId": office.account, "userId": eva, "role": "ACCOUNT_MANAGER",
            "raci": "ACCOUNTABLE", "deputyUserId": finn,
        } | given  # fmt: skip
        return (await api.data(token, ASSIGN, input=sent))["assignTeamMember"]

    for token in (office.client, office.dispatcher):
        assert (await assign(token))["code"] == "NOT_ALLOWED"
    first = await assign()
    assert (first["user"], first["deputy"]) == ({"name": "Eva"}, {"name": "Finn"})
    assert await assign(userId=gijs) == {"code": "ALREADY_EXISTS", "argument": "role"}
    assert (await assign(userId=guard))["argument"] == "userId"
    assert (await assign(role="FINANCE", deputyUserId=eva))["argument"] == "deputyUserId"
    assert (await assign(userId=gijs, raci="INFORMED"))["raci"] == "INFORMED"

    async def owner() -> str | None:
        async with api.make() as session:
            found = await account_teams.owner_of(
                session, office.world.account, TeamRole.ACCOUNT_MANAGER
            )
        return None if found is None else ids.write("User", found)

    assert await owner() == eva
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        found = ids.read(eva)
        assert found is not None
        await accounts.disable_user(tx, found[1])
    assert await owner() == finn
    sent = {"id": first["id"], "reason": "Another job", "successorUserId": finn}
    assert (await api.data(office.dispatcher, END, input=sent))["endTeamMembership"][
        "code"
    ] == "NOT_ALLOWED"
    ended = (await api.data(office.manager, END, input=sent))["endTeamMembership"]
    assert ended["successor"] == {"name": "Finn"}
    again = (await api.data(office.manager, END, input=sent))["endTeamMembership"]
    assert again == {"code": "ALREADY_DONE", "argument": "id"}
    nodes = (await api.data(office.manager, LIST, account=office.account))["teamMembers"]["nodes"]
    assert [(each["user"]["name"], each["raci"]) for each in nodes] == [
        ("Gijs", "INFORMED"), ("Finn", "ACCOUNTABLE"),
    ]  # fmt: skip
    assert (await api.data(office.client, LIST))["teamMembers"]["nodes"] == []
