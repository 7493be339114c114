"""What people are told and when: closing time, critical incidents at night, changes of agreements, closing notes."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from domain import accounts, agreements, calendars, compensation, escalation, incidents, invoices
from domain.access import Actor, Role, Tx
from domain.accounts import Account
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target, TermsDraft
from domain.calendars import CalendarSpec
from domain.core.db import Sessions, transaction
from domain.escalation import StepDraft
from domain.invoices import CreditNote
from domain.messages import Message
from domain.reports import notice_ratio
from tests import build
from tests.build import T0, World
from tests.domain.invoices.test_billing import MARCH, known
from tests.workers.conftest import Working
from tests.workers.test_imported_money import quiet

pytestmark = pytest.mark.anyio


def system(world: World) -> Actor:
    return Actor.system(world.tenant.id, "test")


async def messages_of(make: Sessions, world: World) -> list[Message]:
    async with make() as session:
        rows = await session.scalars(
            select(Message).where(Message.tenant_id == world.tenant.id).order_by(Message.id)
        )
        return list(rows)


async def written(
    make: Sessions, world: World, number: int, template: str | None = None
) -> list[Message]:
    """The messages, once there are so many of them."""
    for _ in range(300):
        found = [
            each for each in await messages_of(make, world) if template in {None, each.template}
        ]
        if len(found) >= number:
            return found
        await _soon()
    raise AssertionError(f"fewer than {number} messages within a minute")


async def quiet_now(make: Sessions, world: World) -> None:
    """Contacts who want quiet since an hour ago and until long after this test."""
    clock = datetime.now(ZoneInfo(world.account.time_zone))
    since, until = clock - timedelta(hours=1), clock + timedelta(hours=12)
    async with transaction(make) as session:
        for each in world.contacts:
            contact = await session.get_one(type(each), each.id)
            contact.quiet_from, contact.quiet_until = since.time(), until.time()


@pytest.mark.parametrize("priority", [Priority.CRITICAL, Priority.HIGH])
async def test_a_critical_incident_heeds_no_quiet_hours_and_its_client_is_told_first(
    make: Sessions, working: Working, priority: Priority
) -> None:
    world = await build.client(make, promises=())
    await quiet_now(make, world)
    async with transaction(make) as session:
        await accounts.add_user(
            Tx(session, system(world), T0),
            email=f"d@{world.tenant.id}.example",
            name="D",
            role=Role.DISPATCHER,
        )
        await escalation.set_policy(
            Tx(session, system(world), T0),
            name="At once",
            steps=[StepDraft(after_minutes=0, roles=[Role.DISPATCHER])],
        )
    async with working():
        ticket = await build.incident(make, world, priority=priority, at=datetime.now(UTC))
        found = await written(make, world, 3)
        opened = [each for each in found if each.template == "incident_opened"]
        critical = priority is Priority.CRITICAL
        assert [each.not_before is None for each in opened] == [critical, critical]
        order = [each.template for each in found]
        assert order.index("incident_opened") < order.index("ticket_escalated")
        if critical:
            return
        async with transaction(make) as session:  # it becomes critical: what waits goes at once
            await incidents.change_priority(
                Tx(session, world.staff, datetime.now(UTC)),
                ticket.id,
                priority=Priority.CRITICAL,
                reason="Fire.",
            )
        for _ in range(300):
            found = await messages_of(make, world)
            opened = [each for each in found if each.template == "incident_opened"]
            if all(each.sent_at is not None for each in opened):
                return
            await _soon()
    raise AssertionError([(each.template, each.not_before) for each in found])


async def _soon() -> None:
    await asyncio.sleep(0.2)


async def test_amendments_and_ends_are_announced_and_count_when_the_letter_left_before(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make)
    now = datetime.now(UTC)
    later, last = now + timedelta(hours=1), now + timedelta(hours=3)
    terms = build.terms_draft(world.calendar)
    async with working():
        async with transaction(make) as session:
            for begins in (now, later):
                await agreements.amend(
                    Tx(session, system(world), now),
                    world.agreement.id,
                    in_force_from=begins,
                    terms=terms,
                )
            await agreements.end(
                Tx(session, system(world), now), world.agreement.id, ended_at=last, reason="Moved."
            )
        await quiet(make, world)
    found = await messages_of(make, world)
    assert sorted(each.template for each in found) == [
        *["agreement_amended"] * 4,
        *["agreement_ended"] * 2,
    ]
    async with make() as session:
        begin, end = now - timedelta(hours=1), now + timedelta(hours=9)
        changes = await notice_ratio.amendments(session, world.account.id, begin, end)
        told = await notice_ratio.notices(session, world.account.id, changes, until=end)
    ratio = notice_ratio.ratio_of(changes, told)
    assert (len(changes), ratio.told) == (3, 2)  # what holds at once was not told beforehand


async def test_a_closing_note_is_announced_to_the_client_and_to_finance(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make)
    await known(make, world)
    async with transaction(make) as session:
        await accounts.add_user(
            Tx(session, system(world), T0),
            email=f"f@{world.tenant.id}.example",
            name="F",
            role=Role.FINANCE,
        )
        await agreements.end(
            Tx(session, system(world), T0),
            world.agreement.id,
            reason="Moved.",
            ended_at=datetime(2026, 3, 6, tzinfo=UTC),
        )
        await compensation.close_month(Tx(session, system(world), T0), world.agreement.id, MARCH)
        at = datetime(2026, 4, 2, tzinfo=UTC)
        await invoices.bill(Tx(session, system(world), at), world.agreement.id, MARCH)
        await compensation.grant_goodwill(
            Tx(session, system(world), at), world.agreement.id, cents=700, reason="Sorry."
        )
    async with working():  # the worker finds that April is over and no invoice will come
        found = await written(make, world, 3, template="closing_note")
        assert sorted(each.user_id is None for each in found) == [False, True, True]
        async with transaction(make) as session:
            note = await session.scalar(
                select(CreditNote).where(CreditNote.account_id == world.account.id)
            )
            assert note is not None
            payout = await invoices.pay_out(
                Tx(session, system(world), at),
                note.id,
                amount_cents=note.gross_cents,
                paid_on=MARCH,
                reference="bank-1",
            )
        paid = await written(make, world, 2, template="paid_out")
        async with transaction(make) as session:
            await invoices.reverse_payout(
                Tx(session, system(world), at), payout.id, reason="Of another."
            )
        taken_back = await written(make, world, 2, template="payout_reversed")
    assert all(each.contact_id is not None for each in [*paid, *taken_back])
    told = {"8,47", "8.47"}
    assert all(any(amount in each.body for amount in told) for each in [*paid, *taken_back])


OFFICE = CalendarSpec("Europe/Amsterdam", hours=(((540, 1020),),) * 5 + ((), ()))


async def in_office_hours(make: Sessions, targets: Target, kind: PromiseKind) -> World:
    world = await build.client(make, promises=())
    async with transaction(make) as session:
        office = await calendars.define(Tx(session, system(world), T0), name="office", spec=OFFICE)
        draft = PromiseDraft("office", kind, office.id, {Priority.HIGH: targets})
        agreement = await agreements.sign(
            Tx(session, system(world), T0),
            world.account.id,
            reference=f"{world.agreement.reference}-o",
            title="Office",
            signed_on=date(2025, 12, 1),
            terms=TermsDraft((draft,)),
            in_force_from=datetime(2026, 1, 1, tzinfo=UTC),
        )
    return replace(world, agreement=agreement)


async def test_the_letter_names_closing_time(make: Sessions, working: Working) -> None:
    world = await in_office_hours(make, Target(elapsed_s=8 * 3_600), PromiseKind.FIRST_RESPONSE)
    friday = datetime(2030, 3, 1, 8, tzinfo=UTC)  # 09:00 in Amsterdam, years ahead of the sweeper
    async with working():
        await build.incident(make, world, priority=Priority.HIGH, at=friday)
        found = await written(make, world, 2)
    assert any("vrijdag 1 maart 2030 om 17:00 uur" in each.body for each in found)
    async with make() as session:
        assert await session.get(Account, world.account.id) is not None
