"""Terms by scope through the API: the most specific promise of a service applies; an overlap names both promises."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain import posts
from domain.access import Actor, Tx
from domain.core.db import transaction
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office

REFUSAL = "... on Refusal { code argument message }"
AMEND = f"""mutation ($input: AmendAgreementInput!) {{ amendAgreement(input: $input) {{
  ... on Terms {{ promises {{ name services }} }} {REFUSAL} }} }}"""
OPEN = f"""mutation ($input: OpenIncidentInput!) {{ openIncident(input: $input) {{
  ... on Incident {{ id service promises {{ name }} }} {REFUSAL} }} }}"""
INCIDENT = (
    "query ($id: ID!) { node(id: $id) { ... on Incident { service promises { name internal } } } }"
)
TERMS = """query ($id: ID!) { node(id: $id) { ... on Agreement { terms { promises { name services } } } } }"""
PLAN = f"""mutation ($input: PlanShiftInput!) {{ planShift(input: $input) {{
  ... on RosterChange {{ shifts {{ id }} }} {REFUSAL} }} }}"""
PUBLISH = f"""mutation ($input: PublishShiftsInput!) {{ publishShifts(input: $input) {{
  ... on RosterChange {{ count }} {REFUSAL} }} }}"""
PROMISES = """query ($account: ID) { promises(accountId: $account, kinds: [SHIFT_COVERED]) { nodes {
  name unit { id } } } }"""


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.running(configured) as running:
        yield running


def promise(office: Office, name: str, kind: str, seconds: int, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "kind": kind, "calendarVersionId": office.calendar,
        "targets": [{"priority": "LOW", "elapsedSeconds": seconds}], **more,
    }  # fmt: skip


async def amend(api: Api, token: str, office: Office, *promises: dict[str, Any]) -> Any:
    given = {
        "id": ids.write("Agreement", office.world.agreement.id),
        "inForceFrom": datetime.now(UTC).isoformat(),
        "terms": {"promises": list(promises)},
    }
    return (await api.data(token, AMEND, input=given))["amendAgreement"]


async def opened(api: Api, office: Office, service: str | None) -> Any:
    given = {
        "siteId": office.site, "priority": "LOW", "summary": "Door open", "source": "GUARD",
        "reporter": "J. Jansen", "service": service,
    }  # fmt: skip
    return (await api.data(office.dispatcher, OPEN, input=given))["openIncident"]


async def test_a_promise_limited_to_services_applies_where_they_are_meant(api: Api) -> None:
    office = await asking.office(api)
    drafts = (
        promise(office, "response", "FIRST_RESPONSE", 3600),
        promise(office, "at_reception", "FIRST_RESPONSE", 600, services=["reception", "concierge"]),
        promise(office, "objective", "FIRST_RESPONSE", 300, internal=True, services=["reception"]),
        promise(office, "cover", "SHIFT_COVERED", 0),
        promise(office, "cover_patrol", "SHIFT_COVERED", 0, services=["patrol"]),
    )
    assert (await amend(api, office.client, office, *drafts))["code"] == "NOT_ALLOWED"
    made = await amend(api, office.manager, office, *drafts)
    assert {each["name"]: each["services"] for each in made["promises"]} == {
        "response": [], "at_reception": ["concierge", "reception"], "objective": ["reception"],
        "cover": [], "cover_patrol": ["patrol"],
    }  # fmt: skip

    for service, names in (
        (None, ["response"]),
        ("patrol", ["response"]),
        ("concierge", ["at_reception"]),
        ("reception", ["at_reception", "objective"]),
    ):
        incident = await opened(api, office, service)
        assert incident["service"] == service
        assert sorted(each["name"] for each in incident["promises"]) == names
        seen = (await api.data(office.client, INCIDENT, id=incident["id"]))["node"]
        assert seen["service"] == service
        assert seen["promises"] == [{"name": names[0], "internal": False}]
    agreement = ids.write("Agreement", office.world.agreement.id)
    of_client = (await api.data(office.client, TERMS, id=agreement))["node"]["terms"][0]["promises"]
    assert {"name": "at_reception", "services": ["concierge", "reception"]} in of_client
    assert "objective" not in {each["name"] for each in of_client}


async def test_an_objective_that_is_laxer_than_the_contract_is_refused(api: Api) -> None:
    office = await asking.office(api)
    contract = promise(office, "response", "FIRST_RESPONSE", 3600)
    aim = promise(office, "aim", "FIRST_RESPONSE", 5400, internal=True)
    refused = await amend(api, office.manager, office, contract, aim)
    assert refused == {
        "code": "INVALID",
        "argument": "promises",
        "message": "The internal objective 'aim' (90 minutes for low) is laxer than the promise 'response' (1 hours):"
        " make it as strict, or limit it to other units.",
    }
    strict = aim | {"targets": [{"priority": "LOW", "elapsedSeconds": 3600}]}
    assert len((await amend(api, office.manager, office, contract, strict))["promises"]) == 2


async def test_the_service_of_a_post_decides_the_promise_of_its_shifts(api: Api) -> None:
    office = await asking.office(api)
    await amend(
        api, office.manager, office,
        promise(office, "cover", "SHIFT_COVERED", 0),
        promise(office, "cover_patrol", "SHIFT_COVERED", 0, services=["patrol"]),
    )  # fmt: skip
    shifts: dict[str, str] = {}
    begins = datetime.now(UTC) + timedelta(hours=1)
    for service in ("reception", "patrol"):
        async with transaction(api.make) as session:
            tx = Tx(session, Actor.system(office.world.tenant.id, "test"), datetime.now(UTC))
            post = await posts.add_post(
                tx, office.world.site.id, name=service, service=service,
                valid_from_on=date(2026, 1, 1),
            )  # fmt: skip
        given = {
            "postId": ids.write("Post", post.id), "fromAt": begins.isoformat(),
            "untilAt": (begins + timedelta(hours=8)).isoformat(),
        }  # fmt: skip
        planned = (await api.data(office.dispatcher, PLAN, input=given))["planShift"]
        [shift] = [each["id"] for each in planned["shifts"]]
        await api.data(office.dispatcher, PUBLISH, input={"shiftIds": [shift]})
        shifts[shift] = {"reception": "cover", "patrol": "cover_patrol"}[service]
    nodes = (await api.data(office.client, PROMISES, account=office.account))["promises"]["nodes"]
    assert {each["unit"]["id"]: each["name"] for each in nodes} == shifts


async def test_two_promises_that_may_meet_in_a_service_are_refused_by_name(api: Api) -> None:
    office = await asking.office(api)
    one = promise(office, "quick", "FIRST_RESPONSE", 60, services=["reception", "patrol"])
    other = promise(office, "slow", "FIRST_RESPONSE", 600, services=["patrol"])
    refused = await amend(api, office.manager, office, one, other)
    assert (refused["code"], refused["argument"]) == ("TERMS_OVERLAP", "promises")
    assert "'quick'" in refused["message"]
    assert "'slow'" in refused["message"]
    apart = await amend(api, office.manager, office, one, other | {"services": ["events"]})
    assert [each["name"] for each in apart["promises"]] == ["quick", "slow"]


@pytest.mark.parametrize("service", ["", "a\nb"])
async def test_a_service_is_a_line_of_text(api: Api, service: str) -> None:
    office = await asking.office(api)
    draft = promise(office, "quick", "FIRST_RESPONSE", 60, services=[service])
    assert (await amend(api, office.manager, office, draft))["code"] == "INVALID"
    refused = await opened(api, office, service)
    assert (refused["code"], refused["argument"]) == ("INVALID", "service")
