"""What is offered to make good is put in writing; how it goes is asked when it is time. Both once."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from domain import accounts, compensation, incidents, recovery, touchpoints
from domain.access import Actor, Role, Tx
from domain.accounts import User
from domain.compensation import Credit
from domain.core.db import Sessions, transaction
from domain.core.outbox import Outbox
from domain.messages import Message
from domain.recovery import RecoveryCase, Remedy, Size, StepKind
from domain.touchpoints import Touchpoint, TouchpointKind
from tests import build, facts
from tests.build import T0, World, minutes
from workers.check_in_notices import ask_all
from workers.jobs import Runner
from workers.notices import tell_recovery
from workers.outbound.senders import Senders

pytestmark = pytest.mark.anyio

FAR = datetime(2100, 1, 1, tzinfo=UTC)
UP_TO_THE_OFFER = (StepKind.APOLOGIZE, StepKind.LISTEN, StepKind.RESOLVE)


async def manager(make: Sessions, world: World) -> tuple[User, Actor]:
    async with transaction(make) as session:
        user = await accounts.add_user(
            Tx(session, Actor.system(world.tenant.id, "test"), T0),
            email=f"{uuid4().hex}@us.example",
            name="Sanne Brouwer",
            role=Role.RELATIONSHIP_MANAGER,
        )
    return user, Actor(world.tenant.id, Role.MANAGEMENT, f"user:{user.id}")


async def case_of(make: Sessions, world: World, owner: User, actor: Actor) -> RecoveryCase:
    """A case of a resolved ticket, up to where something is offered."""
    ticket = await build.incident(make, world, summary="Niemand kwam")
    async with transaction(make) as session:
        await incidents.resolve(
            Tx(session, world.staff, T0 + minutes(5)), ticket.id, resolution="Slot vervangen."
        )
        case = await recovery.open_case(
            Tx(session, actor, T0),
            ticket.id,
            size=Size.MEDIUM,
            summary="De ronde viel uit",
            owner_id=owner.id,
        )
        for kind in UP_TO_THE_OFFER:
            await recovery.take_step(Tx(session, actor, T0), case.id, kind=kind, note="Onder ons")
    return case


async def offer(
    make: Sessions, actor: Actor, case: RecoveryCase, credit: Credit | None = None
) -> None:
    remedies = [Remedy.PRIORITY_SUPPORT] if credit is None else [Remedy.SERVICE_CREDIT]
    async with transaction(make) as session:
        await recovery.take_step(
            Tx(session, actor, T0),
            case.id,
            kind=StepKind.COMPENSATE,
            note="Onder ons",
            remedies=remedies,
            credit_id=None if credit is None else credit.id,
        )


async def carried(make: Sessions, world: World) -> list[Message]:
    """Do what follows from steps that were done, twice; the messages to the client, oldest first."""
    await facts.number_all(make, {"recovery.step_done": ("tell_recovery",)}, at=FAR)
    runner = Runner(make, {"tell_recovery": tell_recovery}, Senders({}), attempts=1)
    async with make() as session:
        rows = await session.scalars(
            select(Outbox.id).where(Outbox.tenant_id == world.tenant.id).order_by(Outbox.id)
        )
    for outbox_id in [*rows.all()] * 2:
        await runner.run(outbox_id)
    async with make() as session:
        found = await session.scalars(
            select(Message).where(Message.account_id == world.account.id).order_by(Message.id)
        )
        return list(found)


async def test_what_is_offered_is_written_once_a_round_without_what_is_said_among_ourselves(
    make: Sessions,
) -> None:
    world = await build.client(make, contacts=2)
    owner, actor = await manager(make, world)
    case = await case_of(make, world, owner, actor)
    assert await carried(make, world) == []
    async with transaction(make) as session:
        credit = await compensation.grant_goodwill(
            Tx(session, actor, T0), world.agreement.id, cents=25_000, reason="De ronde"
        )
    await offer(make, actor, case, credit)
    dutch, english = await carried(make, world)
    assert dutch.subject.startswith("Onze excuses: wat er misging op Hoofdkantoor")
    for part in (
        "De ronde viel uit",
        "Slot vervangen.",
        "tegemoetkoming: € 250,00",
        "12 maart 2026",
    ):
        assert part in dutch.body
    assert "a service credit: €250.00" in english.body
    assert "Sanne Brouwer" in english.body
    assert "Onder ons" not in dutch.body
    async with transaction(make) as session:
        await recovery.follow_up(Tx(session, actor, T0), case.id, satisfied=False, note="Nee")
        for kind in UP_TO_THE_OFFER:
            await recovery.take_step(Tx(session, actor, T0), case.id, kind=kind, note="Weer")
    await offer(make, actor, case)
    assert len(await carried(make, world)) == 4


async def test_a_credit_that_waits_for_a_yes_is_no_amount_in_a_letter(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    owner, actor = await manager(make, world)
    case = await case_of(make, world, owner, actor)
    async with transaction(make) as session:
        await compensation.choose_policy(
            Tx(session, actor, build.T0),
            approval_above_cents=100,
            vat_category="S",
            vat_rate_bps=2_100,
        )
        credit = await compensation.grant_goodwill(
            Tx(session, actor, T0), world.agreement.id, cents=25_000, reason="De ronde"
        )
    await offer(make, actor, case, credit)
    [told] = await carried(make, world)
    assert "- een tegemoetkoming." in told.body
    assert "€" not in told.body


async def asked(make: Sessions, world: World, at: datetime) -> list[Message]:
    await ask_all(make, at=at)
    async with make() as session:
        found = await session.scalars(
            select(Message)
            .where(Message.account_id == world.account.id, Message.template == "check_in")
            .order_by(Message.id)
        )
        return list(found)


async def test_a_check_in_is_asked_on_the_morning_of_its_day_once(make: Sessions) -> None:
    world = await build.client(make, contacts=2)
    ticket = await build.incident(make, world)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(5)), ticket.id)
        await incidents.resolve(
            Tx(session, world.staff, T0 + minutes(20)), ticket.id, resolution="Klaar"
        )
        await touchpoints.plan(session, world.account, at=T0)
        await session.execute(
            update(Touchpoint)
            .where(Touchpoint.account_id == world.account.id)
            .values(due_on=date(2026, 3, 9))
        )
    morning = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)  # nine o'clock in Amsterdam
    assert await asked(make, world, morning - timedelta(minutes=1)) == []
    dutch, english = await asked(make, world, morning)
    assert "1 melding behandeld en 3 van de 3 beloften gehouden." in dutch.body
    assert (english.topic, english.unsubscribe_key is not None) == ("check_ins", True)
    assert len(await asked(make, world, morning + timedelta(days=1))) == 2
    async with make() as session:
        kinds = select(func.count()).where(
            Touchpoint.account_id == world.account.id, Touchpoint.kind == TouchpointKind.CHECK_IN
        )
        assert await session.scalar(kinds) == 1  # asking is not speaking: it is still to be made


async def test_who_was_spoken_with_is_not_asked(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    async with transaction(make) as session:
        rows = await touchpoints.plan(session, world.account, at=T0)
        check = next(row for row in rows if row.kind is TouchpointKind.CHECK_IN)
        check.due_on = date(2026, 3, 3)
        actor = Actor.system(world.tenant.id, "test")
        await touchpoints.complete(Tx(session, actor, T0 + timedelta(days=1)), check.id)
    assert await asked(make, world, T0 + timedelta(days=2)) == []
