"""Posts and guards through the API: who may change them, who reads them, and which versions a guard acknowledged."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from schema.core import ids
from tests import guards
from tests.api import asking
from tests.api.asking import Api, Office

ADD = """mutation ($input: AddPostInput!) { addPost(input: $input) {
  ... on Post { id name headcount qualifications version site { id } }
  ... on Refusal { code argument } } }"""
CHANGE = """mutation ($input: ChangePostInput!) { changePost(input: $input) {
  ... on Post { id name headcount validUntilOn version } ... on Refusal { code argument } } }"""
ISSUE = """mutation ($input: IssuePostOrdersInput!) { issuePostOrders(input: $input) {
  ... on PostOrders { id number body } ... on Refusal { code argument } } }"""
READ = """mutation ($input: AcknowledgePostOrdersInput!) { acknowledgePostOrders(input: $input) {
  ... on OrdersAcknowledgement { id acknowledgedAt user { id } }
  ... on Refusal { code argument } } }"""
LIST = """query ($site: ID) { posts(siteId: $site) { nodes { name
  orders { number body acknowledgements { user { name } } } } } }"""
PROFILE = """mutation ($input: SetGuardProfileInput!) { setGuardProfile(input: $input) {
  ... on GuardProfile { id employeeNumber passColour passExpiresOn languages contractMinutes version }
  ... on Refusal { code argument } } }"""
GRANT = """mutation ($input: GrantQualificationInput!) { grantQualification(input: $input) {
  ... on Qualification { id name expiresOn } ... on Refusal { code argument } } }"""
PROFILES = """query { guardProfiles { nodes { employeeNumber user { name }
  qualifications { name expiresOn } } } qualifications { nodes { name } } }"""
POST = {"name": "Gate", "service": "access control", "validFromOn": "2026-01-01"}


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with asking.running(asking.settings(database_url, redis_url, tmp_path)) as running:
        yield running


async def on_duty(api: Api, office: Office) -> str:
    """A guard on duty at the site now; the token."""
    found = await guards.on_duty(api.make, office.world, site=office.world.site, radius_m=None)
    return api.token(found.user.id)


async def somebody(api: Api, office: Office, role: Role, name: str) -> accounts.User:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        return await accounts.add_user(tx, email=f"{uuid4().hex}@example.org", name=name, role=role)


async def test_a_post_is_added_changed_and_listed_by_those_who_may(api: Api) -> None:
    office = await asking.office(api)
    given = POST | {"siteId": office.site, "headcount": 2, "qualifications": ["bhv"]}

    async def added(token: str, **more: Any) -> Any:
        return (await api.data(token, ADD, input=given | more))["addPost"]

    assert await added(office.client) == {"code": "NOT_ALLOWED", "argument": None}
    post = await added(office.dispatcher)
    assert (post["headcount"], post["qualifications"], post["version"]) == (2, ["bhv"], 1)
    assert post["site"] == {"id": office.site}
    for more, argument in (
        ({}, "name"),
        ({"name": " "}, "name"),
        ({"name": "B", "headcount": 0}, "headcount"),
        ({"name": "B", "validUntilOn": "2025-12-31"}, "validUntilOn"),
        ({"name": "B", "qualifications": ["x"] * 21}, "qualifications"),
    ):
        assert (await added(office.dispatcher, **more))["argument"] == argument

    changed = {"id": post["id"], "headcount": 3, "validUntilOn": "2026-12-31", "expectedVersion": 1}
    answer = (await api.data(office.dispatcher, CHANGE, input=changed))["changePost"]
    assert (answer["headcount"], answer["version"]) == (3, 2)
    again = await api.data(office.dispatcher, CHANGE, input=changed | {"headcount": 4})
    assert again["changePost"]["code"] == "STALE_VERSION"
    assert (await api.data(office.client, CHANGE, input=changed))["changePost"]["code"] == (
        "NOT_ALLOWED"
    )
    other = await asking.office(api)
    assert (await api.data(other.dispatcher, CHANGE, input=changed))["changePost"]["code"] == (
        "NOT_FOUND"
    )
    for token, names in ((office.client, ["Gate"]), (other.client, [])):
        found = (await api.data(token, LIST, site=office.site))["posts"]["nodes"]
        assert [each["name"] for each in found] == names


async def test_each_version_of_post_orders_is_acknowledged_by_the_guard_anew(api: Api) -> None:
    office = await asking.office(api)
    token = await on_duty(api, office)
    away = api.token((await somebody(api, office, Role.GUARD, "away")).id)
    given = POST | {"siteId": office.site}
    post = (await api.data(office.dispatcher, ADD, input=given))["addPost"]["id"]
    for number in (1, 2):
        words = {"postId": post, "body": f"Version {number}"}
        assert (await api.data(token, ISSUE, input=words))["issuePostOrders"]["code"] == (
            "NOT_ALLOWED"
        )
        orders = (await api.data(office.dispatcher, ISSUE, input=words))["issuePostOrders"]
        assert orders["number"] == number
        read = {"id": orders["id"]}
        assert (await api.data(away, READ, input=read))["acknowledgePostOrders"]["code"] == (
            "NOT_FOUND"
        )
        assert (await api.data(office.client, READ, input=read))["acknowledgePostOrders"][
            "code"
        ] == "NOT_ALLOWED"
        first, second = [
            (await api.data(token, READ, input=read))["acknowledgePostOrders"] for _ in range(2)
        ]
        assert first == second

    async def seen(reader: str) -> list[list[Any]]:
        found = (await api.data(reader, LIST, site=office.site))["posts"]["nodes"]
        return [each["orders"][0]["acknowledgements"] for each in found]

    assert len((await seen(office.dispatcher))[0]) == 1
    assert len((await seen(token))[0]) == 1
    assert await seen(office.client) == [[]]
    assert await seen(away) == []


async def test_a_profile_is_read_by_the_office_and_the_guard_and_by_no_client(api: Api) -> None:
    office = await asking.office(api)
    one, other = [
        await somebody(api, office, Role.GUARD, name) for name in ("A. Jansen", "B. Bakker")
    ]
    user = ids.write("User", one.id)
    given = {
        "userId": user, "employeeNumber": "117", "passColour": "GREY",
        "passExpiresOn": "2027-05-01", "languages": ["nl", "en"], "contractMinutes": 2_280,
    }  # fmt: skip

    async def refusal(token: str, document: str, name: str, **more: Any) -> tuple[str, str | None]:
        answer = (await api.data(token, document, input=more))[name]
        return answer["code"], answer["argument"]

    for token in (office.client, api.token(one.id)):
        answer = await refusal(token, PROFILE, "setGuardProfile", **given)
        assert answer == ("NOT_ALLOWED", None)
    profile = (await api.data(office.dispatcher, PROFILE, input=given))["setGuardProfile"]
    assert (profile["passColour"], profile["version"]) == ("GREY", 1)
    changed = {"userId": user, "contractMinutes": 1_200, "expectedVersion": 1}
    answer = (await api.data(office.dispatcher, PROFILE, input=changed))["setGuardProfile"]
    assert (answer["contractMinutes"], answer["employeeNumber"]) == (1_200, "117")
    for more, wrong in (
        ({"userId": ids.write("User", other.id)}, ("ALREADY_EXISTS", "employeeNumber")),
        ({"languages": ["Dutch"]}, ("INVALID", "languages")),
        ({"contractMinutes": 10_081}, ("INVALID", "contractMinutes")),
        (
            {"userId": ids.write("User", office.world.client_user.id)},
            ("NOT_FOUND", "userId"),
        ),
    ):
        assert (
            await refusal(office.dispatcher, PROFILE, "setGuardProfile", **(given | more)) == wrong
        )
    grant = {"userId": user, "name": "bhv", "expiresOn": "2027-01-01"}
    rows = [
        (await api.data(office.dispatcher, GRANT, input=grant | {"expiresOn": day}))[
            "grantQualification"
        ]
        for day in ("2026-12-31", "2027-12-31")
    ]
    assert rows[0]["id"] == rows[1]["id"]

    async def seen(token: str) -> tuple[list[str], list[str]]:
        found = await api.data(token, PROFILES)
        numbers = [each["employeeNumber"] for each in found["guardProfiles"]["nodes"]]
        return numbers, [each["name"] for each in found["qualifications"]["nodes"]]

    both = (["117"], ["bhv"])
    assert await seen(office.dispatcher) == both
    assert await seen(api.token(one.id)) == both
    finance = api.token((await somebody(api, office, Role.FINANCE, "finance")).id)
    assert await seen(finance) == both
    auditor = api.token((await somebody(api, office, Role.AUDITOR, "auditor")).id)
    stranger = await asking.office(api)
    for token in (api.token(other.id), office.client, auditor, stranger.manager):
        assert await seen(token) == ([], [])
