"""How often we speak with a client follows tier and activity; what is made plans the next."""

from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import accounts, touchpoints
from domain.access import Actor, Tx
from domain.accounts import Account, CadenceTier
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.parameters import (
    ParameterPlace,
    ParameterScope,
    ParameterTier,
    ParameterUnit,
    ParameterValues,
    set_value,
)
from domain.touchpoints import Activity, Touchpoint, TouchpointKind
from domain.touchpoints.rules import (
    ContactInterval,
    activity_of,
    due_on,
    intervals_of,
)
from tests import build
from tests.build import T0
from workers import reports

FORMAL, CHECK, SOCIAL = (
    TouchpointKind.FORMAL_REVIEW,
    TouchpointKind.CHECK_IN,
    TouchpointKind.SOCIAL,
)
MONDAY = date(2026, 3, 2)
QUARTERLY, HALF_YEARLY, YEARLY = (ContactInterval(months=months) for months in (3, 6, 12))


def interval_of(tier: CadenceTier, kind: TouchpointKind, activity: Activity) -> ContactInterval:
    """The default interval of a tier."""
    scope = ParameterScope(UUID(int=1), UUID(int=2))
    values = ParameterValues({}, {scope.account_id: [ParameterTier(tier.value)]})
    return intervals_of(values, scope, at=T0)[kind, activity]


@pytest.mark.parametrize(
    ("tier", "expected"),
    [
        (CadenceTier.STRATEGIC, (date(2026, 4, 2), date(2026, 3, 9), date(2026, 6, 2))),
        (CadenceTier.CORE, (date(2026, 6, 2), date(2026, 3, 16), date(2026, 9, 2))),
        (CadenceTier.STANDARD, (date(2026, 9, 2), date(2026, 4, 2), date(2027, 3, 2))),
    ],
)
def test_the_tier_says_how_often(tier: CadenceTier, expected: tuple[date, ...]) -> None:
    found = tuple(
        due_on(MONDAY, interval_of(tier, kind, Activity.LONG_TERM))
        for kind in (FORMAL, CHECK, SOCIAL)
    )
    assert found == expected


@pytest.mark.parametrize(
    ("activity", "expected"),
    [
        (Activity.ACTIVE_PROJECT, date(2026, 3, 9)),
        (Activity.LONG_TERM, date(2026, 4, 2)),
        (Activity.INACTIVE, date(2026, 6, 2)),
    ],
)
def test_where_the_tier_leaves_it_open_the_activity_says(
    activity: Activity, expected: date
) -> None:
    assert due_on(MONDAY, interval_of(CadenceTier.STANDARD, CHECK, activity)) == expected


@pytest.mark.parametrize(
    ("worked", "spoken", "expected"),
    [
        (30, None, Activity.ACTIVE_PROJECT),
        (31, None, Activity.LONG_TERM),
        (366, 365, Activity.LONG_TERM),
        (366, 366, Activity.INACTIVE),
        (None, None, Activity.INACTIVE),
        (None, 1, Activity.LONG_TERM),
    ],
)
def test_activity_follows_the_last_work_and_contact(
    worked: int | None, spoken: int | None, expected: Activity
) -> None:
    def ago(days: int | None) -> date | None:
        return None if days is None else MONDAY - timedelta(days=days)

    assert (
        activity_of(last_work_on=ago(worked), last_contact_on=ago(spoken), today=MONDAY) is expected
    )


def test_a_month_later_is_at_most_the_months_last_day() -> None:
    monthly = interval_of(CadenceTier.STRATEGIC, FORMAL, Activity.LONG_TERM)
    assert due_on(date(2026, 1, 31), monthly) == date(2026, 2, 28)
    assert due_on(date(2027, 12, 31), monthly) == date(2028, 1, 31)
    assert due_on(date(2027, 11, 30), QUARTERLY) == date(2028, 2, 29)
    assert due_on(date(2026, 8, 31), HALF_YEARLY) == date(2027, 2, 28)
    assert due_on(date(2028, 2, 29), YEARLY) == date(2029, 2, 28)


async def test_one_of_each_kind_is_open_and_follows_a_change_of_tier(make: Sessions) -> None:
    world = await build.client(make)
    boss = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        first = {
            row.kind: row.due_on for row in await touchpoints.plan(session, world.account, at=T0)
        }
        again = await touchpoints.plan(session, world.account, at=T0 + timedelta(days=3))
        assert {row.kind: row.due_on for row in again} == first
    async with transaction(make) as session:
        account: Account = await accounts.change_account(
            Tx(session, boss, T0), world.account.id, cadence_tier=CadenceTier.STRATEGIC
        )
        after = await touchpoints.plan(session, account, at=T0 + timedelta(days=3))
    assert {row.kind: row.due_on for row in after}[CHECK] == MONDAY + timedelta(days=7)
    assert len(after) == 3


async def test_an_interval_of_the_account_moves_the_open_touchpoint(make: Sessions) -> None:
    world = await build.client(make)
    boss = Actor.system(world.tenant.id, "test")
    name, at = "touchpoints.check_in", T0 + timedelta(days=1)
    async with transaction(make) as session:
        await touchpoints.plan(session, world.account, at=T0)
        for place, days in (
            (ParameterPlace(tier=ParameterTier.STANDARD), 20),
            (ParameterPlace(account_id=world.account.id), 5),
        ):
            await set_value(
                Tx(session, boss, at), name, numbers=[days], unit=ParameterUnit.DAYS, place=place
            )
            before = await touchpoints.plan(session, world.account, at=at - timedelta(hours=1))
            assert {row.kind: row.due_on for row in before}[CHECK] == date(2026, 6, 2)
            after = await touchpoints.plan(session, world.account, at=at)
            assert {row.kind: row.due_on for row in after}[CHECK] == MONDAY + timedelta(days=days)


async def test_a_made_contact_plans_the_next_and_is_remembered_of_the_person(
    make: Sessions,
) -> None:
    world = await build.client(make)
    boss = Actor.system(world.tenant.id, "test")
    at = T0 + timedelta(days=10)
    async with transaction(make) as session:
        rows = await touchpoints.plan(session, world.account, at=T0)
        check = next(row for row in rows if row.kind is CHECK)
        person = world.contacts[0].id
        await touchpoints.complete(Tx(session, boss, at), check.id, contact_id=person)
    async with make() as session:
        found = await session.scalars(
            select(Touchpoint)
            .where(Touchpoint.account_id == world.account.id, Touchpoint.kind == CHECK)
            .order_by(Touchpoint.anchor_on)
        )
        done, following = found.all()
        fact = (
            await session.scalars(select(LedgerRow).where(LedgerRow.subject_id == check.id))
        ).one()
    assert (done.done_at, done.contact_id) == (at, person)
    # The conversation itself makes the client a long-term one: the next is a month later.
    assert (following.anchor_on, following.due_on) == (date(2026, 3, 12), date(2026, 4, 12))
    assert (fact.kind, fact.body["internal"]) == ("touchpoint.made", True)
    assert fact.body["last_contact_at_before"] is None


async def test_a_contact_of_another_client_is_refused(make: Sessions) -> None:
    world, other = await build.client(make), await build.client(make)
    boss = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        [row, *_] = await touchpoints.plan(session, world.account, at=T0)
    async with make() as session:
        with pytest.raises(Refused) as no:
            await touchpoints.complete(
                Tx(session, boss, T0), row.id, contact_id=other.contacts[0].id
            )
        with pytest.raises(Refused) as not_theirs:
            await touchpoints.complete(
                Tx(session, Actor.system(other.tenant.id, "test"), T0), row.id
            )
    assert no.value.refusal.code is not_theirs.value.refusal.code is Code.NOT_FOUND


async def test_all_clients_are_planned_page_by_page(
    make: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    worlds = [await build.client(make, contacts=0) for _ in range(3)]
    monkeypatch.setattr(reports, "ACCOUNTS", 2)
    await reports.plan_all(make, at=T0)
    async with transaction(make) as session:
        mine = await session.scalars(
            select(Touchpoint.account_id).where(
                Touchpoint.account_id.in_([world.account.id for world in worlds])
            )
        )
        assert len(mine.all()) == 9
