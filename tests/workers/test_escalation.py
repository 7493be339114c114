"""Escalation by workers: steps survive restarts and happen once, ops is warned, and the graph shows it."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import accounts, escalation, incidents
from domain.access import Actor, Role, Tx
from domain.agreements import Priority
from domain.core.db import Sessions, transaction
from domain.escalation import Escalation, StepDraft
from domain.messages import Message
from schema.core import ids
from tests import build
from tests.api import asking
from tests.api.asking import Api
from tests.api.conftest import api  # noqa: F401 - a fixture
from tests.build import World
from tests.workers.conftest import Working

pytestmark = pytest.mark.anyio


async def staffed(make: Sessions, *steps: StepDraft) -> tuple[World, UUID]:
    """A client whose policy tells a dispatcher."""
    world = await build.client(make, contacts=0)
    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        user = await accounts.add_user(
            Tx(session, system, build.T0),
            email="desk@example.org",
            name="Desk",
            role=Role.DISPATCHER,
        )
        await escalation.set_policy(Tx(session, system, build.T0), name="P", steps=steps)
    return world, user.id


async def intents(make: Sessions, user_id: UUID) -> list[str]:
    async with make() as session:
        found = await session.scalars(
            select(Message.intent).where(Message.user_id == user_id).order_by(Message.id)
        )
        return list(found)


async def until(make: Sessions, user_id: UUID, letters: int) -> list[str]:
    async with asyncio.timeout(60):
        while len(told := await intents(make, user_id)) < letters:  # noqa: ASYNC110 - a worker's rows
            await asyncio.sleep(0.1)
    return told


async def test_steps_are_taken_once_however_often_workers_are_stopped(
    make: Sessions, working: Working
) -> None:
    soon, late = (StepDraft(after_minutes=n, roles=[Role.DISPATCHER]) for n in (1, 60))
    world, desk = await staffed(make, soon, late)
    opened_at = datetime.now(UTC) - timedelta(seconds=61)
    first = await build.incident(make, world, priority=Priority.LOW, at=opened_at)
    second = await build.incident(make, world, priority=Priority.LOW, at=opened_at)
    async with transaction(make) as session:
        for ticket in (first, second):  # a worker saw them before all workers stopped
            await escalation.follow(Tx(session, world.staff, opened_at), ticket.id)
        await incidents.acknowledge(Tx(session, world.staff, datetime.now(UTC)), second.id)
    async with working():
        told = await until(make, desk, 1)
    async with working(), working():
        third = await build.incident(make, world, priority=Priority.LOW, at=opened_at)
        found = await until(make, desk, 2)  # a step taken twice would have come before the third's
    assert (len(told), len(found), found[:1]) == (1, 2, told)
    async with make() as session:
        rows = await session.scalars(
            select(Escalation).where(Escalation.account_id == world.account.id)
        )
        taken = {row.incident_id: row.taken for row in rows}
    assert taken == {first.id: 1, second.id: 0, third.id: 1}


async def test_ops_is_warned_once_for_each_share_of_a_promise_that_the_policy_names(
    make: Sessions, working: Working
) -> None:
    world, desk = await staffed(make, StepDraft(after_minutes=600, roles=[Role.DISPATCHER]))
    opened_at = datetime.now(UTC) - timedelta(minutes=12)  # 80 % of a critical first response
    await build.incident(make, world, at=opened_at)
    async with working():
        told = await until(make, desk, 1)
        await build.incident(make, world, at=opened_at)
        found = await until(make, desk, 2)  # a second warning would have come before the other's
    assert found[:1] == told
    assert len(found) == 2
    assert all(intent.endswith(":warned:2") for intent in found)


SET = """
mutation ($i: SetEscalationPolicyInput!) { setEscalationPolicy(input: $i) {
  ... on EscalationPolicy { id steps { afterMinutes roles users { name } } warnPercents }
  ... on Refusal { code message }
} }
"""
LINE = """
query ($t: ID!) { escalation(incidentId: $t) {
  cycle nextStepAt managementAt policy { name } incident { id } steps { cycle number dueAt users { name } }
} }
"""


async def test_policies_and_the_timeline_are_in_the_graph_and_clients_see_neither(
    api: Api,  # noqa: F811 - the fixture of this name
) -> None:
    office = await asking.office(api)
    given = {
        "name": "Usual",
        "accountId": office.account,
        "steps": [{"afterMinutes": 10, "roles": ["DISPATCHER"]}],
    }
    policy = (await api.data(office.manager, SET, i=given))["setEscalationPolicy"]
    assert policy["steps"] == [{"afterMinutes": 10, "roles": ["DISPATCHER"], "users": []}]
    assert policy["warnPercents"] == [75, 90]
    refused = (await api.data(office.dispatcher, SET, i=given))["setEscalationPolicy"]
    assert refused["code"] == "NOT_ALLOWED"
    ticket = await build.incident(api.make, office.world)
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        await escalation.follow(Tx(session, system, build.T0 + timedelta(hours=5)), ticket.id)
    about = ids.write("Incident", ticket.id)
    told = (await api.data(office.dispatcher, LINE, t=about))["escalation"]
    assert told["cycle"] == "UNACKNOWLEDGED"
    assert [(s["cycle"], s["number"], [u["name"] for u in s["users"]]) for s in told["steps"]] == [
        ("UNACKNOWLEDGED", 0, ["dispatcher"]),
        ("MANAGEMENT", 0, ["management"]),
    ]
    assert (await api.data(office.client, LINE, t=about))["escalation"] is None
    listing = "{ escalationPolicies { nodes { id } } escalations { nodes { id } } }"
    seen = await api.data(office.client, listing)
    assert seen == {"escalationPolicies": {"nodes": []}, "escalations": {"nodes": []}}
