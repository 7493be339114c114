"""Action plans for the probes of the gate: one that is open with a comment, and one that was measured."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from domain import accounts, action_plans
from domain.access import Actor, Role, Tx
from domain.action_plans import (
    ActionPlan,
    ActionPlanEffect,
    ActionPriority,
    EffectMethod,
    EffectVerdict,
    TriggerWindow,
)
from domain.core.db import transaction
from domain.sentiment import Theme
from schema.core import ids
from tests.api.asking import Api, Office
from tests.build import T0

WINDOW = TriggerWindow(T0.date() - timedelta(days=30), T0.date())


async def _plan(api: Api, office: Office) -> ActionPlan:
    """An open plan."""
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        owner = await accounts.add_user(
            tx, email=f"{uuid4()}@example.org", name="Owner", role=Role.DISPATCHER
        )
        return await action_plans.open_plan(
            tx, office.world.account.id, title="Two guards at night", words="We wait too long.",
            priority=ActionPriority.HIGH, owner_id=owner.id, due_at=tx.at + timedelta(days=3_000),
            window=WINDOW, theme=Theme.RESPONSE,
        )  # fmt: skip


async def furnish(api: Api, office: Office) -> None:
    """Open a plan and comment on it, and finish another one whose effect was measured."""
    row = await _plan(api, office)
    done = await _plan(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(row.tenant_id, "test"), api.state.now())
        await action_plans.comment(tx, row.id, words="Good idea")
        await action_plans.finish_plan(tx, done.id, outcome="Two guards")
        session.add(
            ActionPlanEffect(
                tenant_id=row.tenant_id,
                account_id=row.account_id,
                plan_id=done.id,
                measured_at=T0,
                is_final=True,
                before_from=WINDOW.start,
                before_until=WINDOW.until,
                after_from=WINDOW.until,
                after_until=WINDOW.until + timedelta(days=60),
                verdict=EffectVerdict.NOT_SHOWN,
                method=EffectMethod.NONE,
                n_before=0,
                n_after=3,
                n_both=0,
                n_others=0,
            )
        )


async def _open(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("ActionPlan", (await _plan(api, office)).id)}


async def _prioritised(api: Api, office: Office) -> dict[str, Any]:
    return await _open(api, office) | {"priority": "LOW"}


async def _opened(api: Api, office: Office) -> dict[str, Any]:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        owner = await accounts.add_user(
            tx, email=f"{uuid4()}@example.org", name="Owner", role=Role.DISPATCHER
        )
    return {
        "ownerUserId": ids.write("User", owner.id), "responseIds": [],
        "dueAt": (api.state.now() + timedelta(days=3_000)).isoformat(),
        "windowFrom": WINDOW.start.isoformat(), "windowUntil": WINDOW.until.isoformat(),
        "surveyId": None, "question": None,
    }  # fmt: skip


DOABLE = {
    "openActionPlan": _opened,
    "prioritiseActionPlan": _prioritised,
    "startActionPlan": _open,
    "finishActionPlan": _open,
    "dropActionPlan": _open,
    "commentOnActionPlan": _open,
}
LAST_FACTS = {"actionPlanEvents": "action_plan.done"}
