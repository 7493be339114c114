"""Answers that are computed from the rows in reach: an actor limited to a client counts that client's rows only."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.access import Role
from schema.core import ids
from tests.api import asking
from tests.api.asking import Api
from tests.gate.test_roles import company, of_role, of_scopes

GAPS = "{ coverageGaps { kind account { id } } }"
TREND = "query($account: ID) { sentimentTrend(accountId: $account) { monthOn n negative tooFew } }"
RETAINED = """{ retention(startsOn: "2026-01-01", endsOn: "2026-03-01") { name atStart kept feeThenCents } }"""
FORECASTS = "{ forecastReport { n published } }"
RANKING = """query($shift: ID!) { replacementCandidates(shiftId: $shift) {
  candidates { hourCostCents factors { kind } } } }"""
UNITS = "query($alarm: ID!) { alarmUnits(alarmId: $alarm) { unitCount excludedCount } }"
ALARMS = "{ alarms(first: 1) { nodes { id } } }"
SAVE = """mutation($input: SaveDashboardInput!) { saveDashboard(input: $input) {
  ... on Dashboard { id } ... on Refusal { code } } }"""
VALUES = (
    "query($id: ID!) { dashboardValues(id: $id) { values { subjectId value { value status } } } }"
)


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    configured = asking.settings(
        database_url, redis_url, tmp_path, budget_per_s=1e9, budget_burst=1e12
    )
    async with asking.running(configured) as running:
        yield running


async def test_what_is_computed_holds_nothing_of_clients_out_of_reach(api: Api) -> None:
    office, side, other = await company(api)
    here, there = office.account, ids.write("Account", other)
    near = await of_role(api, office, Role.RELATIONSHIP_MANAGER, office.world.account.id, name="n")
    far = await of_role(api, office, Role.RELATIONSHIP_MANAGER, other, name="f")
    key = await of_scopes(api, office, "key", "relationship:read")
    dispatcher = await of_role(api, office, Role.DISPATCHER)

    async def told(token: str, query: str, **variables: Any) -> Any:
        [found] = (await api.data(token, query, **variables)).values()
        return found

    async def gaps(token: str) -> list[tuple[str, str]]:
        return [(each["account"]["id"], each["kind"]) for each in await told(token, GAPS)]

    whole = await gaps(office.manager)
    assert {account for account, _ in whole} == {here, there}
    for asker, account in ((near, here), (key, here), (far, there)):
        assert await gaps(asker.token) == [each for each in whole if each[0] == account]

    trend = await told(office.manager, TREND, account=here)
    assert sum(each["n"] for each in trend) > 0
    assert await told(near.token, TREND, account=here) == trend
    assert await told(far.token, TREND, account=here) == []

    retained = await told(office.manager, RETAINED)
    assert await told(near.token, RETAINED) == retained  # the other one has no agreement
    assert sum(each["atStart"] for each in retained) == 1
    assert await told(far.token, RETAINED) == []
    assert await told(office.manager, FORECASTS) is not None
    assert await told(near.token, FORECASTS) is None

    [alarm] = (await told(office.manager, ALARMS))["nodes"]
    units = await told(office.manager, UNITS, alarm=alarm["id"])
    near_by = await told(near.token, UNITS, alarm=alarm["id"])
    assert 0 < near_by["excludedCount"] <= units["excludedCount"]  # duties of the own clients only
    refused = await api.ask(far.token, UNITS, alarm=alarm["id"])
    assert refused["errors"][0]["extensions"]["code"] == "NOT_FOUND"

    tile = {
        "title": "Incidents",
        "key": "PROMISES_KEPT",
        "grouping": "ACCOUNT",
        "window": "CONTRACT_YEAR",
    }
    given = {"name": "By client", "shared": True, "tiles": [tile]}
    saved = (await told(office.manager, SAVE, input=given))["id"]
    [values] = await told(office.manager, VALUES, id=saved)
    assert {each["subjectId"] for each in values["values"]} >= {here}
    [values] = await told(far.token, VALUES, id=saved)
    assert {each["subjectId"] for each in values["values"]} <= {there}

    shift = side.id_of("Shift")
    ranked = await told(office.manager, RANKING, shift=shift)
    kinds = {step["kind"] for each in ranked["candidates"] for step in each["factors"]}
    assert "COST" in kinds
    shown = await told(dispatcher.token, RANKING, shift=shift)
    assert all(each["hourCostCents"] is None for each in shown["candidates"])
    assert {s["kind"] for each in shown["candidates"] for s in each["factors"]} == kinds - {"COST"}
    refused = await api.ask(far.token, RANKING, shift=shift)
    assert refused["errors"][0]["extensions"]["code"] == "NOT_FOUND"

    for token in (office.client, dispatcher.token):
        assert await told(token, GAPS) == []
        assert await told(token, TREND, account=here) == []
        assert await told(token, RETAINED) == []
        assert await told(token, FORECASTS) is None
