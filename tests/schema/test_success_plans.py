"""Success plans: attained shares by KPI and by evidence, value against cost, and who sees and does what."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from domain.core.ledger import LedgerRow
from domain.invoices.model import Invoice
from domain.success_plans import GoalState, attained_ppm, attained_share, realised, state_of
from domain.success_plans.rules import WHOLE
from schema.core import ids
from tests import build
from tests.api.asking import Api, Office
from tests.schema.test_raid import colleague

pytestmark = pytest.mark.anyio

GOAL = """id title baseline target value attainment state unit kpi kpiWindow dueOn valueCents measuredOn version
  owner { id } readings { value measuredOn evidenceWords author }"""
PLAN = f"""id title words startsOn dueOn sharedAt closedAt outcome version goals {{ {GOAL} }}
  comments {{ words fromClient author }}
  value {{ possibleCents realisedCents costCents creditsCents roi currency fromOn untilOn
    lines {{ goalId attainment valueCents realisedCents }} }}"""
LIST = f"""query($account: ID, $open: Boolean) {{ successPlans(accountId: $account, isOpen: $open) {{
  nodes {{ {PLAN} }} }} }}"""


def mutation(name: str, made: str, fields: str) -> str:
    kind = name[0].upper() + name[1:]
    return f"""mutation($input: {kind}Input!) {{ {name}(input: $input) {{
      ... on {made} {{ {fields} }} ... on Refusal {{ code argument }} }} }}"""


OPEN = mutation("openSuccessPlan", "SuccessPlan", "id")
SHARE = mutation("shareSuccessPlan", "SuccessPlan", "id sharedAt")
CLOSE = mutation("closeSuccessPlan", "SuccessPlan", f"closedAt goals {{ {GOAL} }}")
COMMENT = mutation("commentOnSuccessPlan", "SuccessPlan", "comments { words fromClient author }")
SET = mutation("setSuccessGoal", "SuccessGoal", GOAL)
REVISE = mutation("reviseSuccessGoal", "SuccessGoal", GOAL)
MEASURE = mutation("measureSuccessGoal", "SuccessGoal", GOAL)
Do = Callable[..., Awaitable[Any]]


class Play:
    """A plan of the office, and what its people do with it."""

    def __init__(self, api: Api, office: Office, owner: str) -> None:
        self.api, self.office, self.owner = api, office, owner
        self.today = api.state.now().date()
        self.plan = ""

    async def do(self, document: str, token: str | None = None, **given: Any) -> Any:
        found = await self.api.data(token or self.office.manager, document, input=given)
        [answer] = found.values()
        return answer

    async def opened(self) -> None:
        made = await self.do(
            OPEN, accountId=self.office.account, title="Safe nights", words="Fewer alarms",
            ownerUserId=self.owner, startsOn=(self.today - timedelta(days=30)).isoformat(),
            dueOn=(self.today + timedelta(days=300)).isoformat(),
        )  # fmt: skip
        self.plan = made["id"]

    async def goal(self, **more: Any) -> Any:
        given: dict[str, Any] = {
            "id": self.plan, "title": "Fewer false alarms", "criterionWords": "Ten a month",
            "baseline": 40, "target": 10, "ownerUserId": self.owner,
            "dueOn": (self.today + timedelta(days=200)).isoformat(), "unit": "alarms a month",
        }  # fmt: skip
        return await self.do(SET, **(given | more))

    async def listed(self, token: str | None = None, **asked: Any) -> list[Any]:
        found = await self.api.data(token or self.office.manager, LIST, **asked)
        return list(found["successPlans"]["nodes"])


@pytest.fixture
async def play(api: Api, office: Office) -> Play:
    play = Play(api, office, await colleague(api, office))
    await play.opened()
    return play


async def test_a_goal_is_measured_with_evidence_and_its_plan_closed(play: Play) -> None:
    goal = await play.goal(valueCents=900_000)
    assert (goal["value"], goal["attainment"], goal["state"]) == (None, None, "OPEN")
    on = (play.today - timedelta(days=3)).isoformat()
    half = await play.do(MEASURE, id=goal["id"], value=25, evidenceWords="Log", measuredOn=on)
    assert (half["value"], half["attainment"], half["measuredOn"]) == (25, 0.5, on)
    # An older value does not replace a newer one, and is kept among the readings.
    older = (play.today - timedelta(days=9)).isoformat()
    still = await play.do(MEASURE, id=goal["id"], value=38.5, evidenceWords="Log", measuredOn=older)
    assert (still["value"], [each["value"] for each in still["readings"]]) == (25, [38.5, 25])
    revised = await play.do(REVISE, id=goal["id"], target=20, valueCents=300_000)
    assert (revised["attainment"], revised["valueCents"]) == (0.75, 300_000)
    [plan] = await play.listed()
    value = plan["value"]
    assert (value["possibleCents"], value["realisedCents"]) == (300_000, 225_000)
    assert (value["costCents"], value["roi"], value["currency"]) == (0, None, "EUR")
    assert value["lines"] == [
        {"goalId": goal["id"], "attainment": 0.75, "valueCents": 300_000, "realisedCents": 225_000}
    ]
    closed = await play.do(CLOSE, id=play.plan, outcome="Nearly")
    assert closed["closedAt"]
    assert closed["goals"][0]["state"] == "OPEN"
    for document, more in (
        (MEASURE, {"id": goal["id"], "value": 1, "evidenceWords": "Late"}),
        (REVISE, {"id": goal["id"], "target": 1}),
        (CLOSE, {"id": play.plan, "outcome": "Again"}),
        (SHARE, {"id": play.plan}),
    ):
        assert await play.do(document, **more) == {"code": "ALREADY_DONE", "argument": "id"}
    async with play.api.make() as session:
        facts = await session.execute(
            select(LedgerRow.kind, LedgerRow.body)
            .where(LedgerRow.subject_id == ids.known(goal["id"], "SuccessGoal"))
            .order_by(LedgerRow.seq)
        )
        bodies = [(kind.removeprefix("success_plan."), body) for kind, body in facts]
    assert [kind for kind, _ in bodies] == [
        "goal_set", "goal_measured", "goal_measured", "goal_revised",
    ]  # fmt: skip
    assert bodies[3][1]["before"] == {"target_milli": 10_000, "value_cents": 900_000}
    assert bodies[3][1]["after"] == {"target_milli": 20_000, "value_cents": 300_000}


async def test_a_kpi_measures_a_goal_as_kpis_does_and_its_value_is_kept(play: Play) -> None:
    api, office = play.api, play.office
    for _ in range(3):
        await build.incident(api.make, office.world, at=api.state.now())
    goal = await play.goal(kpi="INCIDENTS", unit=None, baseline=10, target=2)
    assert (goal["kpi"], goal["kpiWindow"]) == ("INCIDENTS", "LAST_28D")
    kpis = """query($account: ID!) { kpis(accountId: $account, window: LAST_28D, keys: [INCIDENTS]) { value } }"""
    [told] = (await api.data(office.manager, kpis, account=office.account))["kpis"]
    [plan] = await play.listed()
    [found] = plan["goals"]
    assert found["value"] == told["value"] == 3
    assert found["attainment"] == 0.875
    refused = await play.do(MEASURE, id=goal["id"], value=1, evidenceWords="Entered")
    assert refused == {"code": "INVALID", "argument": "id"}
    closed = await play.do(CLOSE, id=play.plan, outcome="Done")
    await build.incident(api.make, office.world, at=api.state.now())
    [kept] = (await play.listed())[0]["goals"]
    assert (kept["value"], closed["goals"][0]["value"]) == (3, 3)
    assert [each["value"] for each in kept["readings"]] == [3]


async def test_a_client_sees_a_shared_plan_and_comments_on_it(play: Play) -> None:
    client, dispatcher = play.office.client, play.office.dispatcher
    assert await play.do(SHARE, id=play.plan) == {"code": "INVALID", "argument": "id"}
    await play.goal(valueCents=5)
    assert await play.listed(client) == []
    assert (await play.do(COMMENT, client, id=play.plan, words="Hello"))["code"] == "NOT_FOUND"
    assert (await play.do(SHARE, id=play.plan))["sharedAt"]
    [seen] = await play.listed(client)
    assert (seen["goals"][0]["owner"], seen["value"]["possibleCents"]) == (None, 5)
    said = await play.do(COMMENT, client, id=play.plan, words="We agree")
    await play.do(COMMENT, id=play.plan, words="Thank you")
    assert said["comments"][0]["fromClient"] is True
    [seen] = await play.listed(client)
    assert [(each["words"], each["fromClient"]) for each in seen["comments"]] == [
        ("We agree", True), ("Thank you", False),
    ]  # fmt: skip
    assert seen["comments"][1]["author"] == "staff"
    [of_dispatcher] = await play.listed(dispatcher)
    assert of_dispatcher["value"] is None
    assert of_dispatcher["goals"][0]["valueCents"] is None
    given = {"id": play.plan, "outcome": "Done"}
    for token in (client, dispatcher):
        assert (await play.do(CLOSE, token, **given))["code"] == "NOT_ALLOWED"
    assert (await play.do(COMMENT, dispatcher, id=play.plan, words="No"))["code"] == "NOT_ALLOWED"
    assert [len(await play.listed(open=each)) for each in (True, False)] == [1, 0]


async def test_bad_goals_are_refused_by_argument(play: Play) -> None:
    late = (play.today + timedelta(days=301)).isoformat()
    for argument, wrong in (
        ("target", {"target": 40}),
        ("target", {"target": 2e9}),
        ("target", {"target": 40.0001}),
        ("baseline", {"baseline": -2e9}),
        ("dueOn", {"dueOn": late}),
        ("unit", {"unit": None}),
        ("unit", {"kpi": "CSAT"}),
        ("kpiWindow", {"kpiWindow": "MONTH"}),
        ("valueCents", {"valueCents": -1}),
        ("title", {"title": " "}),
        ("ownerUserId", {"ownerUserId": ids.write("User", play.office.world.client_user.id)}),
    ):
        assert (await play.goal(**wrong)).get("argument") == argument, wrong
    goal = await play.goal()
    tomorrow = (play.today + timedelta(days=2)).isoformat()
    refused = await play.do(
        MEASURE, id=goal["id"], value=1, evidenceWords="Log", measuredOn=tomorrow
    )
    assert refused == {"code": "TIME_REVERSED", "argument": "measuredOn"}
    assert await play.do(REVISE, id=goal["id"]) == {"code": "INVALID", "argument": None}
    stale = await play.do(REVISE, id=goal["id"], target=1, expectedVersion=9)
    assert stale["code"] == "STALE_VERSION"


async def test_the_cost_is_what_was_invoiced_in_the_days_of_the_plan(play: Play) -> None:
    """Two invoices inside the plan and one before it, written as the books would."""
    world = play.office.world
    async with play.api.make() as session, session.begin():
        for days, cents in ((1, 40_000), (30, 10_000), (31, 7)):
            session.add(
                Invoice(
                    tenant_id=world.tenant.id, account_id=world.account.id,
                    agreement_id=world.agreement.id, number=str(days), currency="EUR",
                    issued_on=play.today - timedelta(days=days), due_on=play.today,
                    period_from_on=date(2020, 1, days), period_until_on=date(2020, 2, 1),
                    supplier={}, customer={}, net_cents=cents, vat_cents=0, gross_cents=cents,
                )
            )  # fmt: skip
    goal = await play.goal(valueCents=80_000)
    await play.do(MEASURE, id=goal["id"], value=5, evidenceWords="Log")
    [plan] = await play.listed()
    assert plan["goals"][0]["state"] == "ATTAINED"
    assert (plan["value"]["costCents"], plan["value"]["roi"]) == (50_000, 0.6)


@given(
    st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12)
)
def test_a_share_is_whole_only_when_the_target_is_reached(start: int, end: int, value: int) -> None:
    if start == end:
        return
    found = attained_ppm(start, end, value)
    assert found is not None
    assert 0 <= found <= WHOLE
    reached = value >= end if end > start else value <= end
    assert (found == WHOLE) == reached
    assert attained_ppm(end, start, value) in {WHOLE - found, WHOLE - found - 1, 0, WHOLE}
    exact = attained_share(start, end, value)
    assert exact is not None
    assert realised(WHOLE, exact) == found


def test_a_goal_is_missed_when_its_day_is_over() -> None:
    day = date(2026, 3, 2)
    assert state_of(WHOLE - 1, day, day) is GoalState.OPEN
    assert state_of(WHOLE - 1, day, day + timedelta(days=1)) is GoalState.MISSED
    assert state_of(None, day, day + timedelta(days=1)) is GoalState.MISSED
    assert state_of(WHOLE, day, day + timedelta(days=9)) is GoalState.ATTAINED
