"""Success plans for the probes of the gate: one for the company, one measured and shared, one closed."""

from datetime import timedelta
from typing import Any

from domain import success_plans
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.kpis import KpiKey
from domain.success_plans import GoalDraft, SuccessGoal, SuccessPlan
from schema.core import ids
from tests.api.asking import Api, Office
from tests.gate.nouns.commitments import owner_of

_YEAR = timedelta(days=365)


async def plan(
    api: Api, office: Office, *, kpi: KpiKey | None = None
) -> tuple[SuccessPlan, SuccessGoal]:
    """An open plan with a goal."""
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        owner, today = await owner_of(tx), tx.at.date()
        row = await success_plans.open_plan(
            tx, office.world.account.id, title="Safe nights", words="Fewer false alarms",
            owner_id=owner, starts_on=today - _YEAR, due_on=today + _YEAR,
            dependencies="New sensors", resources="Two guards",
        )  # fmt: skip
        draft = GoalDraft(
            title="Fewer false alarms", criterion_words="Less than ten a month", baseline=40,
            target=10, owner_id=owner, due_on=today + _YEAR, value_cents=100_000, kpi=kpi,
            unit=None if kpi else "alarms a month",
        )  # fmt: skip
        return row, await success_plans.set_goal(tx, row.id, draft)


async def furnish(api: Api, office: Office) -> None:
    """Close a plan, and open two: the last one is measured, shared and commented on."""
    shared, _ = await plan(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await success_plans.share(tx, shared.id)
        await success_plans.close_plan(tx, shared.id, outcome="Half of it")
    await plan(api, office, kpi=KpiKey.ALARMS)
    row, goal = await plan(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await success_plans.measure_goal(tx, goal.id, value=25, evidence="Log of the alarms")
        await success_plans.share(tx, row.id)
        await success_plans.comment(tx, row.id, words="Well begun")


async def _opened(api: Api, office: Office) -> dict[str, Any]:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        owner = await owner_of(tx)
    return {
        "ownerUserId": ids.write("User", owner), "startsOn": "2026-01-01", "dueOn": "2026-12-31",
    }  # fmt: skip


async def _plan(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("SuccessPlan", (await plan(api, office))[0].id)}


async def _set(api: Api, office: Office) -> dict[str, Any]:
    row, goal = await plan(api, office)
    return {
        "id": ids.write("SuccessPlan", row.id), "ownerUserId": ids.write("User", goal.owner_id),
        "baseline": 1.0, "target": 2.0, "dueOn": row.due_on.isoformat(), "kpi": None,
        "kpiWindow": None, "unit": "visits", "valueCents": 5,
    }  # fmt: skip


async def _goal(api: Api, office: Office) -> dict[str, Any]:
    row, goal = await plan(api, office)
    return {
        "id": ids.write("SuccessGoal", goal.id), "baseline": 41.0, "target": 9.0,
        "dueOn": (row.due_on - timedelta(days=1)).isoformat(), "valueCents": 7,
        "ownerUserId": (await _opened(api, office))["ownerUserId"],
    }  # fmt: skip


async def _measured(api: Api, office: Office) -> dict[str, Any]:
    row, goal = await plan(api, office)
    return {
        "id": ids.write("SuccessGoal", goal.id), "value": 12.0,
        "measuredOn": row.starts_on.isoformat(),
    }  # fmt: skip


DOABLE = {
    "openSuccessPlan": _opened,
    "shareSuccessPlan": _plan,
    "closeSuccessPlan": _plan,
    "commentOnSuccessPlan": _plan,
    "setSuccessGoal": _set,
    "reviseSuccessGoal": _goal,
    "measureSuccessGoal": _measured,
}
LAST_FACTS = {"successPlanEvents": "success_plan.closed"}
