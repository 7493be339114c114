"""Rounds: visited, missed, late, out of order, too fast, uploaded days later in any order, and under promise."""

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import compensation, patrols, promises
from domain.agreements import PromiseKind
from domain.compensation.model import Credit
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.evidence import Grade
from domain.patrols import (
    PatrolOrder,
    PatrolRound,
    PatrolScan,
    PatrolVisit,
    RoundState,
    ScanDraft,
)
from domain.promises import Promise, PromiseWatch, State, batch
from tests.domain.patrols.site import (
    DAY,
    HOUR,
    MINUTE,
    OPENS,
    UID,
    VAULT,
    Patrolled,
    here,
    patrolled,
    tap,
)

WEEK = timedelta(days=7)
LAST = OPENS + 2 * HOUR


async def swept(site: Patrolled, *, at: Any = LAST) -> dict[PromiseKind, list[State]]:
    """States of all promises after the sweeper passed, which must be those of a batch over the ledger."""
    units = select(PromiseWatch.unit_id).where(PromiseWatch.account_id == site.world.account.id)
    async with transaction(site.make) as session:
        for unit_id in list(await session.scalars(units)):
            await promises.sweep(session, at=at, only=unit_id)
    found: dict[PromiseKind, list[State]] = {}
    async with site.make() as session:
        compared = await batch.verify(session, units, at=at)
        rows = await session.scalars(
            select(Promise)
            .where(Promise.account_id == site.world.account.id)
            .order_by(Promise.due_at, Promise.state)
        )
        for row in rows:
            found.setdefault(row.kind, []).append(row.state)
    assert compared is not None
    assert compared[1] == []
    return found


async def grades(site: Patrolled) -> list[tuple[Grade, list[str]]]:
    async with site.make() as session:
        rows = await session.scalars(
            select(PatrolScan)
            .where(PatrolScan.user_id == site.guard.id)
            .order_by(PatrolScan.device, PatrolScan.sequence)
        )
        return [(row.grade, row.reasons) for row in rows]


async def visits(site: Patrolled) -> list[PatrolVisit]:
    async with site.make() as session:
        rows = await session.scalars(
            select(PatrolVisit)
            .where(PatrolVisit.account_id == site.world.account.id)
            .order_by(PatrolVisit.due_at, PatrolVisit.place)
        )
        return list(rows)


async def test_a_round_with_every_point_scanned_is_complete_and_keeps_its_promises(
    make: Sessions,
) -> None:
    site = await patrolled(make)
    await site.plan()
    await site.look(OPENS)
    for place in (1, 2, 3):
        at = OPENS + 10 * place * MINUTE
        await site.send([site.scan(place, at)], at + MINUTE)
    await site.look(LAST)
    [patrol] = await site.rounds()
    assert (patrol.state, patrol.visited, patrol.missed) == (RoundState.ENDED, 3, 0)
    assert patrol.completed_at == OPENS + 30 * MINUTE
    assert [grade for grade, _ in await grades(site)] == [Grade.A, Grade.B, Grade.C]
    assert await swept(site) == {
        PromiseKind.PATROL_COMPLETED: [State.KEPT],
        PromiseKind.POINT_VISITED: [State.KEPT] * 3,
    }


async def test_a_missed_point_breaks_both_promises_earns_credits_and_an_upload_takes_that_back(
    make: Sessions,
) -> None:
    site = await patrolled(make)
    await site.plan()
    first = [site.scan(1, OPENS + 5 * MINUTE), site.scan(2, OPENS + 9 * MINUTE)]
    kept_back = site.scan(3, OPENS + 15 * MINUTE)
    await site.send(first, OPENS + HOUR)
    await site.look(LAST)
    [patrol] = await site.rounds()
    assert (patrol.visited, patrol.missed, patrol.completed_at) == (2, 1, None)
    assert [row.missed_at for row in await visits(site)] == [None, None, OPENS + 75 * MINUTE]
    late = await swept(site)
    assert late[PromiseKind.PATROL_COMPLETED] == [State.LATE]
    assert sorted(late[PromiseKind.POINT_VISITED]) == sorted([State.KEPT, State.KEPT, State.LATE])
    async with transaction(make) as session:
        broken = await session.scalars(
            select(Promise.id).where(
                Promise.account_id == site.world.account.id, Promise.state == State.LATE
            )
        )
        for promise_id in list(broken):
            await compensation.decide(site.office(session, LAST), promise_id)
    async with make() as session:
        granted = await session.scalars(
            select(Credit).where(Credit.account_id == site.world.account.id)
        )
        assert {each.unit_kind for each in granted} == {"patrol_round", "patrol_visit"}

    await site.send([kept_back], LAST + 20 * HOUR)
    assert await swept(site, at=LAST + 21 * HOUR) == {
        PromiseKind.PATROL_COMPLETED: [State.KEPT],
        PromiseKind.POINT_VISITED: [State.KEPT] * 3,
    }
    [patrol] = await site.rounds()
    assert (patrol.visited, patrol.missed) == (3, 0)


async def test_late_points_a_wrong_order_and_a_hurry_are_found(make: Sessions) -> None:
    site = await patrolled(make, ordering=PatrolOrder.FIXED, least_minutes=30)
    await site.plan()
    scans = [
        site.scan(2, OPENS + 45 * MINUTE),
        site.scan(1, OPENS + 50 * MINUTE),
        site.scan(3, OPENS + 61 * MINUTE),
    ]
    await site.send(scans, LAST)
    [patrol] = await site.rounds()
    assert patrol.is_too_fast
    found = [(row.is_late, row.is_out_of_order) for row in await visits(site)]
    assert found == [(False, False), (False, True), (True, False)]
    states = await swept(site)
    assert states[PromiseKind.PATROL_COMPLETED] == [State.LATE]
    assert sorted(states[PromiseKind.POINT_VISITED]) == sorted([State.KEPT, State.KEPT, State.LATE])


async def test_a_replayed_and_a_cloned_tap_are_graded_d(make: Sessions) -> None:
    site = await patrolled(make)
    await site.plan()
    at = OPENS + 5 * MINUTE
    replayed = tap(UID, 1)
    cloned = tap(UID, 9, file=bytes(16))
    scans = [
        site.scan(1, at),
        site.scan(1, at + 5 * MINUTE, **replayed),
        site.scan(1, at + 6 * MINUTE, **cloned),
        site.scan(1, at + 7 * MINUTE, **tap(UID, 7)),
        site.scan(1, at + 8 * MINUTE, **tap(UID, 6)),
    ]
    await site.send(scans, LAST)
    assert await grades(site) == [
        (Grade.A, ["signed_tag", "fix_inside"]),
        (Grade.D, ["counter_repeated", "fix_inside", "signed_tag"]),
        (Grade.D, ["signature_wrong"]),
        (Grade.A, ["signed_tag", "fix_inside"]),
        (Grade.D, ["counter_repeated", "fix_inside", "signed_tag"]),
    ]


async def test_a_revoked_code_proves_what_was_scanned_before(make: Sessions) -> None:
    site = await patrolled(make)
    await site.plan()
    at = OPENS + 10 * MINUTE
    async with transaction(make) as session:
        _, code = await patrols.issue_tag(
            site.office(session, at), VAULT, site.points[2].id, patrols.TagDraft()
        )
    scans = [
        site.scan(3, at - MINUTE),
        site.scan(3, at + MINUTE),
        site.scan(3, at + 2 * MINUTE, code=code),
    ]
    await site.send(scans, LAST)
    assert [grade for grade, _ in await grades(site)] == [Grade.C, Grade.D, Grade.C]
    assert (await grades(site))[1][1] == ["tag_revoked"]


async def test_scans_are_stored_once_and_one_that_cannot_be_read_is_refused_alone(
    make: Sessions,
) -> None:
    site = await patrolled(make)
    await site.plan()
    good = site.scan(2, OPENS + MINUTE)
    scans = [
        good, good,
        site.scan(2, OPENS + 2 * MINUTE, uid="0499887766"),
        site.scan(2, OPENS + 3 * MINUTE, photo_sha256="no"),
        site.scan(1, OPENS + 4 * MINUTE, mac=None),
    ]  # fmt: skip
    first = await site.send(scans, LAST)
    again = await site.send(scans, LAST)
    assert (first.accepted, first.duplicates) == (1, 1)
    assert (again.accepted, again.duplicates) == (0, 2)
    assert [each["code"] for each in first.refused] == ["NOT_FOUND", "INVALID", "INVALID"]
    with pytest.raises(Refused) as refused:
        await site.send([], LAST)
    assert refused.value.refusal.code is Code.INVALID


async def test_a_round_is_planned_ahead_and_cancelled_only_before_it_begins(make: Sessions) -> None:
    site = await patrolled(make)
    with pytest.raises(Refused, match="before their window begins"):
        await site.plan(at=OPENS + MINUTE)
    await site.plan()
    await site.plan()
    [patrol] = await site.rounds()
    async with transaction(make) as session:
        await patrols.cancel_round(site.office(session, OPENS - HOUR), patrol.id, reason="Closed")
    await site.look(LAST)
    assert [each.state for each in await site.rounds()] == [RoundState.CANCELLED]
    assert await visits(site) == []


async def offline_week(make: Sessions) -> tuple[Patrolled, list[ScanDraft]]:
    """Seven rounds over, and the scans that a phone kept: most in time, some late, replayed or at two places."""
    site = await patrolled(make)
    last = DAY + WEEK - timedelta(days=1)
    await site.plan(DAY, last)
    scans = []
    for day in range(7):
        begins = OPENS + timedelta(days=day)
        for place in (1, 2, 3):
            if (day, place) != (3, 2):
                late = 40 if (day, place) == (4, 3) else 0
                scans.append(site.scan(place, begins + (15 * place + late) * MINUTE))
        if day == 2:
            scans.append(site.scan(1, begins + 50 * MINUTE, **tap(UID, site.counter)))
        if day == 5:  # a copy of the chip's UID elsewhere, three minutes before the phone was there
            scans.append(
                site.scan(2, begins + 20 * MINUTE, position=here(60, begins + 20 * MINUTE))
            )
    await site.look(OPENS + WEEK)
    return site, scans


async def verdict(session: AsyncSession, site: Patrolled) -> tuple[Any, ...]:
    """All that is found: rounds, visits, grades and promises."""
    account = site.world.account.id
    await session.flush()
    rounds = await session.execute(
        select(
            PatrolRound.on_day, PatrolRound.state, PatrolRound.visited, PatrolRound.missed,
            PatrolRound.completed_at, PatrolRound.is_too_fast,
        ).where(PatrolRound.account_id == account).order_by(PatrolRound.from_at)
    )  # fmt: skip
    found = await session.execute(
        select(
            PatrolVisit.due_at, PatrolVisit.place, PatrolVisit.made_at, PatrolVisit.grade,
            PatrolVisit.is_late, PatrolVisit.missed_at,
        ).where(PatrolVisit.account_id == account).order_by(PatrolVisit.due_at, PatrolVisit.place)
    )  # fmt: skip
    scans = await session.execute(
        select(PatrolScan.sequence, PatrolScan.grade, PatrolScan.reasons)
        .where(PatrolScan.account_id == account)
        .order_by(PatrolScan.sequence)
    )
    states = await session.execute(
        select(Promise.unit_id, Promise.state, Promise.stopped_at, Promise.elapsed_us)
        .where(Promise.account_id == account)
        .order_by(Promise.unit_id)
    )
    return tuple(tuple(map(tuple, each)) for each in (rounds, found, scans, states))


async def shuffled(make: Sessions, times: int) -> None:
    site, scans = await offline_week(make)
    draw = random.Random(7)
    found = set()
    at = OPENS + WEEK + HOUR
    for _ in range(times):
        sent = [*scans, *draw.sample(scans, 6)]
        draw.shuffle(sent)
        cuts = sorted(draw.sample(range(1, len(sent)), 3))
        async with make() as session:
            for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True):
                await site.upload(session, sent[start:end], at)
            found.add(repr(await verdict(session, site)))
            await session.rollback()
    print(f"{times} shuffles of {len(scans)} scans, 6 twice, 4 uploads: {len(found)} verdict")  # noqa: T201
    assert len(found) == 1
    await site.send(scans, at)
    states = await swept(site, at=at)
    assert states[PromiseKind.PATROL_COMPLETED].count(State.LATE) == 1 + 1  # one missed, one late


async def test_shuffled_uploads_of_a_week_give_one_verdict(make: Sessions) -> None:
    await shuffled(make, 8)


@pytest.mark.slow
async def test_500_shuffles_of_a_week_with_duplicates_give_one_verdict(make: Sessions) -> None:
    await shuffled(make, 500)
