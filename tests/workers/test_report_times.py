"""Times of reports are parameters: set for a company, a tier or an account, they move the next report."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from domain import reports
from domain.core.db import transaction
from tests.api import asking
from tests.api.asking import Api, Office
from tests.workers.conftest import Working

SET = """mutation ($input: SetParameterInput!) { setParameter(input: $input) {
  ... on ParameterValue { level } ... on Refusal { code argument } } }"""
RESET = """mutation ($input: ResetParameterInput!) { resetParameter(input: $input) {
  ... on ParameterValue { level } ... on Refusal { code argument } } }"""
PLAN = """mutation ($input: SetReportPlanInput!) { setReportPlan(input: $input) {
  ... on ReportPlan { localTime weekday } ... on Refusal { code } } }"""
PLANS = "query ($account: ID!) { reportPlans(accountId: $account) { cadence localTime weekday } }"
READ = """query ($account: ID!, $names: [String!]) { parameters(accountId: $account, names: $names) {
  name source value { numbers unit } } }"""
TIME = {"name": "reports.daily_time", "unit": "MINUTES_AFTER_MIDNIGHT"}


async def test_a_time_set_for_a_company_moves_the_next_report_and_the_accounts_own_wins(
    database_url: str, redis_url: str, tmp_path: Path, working: Working
) -> None:
    configured = asking.settings(database_url, redis_url, tmp_path)
    async with asking.serving(configured) as server, working():
        api = server.api
        office = await asking.office(api)
        async with transaction(api.make) as session:
            await reports.adopt(session, at=datetime.now(UTC), only=office.world.account.id)
        assert await times(api, office) == {"DAILY": ("08:00:00", 0), "WEEKLY": ("08:30:00", 0)}

        refused = await asked(api, office.client, SET, **TIME, numbers=[600])
        assert refused["code"] == "NOT_ALLOWED"
        late = await asked(api, office.manager, SET, **TIME, numbers=[1440])
        assert (late["code"], late["argument"]) == ("INVALID", "numbers")
        assert (await asked(api, office.manager, SET, **TIME, numbers=[1439]))["level"] == "TENANT"
        await until(api, office, DAILY="23:59:00")
        friday = {"name": "reports.weekly_day", "unit": "COUNT", "numbers": [4]}
        await asked(api, office.manager, SET, **friday, tier="BASIC")
        await until(api, office, WEEKLY_DAY=4)

        own = {"accountId": office.account, "cadence": "DAILY", "localTime": "23:58:00"}
        plan = await asked(api, office.manager, PLAN, **own)
        assert plan["localTime"] == "23:58:00"
        found = await api.data(
            office.client, READ, account=office.account, names=["reports.daily_time"]
        )
        assert found["parameters"] == [
            {
                "name": "reports.daily_time",
                "source": "ACCOUNT",
                "value": {"numbers": [1438], "unit": "MINUTES_AFTER_MIDNIGHT"},
            }
        ]
        reset = {"name": "reports.daily_time", "accountId": office.account}
        await asked(api, office.manager, RESET, **reset)
        await until(api, office, DAILY="23:59:00")


async def asked(api: Api, token: str, document: str, **given: Any) -> Any:
    [answer] = (await api.data(token, document, input=given)).values()
    return answer


async def times(api: Api, office: Office) -> dict[str, tuple[str, int]]:
    plans = (await api.data(office.client, PLANS, account=office.account))["reportPlans"]
    return {each["cadence"]: (each["localTime"], each["weekday"]) for each in plans}


async def until(api: Api, office: Office, **wanted: Any) -> None:
    """Wait for a worker to give the plans a time."""
    async with asyncio.timeout(60):
        while True:
            found = await times(api, office)
            known = {
                "DAILY": found["DAILY"][0],
                "WEEKLY": found["WEEKLY"][0],
                "WEEKLY_DAY": found["WEEKLY"][1],
            }
            if wanted.items() <= known.items():
                return
            await asyncio.sleep(0.05)
