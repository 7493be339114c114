"""The time of a report is that of the parameters on its day; a change makes no report late, nor moves a made one."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import select

from domain import accounts, parameters, reports
from domain.access import Actor, Tx
from domain.accounts import ServiceTier
from domain.core.db import Sessions, transaction
from domain.parameters import ParameterPlace, ParameterTier, ParameterUnit
from domain.reports import Cadence, Report, ReportPlan
from tests import build
from tests.build import T0, World

HOUR, COMPANY = timedelta(hours=1), ParameterPlace()
EIGHT = datetime(2026, 3, 3, 7, tzinfo=UTC)  # Amsterdam, winter


async def plan_of(make: Sessions, world: World, cadence: Cadence = Cadence.DAILY) -> ReportPlan:
    async with make() as session:
        found = await session.scalars(
            select(ReportPlan).where(
                ReportPlan.account_id == world.account.id, ReportPlan.cadence == cadence
            )
        )
        return found.one()


async def put(
    make: Sessions,
    world: World,
    minutes: int,
    *,
    at: datetime,
    place: ParameterPlace = COMPANY,
    valid_from: datetime | None = None,
) -> None:
    """Set the time of daily reports, as the API does, and follow the fact, as a worker does."""
    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        await parameters.set_value(
            Tx(session, system, at),
            "reports.daily_time",
            numbers=(minutes,),
            unit=ParameterUnit.MINUTES_AFTER_MIDNIGHT,
            place=place,
            valid_from=valid_from,
        )
    async with transaction(make) as session:
        await reports.schedule_again(session, world.tenant.id, place.account_id, at=at)


async def made(make: Sessions, plan: ReportPlan, at: datetime) -> Report:
    async with transaction(make) as session:
        report = await reports.make_next(session, plan.id, at=at)
    assert report is not None
    return report


async def planned(make: Sessions) -> World:
    world = await build.client(make)
    async with transaction(make) as session:
        await reports.adopt(session, at=T0, only=world.account.id)
    return world


async def test_a_new_time_moves_the_next_report_forward_and_back(make: Sessions) -> None:
    world = await planned(make)
    await put(make, world, 6 * 60, at=T0)
    assert (await plan_of(make, world)).look_at == EIGHT - 2 * HOUR - timedelta(minutes=15)
    await put(make, world, 9 * 60, at=T0 + HOUR)
    plan = await plan_of(make, world)
    assert (plan.local_time, plan.look_at) == (time(9), EIGHT + HOUR - timedelta(minutes=15))
    weekly = await plan_of(make, world, Cadence.WEEKLY)
    assert (weekly.local_time, weekly.weekday) == (time(8, 30), 0)


async def test_a_time_that_is_over_counts_for_the_report_after(make: Sessions) -> None:
    world = await planned(make)
    await put(make, world, 6 * 60, at=EIGHT - HOUR)
    plan = await plan_of(make, world)
    assert (plan.local_time, plan.look_at) == (time(8), EIGHT - timedelta(minutes=15))
    report = await made(make, plan, plan.look_at)
    assert report.due_at == EIGHT
    plan = await plan_of(make, world)
    assert (plan.next_on, plan.local_time) == (date(2026, 3, 3), time(6))


async def test_a_made_report_stays_due_when_it_was(make: Sessions) -> None:
    world = await planned(make)
    plan = await plan_of(make, world)
    report = await made(make, plan, plan.look_at)
    await put(make, world, 10 * 60, at=plan.look_at + timedelta(minutes=1))
    async with make() as session:
        assert (await session.get_one(Report, report.id)).due_at == EIGHT
    assert (await plan_of(make, world)).local_time == time(10)


async def test_a_value_that_is_planned_counts_from_its_day_on(make: Sessions) -> None:
    world = await planned(make)
    begins = datetime(2026, 3, 3, 23, tzinfo=UTC)  # midnight of the fourth in Amsterdam
    await put(make, world, 7 * 60, at=T0, valid_from=begins)
    first = await made(make, plan := await plan_of(make, world), plan.look_at)
    second = await made(make, plan := await plan_of(make, world), plan.look_at)
    assert (first.due_at, second.due_at) == (EIGHT, EIGHT + 23 * HOUR)


async def test_the_time_of_a_tier_counts_when_an_account_joins_it(make: Sessions) -> None:
    world = await planned(make)
    await put(make, world, 6 * 60, at=T0, place=ParameterPlace(tier=ParameterTier.PREMIUM))
    assert (await plan_of(make, world)).local_time == time(8)
    async with transaction(make) as session:
        await accounts.change_account(
            Tx(session, Actor.system(world.tenant.id, "test"), T0),
            world.account.id,
            service_tier=ServiceTier.PREMIUM,
        )
        changed = await reports.schedule_again(session, world.tenant.id, world.account.id, at=T0)
    assert (changed, (await plan_of(make, world)).local_time) == (1, time(6))
