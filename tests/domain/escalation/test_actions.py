"""Escalation: nobody takes a ticket up, nobody speaks about it, and somebody hears of that."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from domain import accounts, escalation, incidents
from domain.access import Actor, Role, Tx
from domain.agreements import Priority
from domain.core.db import Sessions, transaction
from domain.core.errors import Refused
from domain.core.ledger import LedgerRow
from domain.escalation import Cycle, EscalationStep, StepDraft
from domain.incidents import Incident, PauseCause
from domain.messages import Message
from domain.parameters import ParameterPlace, ParameterUnit, set_value
from tests import build
from tests.build import T0, World, minutes

pytestmark = pytest.mark.anyio

STEPS = (
    StepDraft(after_minutes=10, roles=[Role.DISPATCHER]),
    StepDraft(after_minutes=30, roles=[Role.RELATIONSHIP_MANAGER], urgent=True),
)


@dataclass(frozen=True)
class Firm:
    """A client's world with a dispatcher, a relationship manager and a manager who can be told."""

    world: World
    system: Actor
    users: dict[Role, UUID]


@pytest.fixture
async def firm(make: Sessions) -> Firm:
    world = await build.client(make, contacts=1)
    system = Actor.system(world.tenant.id, "test")
    users = {}
    async with transaction(make) as session:
        for role in (Role.DISPATCHER, Role.RELATIONSHIP_MANAGER, Role.MANAGEMENT):
            user = await accounts.add_user(
                Tx(session, system, T0),
                email=f"{role}-{uuid4().hex[:8]}@example.org",
                name=role,
                role=role,
            )
            users[role] = user.id
    return Firm(world, system, users)


async def policy(
    make: Sessions, firm: Firm, steps: Sequence[StepDraft] = STEPS, **how: Any
) -> UUID:
    async with transaction(make) as session:
        row = await escalation.set_policy(
            Tx(session, firm.system, T0), name="Usual", steps=steps, **how
        )
        return row.id


async def act(
    make: Sessions, firm: Firm, ticket: Incident, action: Any, at: datetime, **how: Any
) -> None:
    async with transaction(make) as session:
        await action(Tx(session, firm.world.staff, at), ticket.id, **how)
    await follow(make, firm, ticket, at)


async def follow(make: Sessions, firm: Firm, ticket: Incident, at: datetime) -> None:
    async with transaction(make) as session:
        await escalation.follow(Tx(session, firm.system, at), ticket.id)


async def opened(make: Sessions, firm: Firm, **how: Any) -> Incident:
    ticket = await build.incident(make, firm.world, **how)
    await follow(make, firm, ticket, T0)
    return ticket


async def pass_time(make: Sessions, at: datetime) -> None:
    """Let sweepers look once; a second time must change nothing."""
    for _ in range(2):
        async with transaction(make) as session:
            await escalation.sweep(session, at=at, limit=1000)


async def taken(make: Sessions, ticket: Incident) -> list[tuple[Cycle, int, float]]:
    """Which steps were taken, and how many minutes after the opening they were due."""
    async with make() as session:
        found = await session.scalars(
            select(EscalationStep)
            .join(escalation.Escalation, escalation.Escalation.id == EscalationStep.escalation_id)
            .where(escalation.Escalation.incident_id == ticket.id)
            .order_by(EscalationStep.due_at, EscalationStep.id)
        )
        return [(s.cycle, s.number, (s.due_at - T0) / minutes(1)) for s in found]


async def told(make: Sessions, user_id: UUID) -> int:
    async with make() as session:
        count = select(func.count()).where(Message.user_id == user_id)
        return await session.scalar(count) or 0


async def test_a_ticket_that_nobody_takes_up_goes_from_step_to_step_and_repeats_the_last(
    make: Sessions, firm: Firm
) -> None:
    await policy(make, firm, repeat_minutes=15)
    ticket = await opened(make, firm)
    for minute in (9, 10, 29, 30, 45):
        await pass_time(make, T0 + minutes(minute))
    assert await taken(make, ticket) == [
        (Cycle.UNACKNOWLEDGED, 0, 10),
        (Cycle.UNACKNOWLEDGED, 1, 30),
        (Cycle.UNACKNOWLEDGED, 2, 45),
    ]
    assert await told(make, firm.users[Role.DISPATCHER]) == 1
    assert await told(make, firm.users[Role.RELATIONSHIP_MANAGER]) == 2


async def test_taking_it_up_stops_it_and_says_so(make: Sessions, firm: Firm) -> None:
    await policy(make, firm)
    ticket = await opened(make, firm)
    await pass_time(make, T0 + minutes(12))
    await act(make, firm, ticket, incidents.acknowledge, T0 + minutes(13))
    await pass_time(make, T0 + minutes(29))
    assert [step for _, step, _ in await taken(make, ticket)] == [0]
    async with make() as session:
        kinds = await session.scalars(
            select(LedgerRow.kind)
            .where(
                LedgerRow.tenant_id == firm.world.tenant.id,
                LedgerRow.kind.startswith("escalation."),
            )
            .order_by(LedgerRow.id)
        )
        assert list(kinds) == ["escalation.stepped", "escalation.stopped"]


async def test_an_acknowledgement_counts_though_nobody_has_followed_it_yet(
    make: Sessions, firm: Firm
) -> None:
    await policy(make, firm)
    ticket = await opened(make, firm)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, firm.world.staff, T0 + minutes(5)), ticket.id)
    await pass_time(make, T0 + minutes(12))  # the job about it is still on its way
    assert await taken(make, ticket) == []


async def test_a_ticket_without_news_when_news_was_promised_is_told_of_again(
    make: Sessions, firm: Firm
) -> None:
    await policy(make, firm)
    ticket = await opened(make, firm)  # critical: news every 30 minutes
    await act(make, firm, ticket, incidents.acknowledge, T0 + minutes(5))
    await act(make, firm, ticket, incidents.update, T0 + minutes(20), body="On our way")
    await pass_time(make, T0 + minutes(59))
    assert await taken(make, ticket) == []
    await pass_time(make, T0 + minutes(61))
    assert await taken(make, ticket) == [(Cycle.STALE, 0, 60)]
    await act(make, firm, ticket, incidents.update, T0 + minutes(65), body="There")
    await pass_time(make, T0 + minutes(104))
    assert await taken(make, ticket) == [(Cycle.STALE, 0, 60)]
    await pass_time(make, T0 + minutes(105))
    assert (await taken(make, ticket))[1:] == [(Cycle.STALE, 0, 105)]


async def test_a_ticket_that_is_held_or_resolved_is_told_of_to_nobody(
    make: Sessions, firm: Firm
) -> None:
    await policy(make, firm)
    held, solved = await opened(make, firm), await opened(make, firm)
    await act(make, firm, held, incidents.acknowledge, T0 + minutes(1))
    await act(make, firm, held, incidents.pause, T0 + minutes(2), cause=PauseCause.ACCESS_DENIED)
    await act(make, firm, solved, incidents.resolve, T0 + minutes(2), resolution="False alarm")
    await pass_time(make, T0 + minutes(200))
    assert await taken(make, held) + await taken(make, solved) == []


@pytest.mark.parametrize("with_policy", [False, True])
async def test_management_hears_within_four_hours_whatever_the_policy_says(
    make: Sessions, firm: Firm, with_policy: bool
) -> None:
    if with_policy:
        await policy(make, firm)
    low = await opened(make, firm, priority=Priority.LOW)
    critical = await opened(make, firm)
    busy = await opened(make, firm, priority=Priority.HIGH)
    for ticket in (critical, busy):
        await act(make, firm, ticket, incidents.acknowledge, T0 + minutes(1))
    await pass_time(make, T0 + minutes(239))
    assert await told(make, firm.users[Role.MANAGEMENT]) == 0
    await pass_time(make, T0 + minutes(240))
    for ticket in (low, critical):
        assert (Cycle.MANAGEMENT, 0, 240) in await taken(make, ticket)
    assert not [step for step in await taken(make, busy) if step[0] is Cycle.MANAGEMENT]
    assert await told(make, firm.users[Role.MANAGEMENT]) == 2


async def test_management_hears_after_the_time_that_the_site_has_set_when_the_incident_was_opened(
    make: Sessions, firm: Firm
) -> None:
    before = await opened(make, firm, priority=Priority.LOW)
    async with transaction(make) as session:
        tx = Tx(session, firm.system, T0 + minutes(1))
        for place, hours in (
            (ParameterPlace(), 3),
            (ParameterPlace(account_id=firm.world.account.id), 2),
            (ParameterPlace(site_id=firm.world.site.id), 1),
        ):
            await set_value(
                tx,
                "escalation.management_after",
                numbers=[hours],
                unit=ParameterUnit.HOURS,
                place=place,
            )
    after = await build.incident(
        make, firm.world, priority=Priority.LOW, at=T0 + minutes(2), summary="Later"
    )
    await follow(make, firm, after, T0 + minutes(2))
    await pass_time(make, T0 + minutes(61))
    assert await taken(make, after) == []
    await pass_time(make, T0 + minutes(62))
    assert [cycle for cycle, _, _ in await taken(make, after)] == [Cycle.MANAGEMENT]
    assert await taken(make, before) == []
    await pass_time(make, T0 + minutes(240))
    assert await taken(make, before) == [(Cycle.MANAGEMENT, 0, 240)]


async def test_who_was_away_catches_up_with_each_step_once_and_with_the_last_repeat_only(
    make: Sessions, firm: Firm
) -> None:
    await policy(make, firm, repeat_minutes=10)
    ticket = await opened(make, firm)
    await pass_time(make, T0 + minutes(95))
    assert await taken(make, ticket) == [
        (Cycle.UNACKNOWLEDGED, 0, 10),
        (Cycle.UNACKNOWLEDGED, 1, 30),
        (Cycle.UNACKNOWLEDGED, 7, 90),
    ]
    await pass_time(make, T0 + minutes(100))
    assert (await taken(make, ticket))[-1] == (Cycle.UNACKNOWLEDGED, 8, 100)


async def test_a_clients_own_policy_and_one_for_the_priority_come_first(
    make: Sessions, firm: Firm
) -> None:
    account = firm.world.account.id
    general = await policy(make, firm)
    urgent = await policy(make, firm, priorities=[Priority.CRITICAL])
    own = await policy(make, firm, account_id=account)
    async with transaction(make) as session:
        found = {
            priority: await escalation.policy_for(session, firm.world.tenant.id, account, priority)
            for priority in (Priority.CRITICAL, Priority.LOW)
        }
        elsewhere = await escalation.policy_for(
            session, firm.world.tenant.id, uuid4(), Priority.CRITICAL
        )
        assert {row.id for row in found.values() if row} == {own}
        assert elsewhere is not None
        assert elsewhere.id == urgent
        await escalation.end_policy(Tx(session, firm.system, T0), own)
        await escalation.end_policy(Tx(session, firm.system, T0), urgent)
        left = await escalation.policy_for(session, firm.world.tenant.id, account, Priority.LOW)
        assert left is not None
        assert left.id == general


async def test_a_step_names_colleagues_and_contacts_that_exist_here(
    make: Sessions, firm: Firm
) -> None:
    stranger = await build.client(make)
    account = firm.world.account.id
    contact = firm.world.contacts[0].id
    for step, how in (
        (StepDraft(after_minutes=1, user_ids=[stranger.client_user.id]), {}),
        (StepDraft(after_minutes=1, user_ids=[firm.world.client_user.id]), {}),
        (
            StepDraft(after_minutes=1, contact_ids=[stranger.contacts[0].id]),
            {"account_id": account},
        ),
        (StepDraft(after_minutes=1, contact_ids=[contact]), {}),
    ):
        with pytest.raises(Refused):
            await policy(make, firm, [step], **how)
    await policy(
        make, firm, [StepDraft(after_minutes=1, contact_ids=[contact])], account_id=account
    )
    ticket = await opened(make, firm)
    await pass_time(make, T0 + minutes(2))
    assert len(await taken(make, ticket)) == 1
    async with make() as session:
        [message] = await session.scalars(select(Message).where(Message.contact_id == contact))
    assert message.template == "ticket_escalated"


async def test_a_dispatcher_changes_no_policy(make: Sessions, firm: Firm) -> None:
    with pytest.raises(Refused):
        await policy(make, replace(firm, system=firm.world.staff))


async def test_two_sweepers_at_once_take_each_step_once(make: Sessions, firm: Firm) -> None:
    await policy(make, firm)
    tickets = [await opened(make, firm) for _ in range(5)]
    async with transaction(make) as one, transaction(make) as other:
        first = await escalation.sweep(one, at=T0 + minutes(11), limit=3)
        second = await escalation.sweep(other, at=T0 + minutes(11), limit=1000)
    assert first == 3
    assert second >= 2
    assert [len(await taken(make, ticket)) for ticket in tickets] == [1] * 5


async def test_many_steps_of_one_company_do_not_delay_those_of_others(
    make: Sessions, firm: Firm
) -> None:
    await pass_time(make, T0 + minutes(60))  # others' tickets of this database
    await policy(make, firm)
    for _ in range(12):
        await opened(make, firm)
    other = replace(firm, world=await build.client(make, contacts=1))
    other = replace(other, system=Actor.system(other.world.tenant.id, "test"))
    await policy(make, other, [StepDraft(after_minutes=20, roles=[Role.MANAGEMENT])])
    ticket = await opened(make, other)
    async with transaction(make) as session:
        due = await escalation.actions.due(session, at=T0 + minutes(21), limit=4)
        assert await escalation.sweep(session, at=T0 + minutes(21), limit=4) == 4
    assert ticket.id in {each.id for each in due}
    assert len(await taken(make, ticket)) == 1
