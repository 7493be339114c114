"""Satisfaction is promised, rated by a contact, judged when the survey closes, credited and shown."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from domain.core.db import transaction
from domain.surveys import SurveyInvitation
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api, Office
from tests.surveying import ask, survey
from tests.workers.conftest import Working

pytestmark = pytest.mark.anyio

FEES = {"periodFeeCents": 1_000_000, "creditCapCents": 10_000}
REFUSAL = "... on Refusal { code argument message }"
AMEND = f"""mutation ($input: AmendAgreementInput!) {{ amendAgreement(input: $input) {{
  ... on Terms {{ promises {{ name }} }} {REFUSAL} }} }}"""
PROMISES = """query ($account: ID) { promises(accountId: $account, kinds: [CLIENT_SATISFIED]) { nodes {
  name verdict targetSeconds elapsedSeconds remainingSeconds credit { amountCents }
  unit { __typename id } decidingFacts { kind body } } } }"""
MEASURED = "query ($account: ID!) { slaCompliance(accountId: $account, window: MONTH) { n kept } }"
ANSWERS = "query ($account: ID) { surveyResponses(accountId: $account) { nodes { id } } }"


async def promise_satisfaction(api: Api, office: Office) -> None:
    term = {
        "name": "satisfaction", "kind": "CLIENT_SATISFIED", "calendarVersionId": office.calendar,
        "targets": [{"priority": "LOW", "elapsedSeconds": 0}], "category": "relationship",
        "objectivePpm": 800_000, "creditRules": [{"fixedCents": 2_500}],
    }  # fmt: skip
    given = {
        "id": ids.write("Agreement", office.world.agreement.id),
        "inForceFrom": datetime.now(UTC).isoformat(),
        "terms": FEES | {"promises": [term]},
    }
    assert (await api.data(office.client, AMEND, input=given))["amendAgreement"][
        "code"
    ] == "NOT_ALLOWED"
    slow = term | {"targets": [{"priority": "LOW", "elapsedSeconds": 60}]}
    refused = await api.data(
        office.manager, AMEND, input=given | {"terms": FEES | {"promises": [slow]}}
    )
    assert refused["amendAgreement"]["argument"] == "promises"
    made = await api.data(office.manager, AMEND, input=given)
    assert made["amendAgreement"] == {"promises": [{"name": "satisfaction"}]}


async def test_a_low_rating_breaks_the_promise_and_earns_the_credit(
    database_url: str, redis_url: str, tmp_path: Path, working: Working
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.serving(configured) as server, working():
        api = server.api
        office = await asking.office(api)
        await promise_satisfaction(api, office)
        now = api.state.now()
        await survey(api.make, office.world.tenant.id, now)
        invited = await ask(api.make, office.world.account, now)
        for row, rating in zip(invited, ("5", "2"), strict=True):
            link = f"/s/{api.state.survey_links.token(row.id)}"
            assert (await api.http.post(link, data={"experience": rating})).status_code == 200
        assert await promised(api, office.manager, office) == []
        async with transaction(api.make) as session:  # time passes
            await session.execute(
                update(SurveyInvitation)
                .where(SurveyInvitation.account_id == office.world.account.id)
                .values(closes_at=datetime.now(UTC) + timedelta(milliseconds=1))
            )

        async def is_credited() -> bool:
            return any(each["credit"] for each in await promised(api, office.manager, office))

        await until(is_credited)
        kept, late = await promised(api, office.manager, office)
        assert (kept["verdict"], late["verdict"]) == ("KEPT", "LATE")
        assert (kept["credit"], late["credit"]) == (None, {"amountCents": 2_500})
        for each in (kept, late):
            assert each["unit"]["__typename"] == "SurveyResponse"
            assert [each[name] for name in ("targetSeconds", "elapsedSeconds")] == [0, 0]
            assert each["remainingSeconds"] == 0
        answers = await api.data(office.manager, ANSWERS, account=office.account)
        nodes = answers["surveyResponses"]["nodes"]
        assert {kept["unit"]["id"], late["unit"]["id"]} == {each["id"] for each in nodes}
        told = {each["kind"]: each["body"] for each in late["decidingFacts"]}
        assert told["survey.rated"]["value"] == 2
        assert "promise.breached" in told

        kept, late = await promised(api, office.client, office)
        assert (kept["verdict"], late["verdict"]) == ("KEPT", "LATE")
        assert late["credit"] == {"amountCents": 2_500}
        for each in (kept, late):  # the client reads the verdict, not who rated what
            assert each["unit"] is None
            assert "survey.rated" not in {fact["kind"] for fact in each["decidingFacts"]}
        stranger = await asking.office(api)
        assert await promised(api, stranger.manager, office) == []

        async def is_measured() -> bool:
            answer = await api.data(office.client, MEASURED, account=office.account)
            return bool(answer["slaCompliance"] == {"n": 2, "kept": 1})

        await until(is_measured)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what a worker does."""
    async with asyncio.timeout(60):
        while not await holds():  # noqa: ASYNC110 - a worker does it
            await asyncio.sleep(0.1)


async def promised(api: Api, token: str, office: Office) -> list[Any]:
    found = await api.data(token, PROMISES, account=office.account)
    return sorted(found["promises"]["nodes"], key=lambda each: str(each["verdict"]))
