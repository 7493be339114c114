"""Reports are made once per client, cadence and period, at the client's own time, and followed until they arrive."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from sqlalchemy import func, select, update

from domain import accounts, incidents, reports
from domain.access import Actor, Tx
from domain.accounts import Account
from domain.agreements import Priority
from domain.compensation.model import Credit
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.messages import Enclosure, Message, MessageState
from domain.reports import Cadence, Content, Report, ReportPlan
from domain.reports.model import Report as ReportRow
from tests import build
from tests.build import T0, World

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


async def planned(make: Sessions, world: World, at: datetime = T0) -> dict[Cadence, ReportPlan]:
    async with transaction(make) as session:
        await reports.adopt(session, at=at)
    async with make() as session:
        rows = await session.scalars(
            select(ReportPlan).where(ReportPlan.account_id == world.account.id)
        )
        return {row.cadence: row for row in rows}


async def made(make: Sessions, plan: ReportPlan, at: datetime) -> Report | None:
    async with transaction(make) as session:
        return await reports.make_next(session, plan.id, at=at)


async def facts_of(make: Sessions, report: Report) -> list[str]:
    async with make() as session:
        found = await session.scalars(
            select(LedgerRow.kind).where(LedgerRow.subject_id == report.id).order_by(LedgerRow.id)
        )
        return list(found)


async def letters(make: Sessions, report: Report) -> Sequence[Message]:
    async with make() as session:
        found = await session.scalars(
            select(Message)
            .where(Message.intent == f"report:{report.id}")
            .order_by(Message.language)
        )
        return found.all()


async def followed(make: Sessions, report: Report, *, at: datetime) -> ReportRow:
    async with transaction(make) as session:
        await session.execute(update(ReportRow).where(ReportRow.id == report.id).values(look_at=at))
        await reports.follow(session, at=at)
    async with make() as session:
        return await session.get_one(ReportRow, report.id)


async def test_a_client_under_agreement_gets_reports_at_eight_and_on_monday_at_half_past(
    make: Sessions,
) -> None:
    world = await build.client(make)
    plans = await planned(make, world)
    assert {c: (p.local_time, p.weekday, p.next_on) for c, p in plans.items()} == {
        Cadence.DAILY: (time(8), 0, date(2026, 3, 2)),
        Cadence.WEEKLY: (time(8, 30), 0, date(2026, 3, 2)),
    }
    looks = {c: p.look_at.astimezone(AMSTERDAM) for c, p in plans.items()}
    assert looks[Cadence.DAILY] == datetime(2026, 3, 3, 7, 45, tzinfo=AMSTERDAM)
    assert looks[Cadence.WEEKLY] == datetime(2026, 3, 9, 8, 15, tzinfo=AMSTERDAM)


async def test_a_report_tells_what_happened_and_goes_to_each_contact_in_its_language(
    make: Sessions,
) -> None:
    world = await build.client(make)
    plan = (await planned(make, world))[Cadence.DAILY]
    ticket = await build.incident(make, world, priority=Priority.HIGH)
    async with transaction(make) as session:
        await incidents.acknowledge(
            Tx(session, world.staff, T0 + timedelta(minutes=90)), ticket.id
        )  # 30 minutes late

    report = await made(make, plan, plan.look_at)

    assert report is not None
    content = msgspec.convert(report.content, Content)
    assert (content.figures.opened, content.figures.late, content.open_now) == (1, 3, 1)
    told = await letters(make, report)
    assert [letter.language for letter in told] == ["en", "nl"]
    assert told[0].subject.startswith("None of 3 promises kept")
    assert told[1].subject.startswith("Geen van de 3 afspraken nagekomen")
    assert told[1].html is not None
    assert "cid:chart1-nl" in told[1].html
    async with make() as session:
        files = await session.scalars(
            select(Enclosure.name)
            .where(Enclosure.message_id == told[1].id)
            .order_by(Enclosure.position)
        )
        assert files.all() == ["chart1-nl.png", "daily-2026-03-02-nl.pdf"]


async def test_many_workers_make_one_report_once(make: Sessions) -> None:
    world = await build.client(make)
    plan = (await planned(make, world))[Cadence.DAILY]

    found = await asyncio.gather(*(made(make, plan, plan.look_at) for _ in range(4)))
    again = await made(make, plan, plan.look_at)

    assert sum(report is not None for report in found) == 1
    assert again is None
    async with make() as session:
        n = await session.scalar(select(func.count()).where(Report.account_id == world.account.id))
    assert n == 1


async def test_a_worker_that_dies_while_making_leaves_nothing_and_the_next_one_makes_it(
    make: Sessions,
) -> None:
    world = await build.client(make)
    plan = (await planned(make, world))[Cadence.DAILY]

    with pytest.raises(ZeroDivisionError):
        await die_while_making(make, plan)
    report = await made(make, plan, plan.look_at + timedelta(hours=2))

    assert report is not None
    assert report.first_on == date(2026, 3, 2)
    assert len(await letters(make, report)) == 2


async def die_while_making(make: Sessions, plan: ReportPlan) -> None:
    async with transaction(make) as session:
        await reports.make_next(session, plan.id, at=plan.look_at)
        raise ZeroDivisionError  # before the commit, as a kill would


async def test_after_days_of_standstill_every_day_gets_its_report(make: Sessions) -> None:
    world = await build.client(make, contacts=0)
    plan = (await planned(make, world))[Cadence.DAILY]
    back = plan.look_at + timedelta(days=3)

    days = []
    while (report := await made(make, plan, back)) is not None:
        days.append(report.first_on)
        assert (await followed(make, report, at=back)).delivered_at == back

    assert days == [date(2026, 3, 2 + n) for n in range(4)]


@pytest.mark.parametrize(("first", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
async def test_across_a_change_of_the_clock_reports_stay_at_eight(
    make: Sessions, first: date, hours: int
) -> None:
    world = await build.client(make, contacts=0)
    begin = datetime.combine(first - timedelta(days=1), time(12), tzinfo=UTC)
    plan = (await planned(make, world, at=begin))[Cadence.DAILY]
    found = []
    for day in range(1, 5):
        at = datetime.combine(first + timedelta(days=day), time(7, 45), tzinfo=AMSTERDAM)
        while (report := await made(make, plan, at)) is not None:
            found.append(report)
    assert [report.first_on - first for report in found] == [timedelta(n) for n in range(-1, 4)]
    assert {report.due_at.astimezone(AMSTERDAM).time() for report in found} == {time(8)}
    assert found[1].until_at - found[1].from_at == timedelta(hours=hours)


async def test_a_report_is_delivered_with_its_last_letter_and_without_a_promise_has_no_verdict(
    make: Sessions,
) -> None:
    world = await build.client(make)
    plan = (await planned(make, world))[Cadence.DAILY]
    async with transaction(make) as session:  # as it could be set before the terms gave this credit
        await session.execute(
            update(ReportPlan).where(ReportPlan.id == plan.id).values(late_credit_cents=1_500)
        )
    report = await made(make, plan, plan.look_at)
    assert report is not None
    late = await followed(make, report, at=report.due_at + timedelta(hours=1))
    assert (late.delivered_at, late.verdict) == (None, None)
    assert late.look_at is not None

    last = report.due_at + timedelta(hours=1)
    await arrive(make, report, report.due_at, last)
    come = await followed(make, report, at=report.due_at + timedelta(hours=2))

    assert (come.delivered_at, come.verdict, come.look_at) == (last, None, None)
    assert await facts_of(make, report) == ["report.made", "report.delivered"]
    async with make() as session:
        said = await reports.punctuality(
            session, world.staff, world.account.id, from_at=T0, until_at=T0 + timedelta(days=2)
        )
        given = await session.scalars(select(Credit).where(Credit.account_id == world.account.id))
        assert given.all() == []
    assert (said.due, said.kept, said.late) == (1, 0, 0)


async def arrive(make: Sessions, report: Report, *instants: datetime) -> None:
    async with transaction(make) as session:
        for letter, at in zip(await letters(make, report), instants, strict=True):
            await session.execute(
                update(Message)
                .where(Message.id == letter.id)
                .values(state=MessageState.SENT, sent_at=at)
            )


async def test_a_plan_is_changed_switched_off_and_on_again(make: Sessions) -> None:
    world = await build.client(make)
    boss = Actor.system(world.tenant.id, "test")
    await planned(make, world)
    how: dict[str, Any] = {"at": T0 + timedelta(days=10)}
    async with transaction(make) as session:
        off = await reports.set_plan(
            session, boss, world.account.id, Cadence.DAILY, enabled=False, **how
        )
        assert not off.enabled
    assert off.id not in await due(make, T0 + timedelta(days=10))
    async with transaction(make) as session:
        on = await reports.set_plan(
            session, boss, world.account.id, Cadence.DAILY,
            enabled=True, local_time=time(6, 30), **how,
        )  # fmt: skip
    assert (on.next_on, on.local_time) == (date(2026, 3, 12), time(6, 30))
    assert on.look_at == datetime(2026, 3, 13, 5, 15, tzinfo=UTC)


async def due(make: Sessions, at: datetime) -> Sequence[Any]:
    async with make() as session:
        return await reports.due(session, at=at, limit=1000)


async def test_nobody_plans_for_a_client_that_is_not_theirs(make: Sessions) -> None:
    world, other = await build.client(make), await build.client(make)
    async with make() as session:
        with pytest.raises(Refused) as no:
            await reports.set_plan(
                session, Actor.system(other.tenant.id, "test"), world.account.id, Cadence.DAILY,
                at=T0,
            )  # fmt: skip
        with pytest.raises(Refused) as not_allowed:
            await reports.set_plan(
                session, world.client, world.account.id, Cadence.DAILY, enabled=False, at=T0
            )
    assert (no.value.refusal.code, not_allowed.value.refusal.code) == (
        Code.NOT_FOUND,
        Code.NOT_ALLOWED,
    )


async def test_a_client_without_an_agreement_gets_no_reports(make: Sessions) -> None:
    world = await build.client(make)
    async with transaction(make) as session:
        bare: Account = await accounts.create_account(
            Tx(session, Actor.system(world.tenant.id, "test"), T0), name="Nog geen klant"
        )
        await reports.adopt(session, at=T0)
        n = await session.scalar(select(func.count()).where(ReportPlan.account_id == bare.id))
    assert n == 0


async def test_a_report_that_is_switched_off_first_of_all_leaves_the_other_one(
    make: Sessions,
) -> None:
    world = await build.client(make)
    boss = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:  # before any worker has planned the default reports
        await reports.set_plan(session, boss, world.account.id, Cadence.DAILY, enabled=False, at=T0)
    plans = await planned(make, world)
    assert {cadence: plan.enabled for cadence, plan in plans.items()} == {
        Cadence.DAILY: False,
        Cadence.WEEKLY: True,
    }
    found = await due(make, plans[Cadence.WEEKLY].look_at)
    assert plans[Cadence.WEEKLY].id in found
    assert plans[Cadence.DAILY].id not in found
