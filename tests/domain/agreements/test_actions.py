"""Agreements: what terms cannot say, and what ending one means for tickets before and after."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import agreements
from domain.access import Actor, Tx
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target, Terms, TermsDraft
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.promises import Promise, State
from tests import build
from tests.build import T0

pytestmark = pytest.mark.anyio


def system(world: build.World) -> Actor:
    return Actor.system(world.tenant.id, "test")


async def end(make: Sessions, world: build.World, hours: float, *, said: float = 0) -> None:
    async with transaction(make) as session:
        await agreements.end(
            Tx(session, system(world), T0 + timedelta(hours=said)),
            world.agreement.id,
            ended_at=T0 + timedelta(hours=hours),
            reason="The building was sold",
        )


async def states(make: Sessions, incident_id: object) -> list[State]:
    async with make() as session:
        return list(
            await session.scalars(select(Promise.state).where(Promise.incident_id == incident_id))
        )


async def test_an_ended_agreement_holds_for_tickets_before_its_end_and_for_none_after(
    make: Sessions,
) -> None:
    world = await build.client(make)
    await end(make, world, 1)
    before = await build.incident(make, world, at=T0 + timedelta(minutes=59))
    after = await build.incident(make, world, at=T0 + timedelta(hours=1))
    assert State.RUNNING in await states(make, before.id)
    assert await states(make, after.id) == []


async def test_an_end_that_lies_ahead_is_moved_and_one_that_has_passed_is_not(
    make: Sessions,
) -> None:
    world = await build.client(make)
    await end(make, world, 10)
    await end(make, world, 5, said=1)
    with pytest.raises(Refused) as no:
        await end(make, world, 20, said=6)
    assert no.value.refusal.code is Code.ALREADY_DONE


async def test_an_agreement_does_not_end_before_it_is_said(make: Sessions) -> None:
    world = await build.client(make)
    with pytest.raises(Refused) as no:
        await end(make, world, -1)
    assert no.value.refusal.code is Code.TIME_REVERSED


async def test_no_terms_begin_after_the_agreement_s_end(make: Sessions) -> None:
    world = await build.client(make)
    await end(make, world, 10)
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await agreements.amend(
                Tx(session, system(world), T0),
                world.agreement.id,
                in_force_from=T0 + timedelta(hours=11),
                terms=build.terms_draft(world.calendar),
            )
    assert no.value.refusal.code is Code.TERMS_OVERLAP


@pytest.mark.parametrize(
    "target",
    [Target(elapsed_s=2**53), Target(business_days=2**31), Target(elapsed_s=-1), Target(1, 1)],
)
async def test_a_target_that_no_calendar_can_hold_is_refused(
    make: Sessions, target: Target
) -> None:
    world = await build.client(make)
    promise = PromiseDraft(
        "arrival", PromiseKind.ARRIVAL, world.calendar.id, {Priority.LOW: target}
    )
    with pytest.raises(Refused) as no:
        async with transaction(make) as session:
            await agreements.amend(
                Tx(session, system(world), T0),
                world.agreement.id,
                in_force_from=T0,
                terms=build.terms_draft(world.calendar, [promise]),
            )
    assert no.value.refusal.code is Code.INVALID


async def bodies(make: Sessions, world: build.World, kind: str) -> list[dict[str, Any]]:
    async with make() as session:
        rows = await session.scalars(
            select(LedgerRow)
            .where(LedgerRow.subject_id == world.agreement.id, LedgerRow.kind == kind)
            .order_by(LedgerRow.id)
        )
        return [row.body for row in rows]


async def test_facts_of_an_agreement_state_the_terms_and_the_end_before_and_after(
    make: Sessions,
) -> None:
    world = await build.client(make)
    from_at = T0 + timedelta(days=1)
    async with transaction(make) as session:
        first = await session.scalar(select(Terms).where(Terms.agreement_id == world.agreement.id))
        assert first is not None
        second = await agreements.amend(
            Tx(session, system(world), T0),
            world.agreement.id,
            in_force_from=from_at,
            terms=build.terms_draft(world.calendar),
        )
    await end(make, world, 100)
    await end(make, world, 50, said=1)

    [amended] = await bodies(make, world, "agreement.amended")
    assert (amended["terms_id_before"], amended["number_before"]) == (str(first.id), 1)
    assert (amended["terms_id"], amended["number"]) == (str(second.id), 2)
    assert datetime.fromisoformat(amended["in_force_from"]) == from_at
    one, two = await bodies(make, world, "agreement.ended")
    assert one["ended_at_before"] is None
    assert two["ended_at_before"] == one["ended_at"] != two["ended_at"]


@pytest.mark.parametrize("is_new", [True, False])
async def test_terms_without_promises_are_refused_at_signing_and_amending(
    make: Sessions, is_new: bool
) -> None:
    world = await build.client(make)
    how = {"in_force_from": datetime(2027, 1, 1, tzinfo=UTC), "terms": TermsDraft(())}
    new = {"reference": "E", "title": "Empty", "signed_on": date(2026, 1, 1)}
    async with make() as session:
        with pytest.raises(Refused) as refused:
            await (
                agreements.sign(Tx(session, system(world), T0), world.account.id, **how, **new)  # type: ignore[arg-type]
                if is_new
                else agreements.amend(Tx(session, system(world), T0), world.agreement.id, **how)  # type: ignore[arg-type]
            )
    told = refused.value.refusal
    assert (told.code, told.argument) == (Code.INVALID, "promises")
