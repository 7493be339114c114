"""Limits of promises: the most specific one applies, and two that may clash are refused."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from time import perf_counter
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, event, func, select, update

from domain import accounts, agreements, calendars, promises
from domain.access import Actor, Tx
from domain.agreements import (
    Priority,
    PromiseDraft,
    PromiseKind,
    Target,
    Terms,
    TermsDraft,
    TicketKind,
    limits,
)
from domain.calendars import CalendarSpec, hours_overlap, is_open
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.promises import Promise
from domain.promises.model import PromiseWatch
from tests import build
from tests.build import T0

pytestmark = pytest.mark.anyio

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def daily(*hours: tuple[str, str]) -> CalendarSpec:
    spans = [list(span) for span in hours]
    return CalendarSpec.from_dict({"zone": "Europe/Amsterdam", "hours": dict.fromkeys(WEEK, spans)})


NIGHT, DAY = daily(("00:00", "06:00"), ("22:00", "24:00")), daily(("06:00", "22:00"))
EVENING = datetime(2026, 3, 2, 22, 30, tzinfo=UTC)


def response(world: build.World, name: str, minutes: int, **limits: Any) -> PromiseDraft:
    draft = PromiseDraft(
        name,
        PromiseKind.FIRST_RESPONSE,
        world.calendar.id,
        {priority: Target(elapsed_s=minutes * 60) for priority in Priority},
    )
    return replace(draft, **limits)


async def amend(make: Sessions, world: build.World, *drafts: PromiseDraft) -> None:
    async with transaction(make) as session:
        await agreements.amend(
            Tx(session, Actor.system(world.tenant.id, "test"), T0),
            world.agreement.id,
            in_force_from=datetime(2026, 2, 1, tzinfo=UTC),
            terms=TermsDraft(drafts),
        )


async def second_site(make: Sessions, world: build.World) -> UUID:
    async with transaction(make) as session:
        system = Actor.system(world.tenant.id, "test")
        site = await accounts.add_site(Tx(session, system, T0), world.account.id, name="Loods")
    return site.id


async def calendar(make: Sessions, world: build.World, name: str, spec: CalendarSpec) -> UUID:
    async with transaction(make) as session:
        system = Actor.system(world.tenant.id, "test")
        version = await calendars.define(Tx(session, system, T0), name=name, spec=spec)
    return version.id


async def names(make: Sessions, incident_id: UUID) -> list[str]:
    async with make() as session:
        found = await session.scalars(
            select(Promise.name).where(Promise.incident_id == incident_id).order_by(Promise.name)
        )
        return list(found)


async def limited(make: Sessions, world: build.World) -> UUID:
    """Amend the agreement: one promise limited in each way, and an internal objective without limits."""
    warehouse = await second_site(make, world)
    night = await calendar(make, world, "night", NIGHT)
    await amend(
        make,
        world,
        response(world, "general", 240),
        response(world, "alarms", 60, ticket_kinds=(TicketKind.ALARM,)),
        response(world, "nights", 120, hours_id=night),
        response(world, "fire", 15, category="fire"),
        response(world, "reception", 20, services=frozenset({"reception", "concierge"})),
        response(world, "reception_fire", 10, services=frozenset({"reception"}), category="fire"),
        response(world, "warehouse", 30, site_ids=frozenset({warehouse})),
        response(world, "warehouse_fire", 5, site_ids=frozenset({warehouse}), category="fire"),
        response(world, "objective", 5, internal=True),
    )
    return warehouse


async def test_the_most_specific_promise_applies(make: Sessions) -> None:
    world = await build.client(make)
    warehouse = await limited(make, world)
    there = replace(world, site=await site_row(make, warehouse))
    cases: list[tuple[build.World, dict[str, Any], datetime, str]] = [
        (world, {}, T0, "general"),
        (world, {"kind": TicketKind.ALARM}, T0, "alarms"),
        (world, {"kind": TicketKind.ALARM}, EVENING, "nights"),
        (world, {"category": "fire"}, EVENING, "fire"),
        (world, {"category": "theft"}, T0, "general"),
        (world, {"service": "reception", "kind": TicketKind.ALARM}, EVENING, "reception"),
        (world, {"service": "concierge", "category": "fire"}, T0, "reception"),
        (world, {"service": "reception", "category": "fire"}, T0, "reception_fire"),
        (world, {"service": "patrol"}, T0, "general"),
        (there, {"service": "reception"}, T0, "warehouse"),
        (there, {"kind": TicketKind.ALARM}, EVENING, "warehouse"),
        (there, {"category": "fire"}, T0, "warehouse_fire"),
    ]
    for at_site, fields, at, expected in cases:
        incident = await build.incident(make, at_site, at=at, **fields)
        assert await names(make, incident.id) == sorted([expected, "objective"]), fields


async def site_row(make: Sessions, site_id: UUID) -> accounts.Site:
    async with make() as session:
        return await session.get_one(accounts.Site, site_id)


async def test_incidents_in_bulk_get_the_promises_that_they_get_one_by_one(make: Sessions) -> None:
    world = await build.client(make)
    there = replace(world, site=await site_row(make, await limited(make, world)))
    opened = [
        await build.incident(make, at_site, at=at, kind=kind, category=category, service=service)
        for at_site in (world, there)
        for at in (T0, EVENING)
        for kind in (TicketKind.ALARM, TicketKind.INCIDENT)
        for category in (None, "fire")
        for service in (None, "reception")
    ]
    query = select(PromiseWatch.unit_id, PromiseWatch.term_ids).where(
        PromiseWatch.tenant_id == world.tenant.id
    )
    async with transaction(make) as session:
        online = {row.unit_id: row.term_ids for row in await session.execute(query)}
        await session.execute(delete(PromiseWatch).where(PromiseWatch.tenant_id == world.tenant.id))
        await promises.attach(session, world.tenant.id)
        bulk = {row.unit_id: row.term_ids for row in await session.execute(query)}
    assert len({tuple(terms) for terms in online.values()}) == 8
    assert bulk == online
    assert bulk.keys() == {incident.id for incident in opened}


async def test_terms_signed_under_the_first_rule_keep_it(make: Sessions) -> None:
    world = await build.client(make)
    await amend(
        make,
        world,
        response(world, "general", 240),
        response(world, "alarms", 60, ticket_kinds=(TicketKind.ALARM,)),
        response(world, "fire", 15, category="fire"),
    )
    async with transaction(make) as session:
        await session.execute(
            update(Terms).where(Terms.agreement_id == world.agreement.id).values(rule=1)
        )
    alarm = await build.incident(make, world, kind=TicketKind.ALARM)
    fire = await build.incident(make, world, kind=TicketKind.ALARM, category="fire")
    assert await names(make, alarm.id) == ["alarms", "general"]
    assert await names(make, fire.id) == ["fire"]


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        ({}, {}, True),
        ({}, {"category": "fire"}, False),
        ({}, {"internal": True}, False),
        ({"category": "fire"}, {"category": "theft"}, False),
        ({"category": "fire"}, {"category": "fire"}, True),
        ({"ticket_kinds": ("alarm", "incident")}, {"ticket_kinds": ("incident",)}, True),
        ({"ticket_kinds": ("alarm",)}, {"ticket_kinds": ("incident",)}, False),
        ({"services": frozenset({"reception"})}, {"services": frozenset({"patrol"})}, False),
        (
            {"services": frozenset({"reception", "patrol"})},
            {"services": frozenset({"patrol"})},
            True,
        ),
        ({"services": frozenset({"reception"})}, {}, False),
        ({"sites": "both"}, {"sites": "second"}, True),
        ({"sites": "first"}, {"sites": "second"}, False),
        ({"hours": "night"}, {"hours": "day"}, False),
        ({"hours": "night"}, {"hours": "always"}, True),
    ],
)
async def test_promises_that_may_apply_to_one_incident_are_refused(
    make: Sessions, one: dict[str, Any], other: dict[str, Any], clash: bool
) -> None:
    world = await build.client(make)
    second = await second_site(make, world)
    sites = {"first": {world.site.id}, "second": {second}, "both": {world.site.id, second}}
    hours = {
        "night": await calendar(make, world, "night", NIGHT),
        "day": await calendar(make, world, "day", DAY),
        "always": world.calendar.id,
    }

    def draft(name: str, limits: dict[str, Any]) -> PromiseDraft:
        given = dict(limits)
        if "sites" in given:
            given["site_ids"] = frozenset(sites[str(given.pop("sites"))])
        if "hours" in given:
            given["hours_id"] = hours[str(given.pop("hours"))]
        return response(world, name, 60, **given)

    drafts = draft("quick", one), draft("slow", other)
    if not clash:
        await amend(make, world, *drafts)
        return
    with pytest.raises(Refused) as no:
        await amend(make, world, *drafts)
    assert no.value.refusal.code is Code.TERMS_OVERLAP
    assert "'quick'" in str(no.value)
    assert "'slow'" in str(no.value)


async def test_a_site_of_another_client_is_unknown(make: Sessions) -> None:
    world, other = await build.client(make), await build.client(make)
    with pytest.raises(Refused) as no:
        await amend(make, world, response(world, "there", 60, site_ids=frozenset({other.site.id})))
    assert (no.value.refusal.code, no.value.refusal.argument) == (Code.NOT_FOUND, "siteIds")


async def test_promises_are_limited_to_the_hours_of_few_calendars(make: Sessions) -> None:
    world = await build.client(make)
    versions = [
        await calendar(make, world, f"hours {n}", NIGHT) for n in range(limits.MOST_HOURS + 1)
    ]
    with pytest.raises(Refused) as no:
        await amend(
            make,
            world,
            *(
                response(world, f"p{n}", 60, category=f"c{n}", hours_id=each)
                for n, each in enumerate(versions)
            ),
        )
    assert (no.value.refusal.code, no.value.refusal.argument) == (Code.INVALID, "promises")


def test_many_promises_are_checked_in_time_proportional_to_their_number() -> None:
    def seconds(count: int) -> float:
        drafts = [
            PromiseDraft(
                f"p{n}",
                PromiseKind.RESOLUTION,
                UUID(int=0),
                {},
                category=f"c{n}",
                site_ids=frozenset({UUID(int=n)}),
            )
            for n in range(count)
        ]
        started = perf_counter()
        limits.must_not_overlap(drafts, {})
        return perf_counter() - started

    few, many = (min(seconds(count) for _ in range(5)) for count in (100, 1_000))
    assert many < 40 * few  # comparing each with each took 100 times as long


async def test_limits_to_hours_add_no_statement_for_each_imported_incident(make: Sessions) -> None:
    world = await build.client(make)
    await limited(make, world)
    engine = make.kw["bind"].sync_engine

    async def statements(count: int) -> int:
        for n in range(count):
            await build.incident(make, world, at=EVENING + timedelta(minutes=n))
        async with transaction(make) as session:
            own = PromiseWatch.tenant_id == world.tenant.id
            await session.execute(delete(PromiseWatch).where(own))
            sent: list[str] = []
            note = lambda *sql: sent.append(sql[2])  # noqa: E731 - listened to and removed by identity
            event.listen(engine, "before_cursor_execute", note)
            try:
                await promises.attach(session, world.tenant.id)
            finally:
                event.remove(engine, "before_cursor_execute", note)
            assert (await session.scalar(select(func.count()).where(own)) or 0) >= count
        return len(sent)

    assert await statements(2) == await statements(20)


def test_hours_are_open_from_their_beginning_until_before_their_end() -> None:
    midnight = datetime.combine(T0.date(), time(), UTC)
    for spec, hour, expected in [
        (NIGHT, 20, False),  # 21:00 in Amsterdam
        (NIGHT, 21, True),
        (NIGHT, 5, False),
        (DAY, 5, True),
        (DAY, 21, False),
        (build.ROUND_THE_CLOCK, 3, True),
    ]:
        assert is_open(spec, midnight + timedelta(hours=hour)) is expected, hour
    assert not hours_overlap(NIGHT, DAY)
    assert hours_overlap(NIGHT, NIGHT)
    assert hours_overlap(DAY, build.ROUND_THE_CLOCK)
