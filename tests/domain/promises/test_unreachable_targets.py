"""Agreements of an earlier release may hold a target that their calendar never reaches: nothing stops for them."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select, update

from domain import agreements, calendars, incidents, promises, simulation
from domain.access import Actor, Tx
from domain.agreements import (
    Priority,
    PromiseDraft,
    PromiseKind,
    PromiseTarget,
    PromiseTerm,
    Target,
    TermsDraft,
)
from domain.calendars import CalendarSpec
from domain.core.db import Sessions, transaction
from domain.core.errors import Refused
from domain.promises import State
from tests import build

pytestmark = pytest.mark.anyio
ONE_HOUR_A_WEEK = CalendarSpec.from_dict({"zone": "UTC", "hours": {"mon": [["09:00", "10:00"]]}})


async def test_an_incident_is_opened_and_judged_under_a_stored_target_without_end(
    make: Sessions,
) -> None:
    world = await build.client(make)
    actor = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        hours = await calendars.define(
            Tx(session, actor, build.T0), name="hour", spec=ONE_HOUR_A_WEEK
        )
        agreement = await agreements.sign(
            Tx(session, actor, build.T0),
            world.account.id,
            reference="B",
            title="t",
            signed_on=date(2026, 1, 1),
            in_force_from=datetime(2026, 1, 1, tzinfo=UTC),
            terms=TermsDraft(
                (
                    PromiseDraft(
                        "slow",
                        PromiseKind.CLOSURE,
                        hours.id,
                        {
                            Priority.HIGH: Target(elapsed_s=3_600),
                            Priority.LOW: Target(business_days=1),
                        },
                    ),
                )
            ),
        )
        slow = select(PromiseTerm.id).where(
            PromiseTerm.account_id == agreement.account_id, PromiseTerm.name == "slow"
        )
        await session.execute(
            update(PromiseTarget)
            .where(PromiseTarget.term_id.in_(slow), PromiseTarget.elapsed_s.is_not(None))
            .values(elapsed_s=366 * 86_400)
        )
    ticket = await build.incident(make, world, priority=Priority.HIGH)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, build.T0), ticket.id)
        rows = await promises.evaluate(
            session, world.staff, ticket.id, at=build.T0 + build.minutes(60)
        )
    [row] = [row for row in rows if row.name == "slow"]
    assert row.state is State.RUNNING
    assert row.due_at is not None
    assert 2050 < row.due_at.year < 2070


@pytest.mark.parametrize("target", [Target(elapsed_s=366 * 86_400), Target(elapsed_s=6_100_000)])
async def test_terms_that_never_end_are_refused_by_every_way_in(
    make: Sessions, target: Target
) -> None:
    world = await build.client(make)
    actor = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        hours = await calendars.define(
            Tx(session, actor, build.T0), name="hour", spec=ONE_HOUR_A_WEEK
        )
    promise = PromiseDraft("slow", PromiseKind.CLOSURE, hours.id, {Priority.HIGH: target})
    terms = TermsDraft((promise,))
    async with transaction(make) as session:
        with pytest.raises(Refused, match="too few working hours"):
            await agreements.amend(
                Tx(session, actor, build.T0),
                world.agreement.id,
                in_force_from=datetime(2027, 1, 1, tzinfo=UTC),
                terms=terms,
            )
        with pytest.raises(Refused, match="too few working hours"):
            await simulation.simulate(Tx(session, actor, build.T0), world.account.id, terms=terms)
