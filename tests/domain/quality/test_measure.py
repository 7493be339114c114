"""Measuring: what verdicts come to per scope and window, what is told, and what earlier knowledge says."""

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from domain import incidents, promises, quality
from domain.access import Actor, Tx
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.evaluator.kernels.scores import Component
from domain.quality import Burn, Measurement, Scope, Window
from domain.quality.actions import SOON
from tests import build
from tests.build import T0, World, minutes

NOW = T0 + timedelta(days=40)


async def answered(
    make: Sessions, world: World, *, at: datetime, after: timedelta, **fields: Any
) -> UUID:
    """A critical ticket acknowledged and resolved so long after it was opened."""
    ticket = await build.incident(make, world, at=at, **fields)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, at + after), ticket.id)
        await incidents.resolve(
            Tx(session, world.staff, at + after + minutes(1)), ticket.id, resolution="Done"
        )
    return ticket.id


async def measure(make: Sessions, world: World, *, at: datetime, dirty: datetime = T0) -> int:
    account, tenant = world.account.id, world.tenant.id
    async with transaction(make) as session:
        await quality.mark(session, tenant, account, dirty_from=dirty, at=at - SOON)
    async with transaction(make) as session:
        taken = [
            t for t in await quality.claim_due(session, at=at, limit=10_000) if t[0] == account
        ]
    async with transaction(make) as session:
        return sum([await quality.measure(session, each, at=at) for each in taken])


async def rows(make: Sessions, world: World, **which: Any) -> list[Measurement]:
    async with make() as session:
        found = await session.scalars(
            select(Measurement).filter_by(account_id=world.account.id, **which)
        )
        return list(found)


async def told(make: Sessions, world: World, kind: str) -> list[Mapping[str, Any]]:
    async with make() as session:
        query = select(LedgerRow.body).where(
            LedgerRow.account_id == world.account.id, LedgerRow.kind == kind
        )
        return list(await session.scalars(query.order_by(LedgerRow.id)))


async def test_a_month_counts_what_was_decided_in_it_for_promise_site_and_account(
    make: Sessions,
) -> None:
    world = await build.client(make)
    for day, late in enumerate((False, False, True)):
        await answered(make, world, at=T0 + timedelta(days=day), after=minutes(20 if late else 10))
    await measure(make, world, at=NOW)

    async with make() as session:
        verdicts = (
            await session.scalars(
                select(promises.Promise).where(
                    promises.Promise.account_id == world.account.id,
                    promises.Promise.decided_at.is_not(None),
                )
            )
        ).all()
    found = {(row.site_id, row.term_id): row for row in await rows(make, world, window="month")}

    for term_id in {verdict.term_id for verdict in verdicts}:
        mine = [verdict for verdict in verdicts if verdict.term_id == term_id]
        row = found[None, term_id]
        kept = sum(verdict.state is promises.State.KEPT for verdict in mine)
        assert (row.n, row.kept, row.ratio) == (len(mine), kept, kept / len(mine))
        assert row.p50_us == sorted(v.elapsed_us for v in mine)[math.ceil(len(mine) / 2) - 1]
    shown = [verdict for verdict in verdicts if not verdict.internal]
    for scope in ((None, None), (world.site.id, None)):
        assert (found[scope].n, found[scope].p50_us) == (len(shown), None)
        assert found[scope].kept == sum(v.state is promises.State.KEPT for v in shown)
    assert len(found) == 2 + len({verdict.term_id for verdict in verdicts})


async def test_contributions_sum_to_the_quality_score_exactly(make: Sessions) -> None:
    world = await build.client(make)
    for day in range(4):
        await answered(make, world, at=T0 + timedelta(days=day), after=minutes(10 + 2 * day))
    await measure(make, world, at=NOW)

    [account] = await rows(make, world, window="month", site_id=None, term_id=None)

    assert account.points_e6 is not None
    assert 0 < account.points_e6 < 100_000_000
    assert sum(account.contributions_e6.values()) == account.points_e6
    assert set(account.contributions_e6) == {"incidents", "reports"}
    assert account.coverage_ppm == 300_000


async def test_four_promises_are_too_few_for_a_score(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(1)), ticket.id)
    await measure(make, world, at=T0 + minutes(2))

    [account] = await rows(make, world, window="month", site_id=None, term_id=None)

    assert account.n == 1
    assert (account.points_e6, account.contributions_e6, account.change_e6) == (None, {}, None)


async def test_the_trend_is_the_change_since_the_month_before(make: Sessions) -> None:
    world = await build.client(make)
    for day in range(4):
        await answered(make, world, at=T0 + timedelta(days=day), after=minutes(20))
        await answered(make, world, at=T0 + timedelta(days=31 + day), after=minutes(10))
    await measure(make, world, at=NOW)

    found = await rows(make, world, window="month", site_id=None, term_id=None)
    march, april = sorted(found, key=lambda row: row.from_at)

    assert march.change_e6 is None
    assert march.points_e6 is not None
    assert april.points_e6 is not None
    assert april.change_e6 == april.points_e6 - march.points_e6 > 0


async def test_days_and_months_are_those_of_the_accounts_zone(make: Sessions) -> None:
    world = await build.client(make)
    before_midnight = datetime(2026, 3, 31, 21, 50, tzinfo=UTC)  # 23:50 in summer time
    await answered(make, world, at=before_midnight, after=minutes(15))  # decided on 1 April
    await measure(make, world, at=NOW)

    [month] = await rows(make, world, window="month", site_id=None, term_id=None)
    [day] = await rows(make, world, window="day", site_id=None, term_id=None)

    midnight = datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert (month.from_at, day.from_at) == (midnight, midnight)


async def test_the_input_hash_can_be_made_from_the_clock_facts(make: Sessions) -> None:
    world = await build.client(make)
    await answered(make, world, at=T0, after=minutes(10))
    await measure(make, world, at=NOW)
    async with make() as session:
        first = select(promises.Promise).where(
            promises.Promise.account_id == world.account.id,
            promises.Promise.name == "first_response",
        )
        promise = (await session.scalars(first)).one()
        events = (
            await session.execute(
                select(LedgerRow.kind, LedgerRow.at)
                .where(
                    LedgerRow.subject_id == promise.incident_id,
                    LedgerRow.kind.in_(promises.clock_event_kinds()),
                )
                .order_by(LedgerRow.at, LedgerRow.id)
            )
        ).all()
    # START, STOP, and STOP once more: a resolution answers what nobody acknowledged; critical is 0
    codes = {"incident.opened": 1, "incident.acknowledged": 2, "incident.resolved": 2}
    mine = [(codes[kind], at) for kind, at in events if kind in codes]

    [row] = await rows(make, world, window="day", term_id=promise.term_id)

    digest = hashlib.sha256(promise.term_id.bytes + promise.unit_id.bytes)
    digest.update(len(mine).to_bytes(8, "little"))
    for _, at in mine:
        digest.update(round(at.timestamp() * 1_000_000).to_bytes(8, "little"))
    digest.update(bytes(code for code, _ in mine))
    assert row.input_sha256 == digest.digest()
    assert row.evaluator == promises.EVALUATOR
    assert row.terms_ids == [promise.terms_id]
    assert row.calendar_version_ids == [world.calendar.id]


async def test_measuring_again_without_news_writes_and_tells_nothing(make: Sessions) -> None:
    world = await build.client(make)
    await answered(make, world, at=NOW - timedelta(days=1), after=minutes(10))
    await measure(make, world, at=NOW)
    before = await told(make, world, "quality.changed")

    await measure(make, world, at=NOW + timedelta(seconds=5))

    assert len(before) == 2  # the account and its site
    assert await told(make, world, "quality.changed") == before


async def test_a_revised_verdict_changes_the_month_it_belonged_to(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await answered(make, world, at=T0, after=minutes(10))
    for day in range(3):
        await answered(make, world, at=T0 + timedelta(days=day, hours=1), after=minutes(10))
    await measure(make, world, at=NOW)
    [before] = await rows(make, world, window="month", site_id=None, term_id=None)
    async with transaction(make) as session:
        await incidents.reopen(Tx(session, world.staff, T0 + minutes(30)), ticket, reason="Again")
        await incidents.resolve(
            Tx(session, world.staff, T0 + timedelta(hours=9)), ticket, resolution="Now"
        )

    await measure(make, world, at=NOW + minutes(1))

    [after] = await rows(make, world, window="month", site_id=None, term_id=None)
    [fact, _site] = await told(make, world, "quality.changed")
    assert after.kept < before.kept
    assert after.input_sha256 != before.input_sha256
    assert fact["was_e6"] == before.points_e6 > fact["points_e6"] == after.points_e6


async def test_a_cancelled_measurement_disappears(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await answered(make, world, at=T0, after=minutes(10))
    await measure(make, world, at=T0 + timedelta(hours=1))
    async with transaction(make) as session:
        await incidents.reopen(Tx(session, world.staff, T0 + minutes(40)), ticket, reason="No")

    await measure(make, world, at=T0 + timedelta(hours=1))

    names = {row.term_id: row.n for row in await rows(make, world, window="month") if row.term_id}
    async with make() as session:
        undecided = select(promises.Promise.term_id).where(
            promises.Promise.incident_id == ticket, promises.Promise.name == "resolution"
        )
        assert await session.scalar(undecided) not in names


async def test_marks_that_come_while_an_account_is_measured_are_not_lost(make: Sessions) -> None:
    world = await build.client(make)
    who = (world.tenant.id, world.account.id)
    async with transaction(make) as session:
        await quality.mark(session, *who, dirty_from=T0, at=NOW)
    async with transaction(make) as session:
        due = await quality.claim_due(session, at=NOW + timedelta(seconds=1), limit=10_000)
    [mine] = [each for each in due if each.account_id == world.account.id]
    async with transaction(make) as session:
        await quality.mark(session, *who, dirty_from=T0, at=NOW + timedelta(seconds=2))
    async with transaction(make) as session:
        await quality.measure(session, mine, at=NOW + timedelta(seconds=1))

    async with transaction(make) as session:
        again = await quality.claim_due(session, at=NOW + timedelta(seconds=3), limit=10_000)

    assert [each.dirty_from_at for each in again if each.account_id == world.account.id] == [T0]


async def test_a_budget_that_burns_is_told_once_and_again_when_it_stops(make: Sessions) -> None:
    world = await build.client(make)
    for n in range(24):
        await answered(make, world, at=T0 + minutes(2 * n), after=minutes(16))
    burning_at = T0 + minutes(64)

    await measure(make, world, at=burning_at)
    await measure(make, world, at=burning_at + timedelta(seconds=1))
    async with make() as session:
        watched = await session.get_one(quality.Look, world.account.id)
        states = await quality.burning(session, world.client, world.account.id)
    await measure(make, world, at=burning_at + timedelta(days=10))

    async with make() as session:
        name = select(promises.Promise.term_id).where(
            promises.Promise.account_id == world.account.id,
            promises.Promise.name == "first_response",
        )
        term_id = await session.scalar(name.limit(1))
    facts = await told(make, world, "budget.burning")
    mine = [each for each in facts if each["name"] == "first_response"]
    assert [(each["was"], each["state"]) for each in mine] == [("calm", "page"), ("page", "calm")]
    assert (mine[0]["n_30d"], mine[0]["misses_left"], mine[0]["internal"]) == (24, -24, False)
    assert watched.due_at == burning_at + timedelta(seconds=61)
    [state] = [each for each in states if each.term_id == term_id]
    assert state.state is Burn.PAGE


async def test_internal_objectives_count_for_nobody_but_us(make: Sessions) -> None:
    world = await build.client(make)
    await answered(make, world, at=T0, after=minutes(70))
    await measure(make, world, at=NOW)
    [internal] = await rows(make, world, window="month", internal=True)
    [account] = await rows(make, world, window="month", site_id=None, term_id=None)
    scope = Scope(term_id=internal.term_id)

    async with make() as session:
        ask: Any = {"window": Window.MONTH, "at": T0, "now": NOW}
        ours = await quality.compliance(session, world.staff, world.account.id, scope, **ask)
        theirs = await quality.compliance(session, world.client, world.account.id, scope, **ask)
        burns = await quality.burning(session, world.client, world.account.id)

    assert ours is not None
    assert theirs is None
    assert internal.term_id not in {burn.term_id for burn in burns}
    assert account.n == 3  # first response, next update, resolution; not our own objective


async def test_stored_and_measured_on_the_spot_are_the_same(make: Sessions) -> None:
    world = await build.client(make)
    for day in range(5):
        await answered(make, world, at=T0 + timedelta(days=day), after=minutes(9 + 3 * day))
    ask: Any = {"window": Window.MONTH, "at": T0, "now": NOW}
    who = (world.staff, world.account.id, quality.ACCOUNT)

    async with make() as session:
        fresh = await quality.compliance(session, *who, **ask)
    await measure(make, world, at=NOW)
    async with make() as session:
        stored = await quality.compliance(session, *who, **ask)

    assert fresh is not None
    assert stored is not None
    compared = {c.key for c in Measurement.__table__.columns} - {"id", "evaluated_at"}
    assert [getattr(fresh, c) for c in compared] == [getattr(stored, c) for c in compared]


async def test_a_rolling_window_ends_where_it_is_asked_for(make: Sessions) -> None:
    world = await build.client(make)
    for day in range(3):
        await answered(make, world, at=T0 + timedelta(days=day), after=minutes(10))
    async with make() as session:
        found = [
            await quality.compliance(
                session, world.staff, world.account.id, quality.ACCOUNT, Window.LAST_24H,
                at=T0 + timedelta(hours=hours), now=NOW,
            )
            for hours in (12, 30, 96)
        ]  # fmt: skip

    assert [row and row.n for row in found] == [3, 3, None]


async def test_what_was_known_then_is_told_beside_what_is_known_now(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await answered(make, world, at=T0, after=minutes(10))
    await answered(make, world, at=T0 + minutes(3), after=minutes(10))
    async with make() as session:
        known_at = datetime.now(UTC)
        before = await quality.compliance(
            session, world.staff, world.account.id, quality.ACCOUNT, Window.MONTH,
            at=T0, now=known_at,
        )  # fmt: skip
    async with transaction(make) as session:
        await incidents.reopen(Tx(session, world.staff, T0 + minutes(20)), ticket, reason="No")
        await incidents.resolve(
            Tx(session, world.staff, T0 + timedelta(hours=9)), ticket, resolution="Yes"
        )

    async with make() as session:
        both = await quality.restated(
            session, world.staff, world.account.id, quality.ACCOUNT, Window.MONTH,
            at=T0, known_at=known_at, now=datetime.now(UTC),
        )  # fmt: skip

    assert before is not None
    assert both is not None
    assert both.then is not None
    assert both.now is not None
    assert (both.then.n, both.then.kept) == (before.n, before.kept)
    assert both.then.input_sha256 == before.input_sha256
    assert both.now.kept < both.then.kept
    changed = {(each.incident_id, each.was, each.now) for each in both.changed}
    assert (ticket, quality.PartVerdict.KEPT, quality.PartVerdict.LATE) in changed
    assert {each.incident_id for each in both.changed} == {ticket}


async def test_another_clients_measurements_do_not_exist(make: Sessions) -> None:
    world, other = await build.client(make), await build.client(make)
    await answered(make, world, at=T0, after=minutes(10))
    await measure(make, world, at=NOW)

    async with make() as session:
        ask: Any = {"at": T0, "now": NOW}
        who = (other.client, world.account.id)
        assert await quality.compliance(session, *who, quality.ACCOUNT, Window.MONTH, **ask) is None
        assert await quality.benchmark(session, *who, Window.MONTH, **ask) is None
        assert await quality.burning(session, *who) == []
        ask["known_at"] = NOW
        assert await quality.restated(session, *who, quality.ACCOUNT, Window.MONTH, **ask) is None


async def test_weights_are_those_of_the_account_else_its_tier_else_the_company(
    make: Sessions,
) -> None:
    world = await build.client(make)
    boss = Actor.system(world.tenant.id, "test")
    only = {Component.INCIDENTS: 1}
    async with transaction(make) as session:
        await quality.set_policy(Tx(session, boss, NOW), weights={Component.REPORTS: 1})
        await quality.set_policy(
            Tx(session, boss, NOW), tier=world.account.service_tier, risk_limit_bps=5
        )
        company = await quality.policy_of(session, world.account)
        await quality.set_policy(Tx(session, boss, NOW), account_id=world.account.id, weights=only)
        own = await quality.policy_of(session, world.account)

    assert {part for part, weight in company.weights.items() if weight} == {Component.REPORTS}
    assert {part for part, weight in own.weights.items() if weight} == {Component.INCIDENTS}
    assert (company.risk_limit_bps, own.risk_limit_bps) == (5, 5)


async def test_weights_that_are_all_zero_are_refused(make: Sessions) -> None:
    world = await build.client(make)
    async with make() as session:
        with pytest.raises(Refused) as refused:
            await quality.set_policy(
                Tx(session, Actor.system(world.tenant.id, "test"), NOW),
                weights={Component.AUDIT: 0},
            )
    assert refused.value.refusal.code is Code.INVALID


async def test_history_that_was_brought_in_is_measured_from_its_first_verdict(
    make: Sessions,
) -> None:
    world = await build.client(make)
    await answered(make, world, at=T0, after=minutes(10))
    await answered(make, world, at=T0 + timedelta(days=36), after=minutes(10))

    await measure(make, world, at=NOW, dirty=datetime(1970, 1, 1, tzinfo=UTC))
    await measure(make, world, at=NOW, dirty=datetime(1970, 1, 1, tzinfo=UTC))

    months = await rows(make, world, window="month", site_id=None, term_id=None)
    assert sorted(row.from_at.astimezone(ZoneInfo("Europe/Amsterdam")).month for row in months) == [
        3,
        4,
    ]
