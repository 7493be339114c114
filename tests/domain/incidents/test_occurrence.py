"""When an incident happened, beside when it was told: clocks that start then, and a promise about telling in time."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import agreements, archive, incidents, promises
from domain.access import Actor, Tx
from domain.agreements import ClockStart, Priority, PromiseDraft, PromiseKind, Target
from domain.agreements.rules import TermsDraft, check
from domain.core import sequencing
from domain.core.db import Sessions, transaction
from domain.core.erasable_text import ErasableText
from domain.core.errors import Refused
from domain.core.ledger import LedgerRow
from domain.evaluator.kernels.codes import ClockState
from domain.incidents import Incident, StatedOccurrence
from domain.promises import Promise, PromiseWatch, State, batch, to_us
from domain.simulation.rules import fingerprint
from tests import build
from tests.build import T0, World, minutes


def response(calendar_id: UUID, name: str, clock_start: ClockStart) -> PromiseDraft:
    targets = {priority: Target(elapsed_s=1_800) for priority in Priority}
    kind = PromiseKind.FIRST_RESPONSE
    return PromiseDraft(name, kind, calendar_id, targets, clock_start=clock_start)


def drafts(calendar_id: UUID) -> tuple[PromiseDraft, ...]:
    """A contract that counts from the telling, an objective from the occurrence, and a promise about telling."""
    return (
        response(calendar_id, "told", ClockStart.TOLD),
        replace(response(calendar_id, "occurred", ClockStart.OCCURRED), internal=True),
        PromiseDraft(
            "telling",
            PromiseKind.INCIDENT_TOLD,
            calendar_id,
            {Priority.CRITICAL: Target(elapsed_s=900), Priority.LOW: Target(elapsed_s=7_200)},
        ),
    )


async def client(make: Sessions) -> World:
    world = await build.client(make)
    async with transaction(make) as session:
        terms = TermsDraft(drafts(world.calendar.id))
        at = T0 - timedelta(days=1)
        tx = Tx(session, Actor.system(world.tenant.id, "test"), at)
        await agreements.amend(tx, world.agreement.id, in_force_from=at, terms=terms)
    return world


async def opened(make: Sessions, world: World, ago: float | None, **more: Any) -> Incident:
    occurred = None if ago is None else StatedOccurrence(T0 - minutes(ago), "no network")
    return await build.incident(make, world, occurred=occurred, **more)


async def correct(
    make: Sessions, world: World, incident: Incident, to: datetime | None, *, at: datetime
) -> None:
    async with transaction(make) as session:
        tx = Tx(session, world.staff, at)
        await incidents.correct_occurrence(
            tx, incident.id, occurred_at=to, reason="log of the door"
        )


async def found(make: Sessions, incident: Incident) -> dict[str, Promise]:
    async with make() as session:
        rows = await session.scalars(select(Promise).where(Promise.unit_id == incident.id))
        return {row.name: row for row in rows}


async def test_a_clock_starts_where_the_agreement_says(make: Sessions) -> None:
    world = await client(make)
    both = await found(make, await opened(make, world, 40))

    assert (both["told"].started_at, both["told"].state) == (T0, State.RUNNING)
    assert both["occurred"].started_at == T0 - minutes(40)
    assert (both["occurred"].state, both["occurred"].decided_at) == (State.LATE, T0 - minutes(10))
    assert (both["telling"].state, both["telling"].elapsed_us) == (State.LATE, 40 * 60_000_000)
    assert both["telling"].decided_at == T0 - minutes(25)


async def test_without_a_stated_time_both_start_when_it_is_told(make: Sessions) -> None:
    world = await client(make)
    both = await found(make, await opened(make, world, None))
    assert both.keys() == {"told", "occurred"}  # nobody knows whether it was told in time
    assert {row.started_at for row in both.values()} == {T0}


@pytest.mark.parametrize(("ago", "state"), [(0, State.KEPT), (15, State.KEPT), (16, State.LATE)])
async def test_telling_in_time_is_a_promise_like_another(
    make: Sessions, ago: float, state: State
) -> None:
    world = await client(make)
    telling = (await found(make, await opened(make, world, ago)))["telling"]
    assert (telling.state, telling.target_us) == (state, 900_000_000)
    assert telling.started_at == T0 - minutes(ago)


async def test_a_correction_revises_the_verdicts_and_keeps_before_and_after(
    make: Sessions,
) -> None:
    world = await client(make)
    incident = await opened(make, world, 40)
    await correct(make, world, incident, T0 - minutes(10), at=T0 + minutes(1))
    both = await found(make, incident)
    assert (both["occurred"].state, both["telling"].state) == (State.RUNNING, State.KEPT)
    assert both["occurred"].due_at == T0 + minutes(20)
    assert both["told"].started_at == T0

    await correct(make, world, incident, None, at=T0 + minutes(2))
    both = await found(make, incident)
    assert both["occurred"].started_at == T0
    assert both["telling"].state is State.CANCELLED
    async with make() as session:
        facts = (
            await session.scalars(
                select(LedgerRow)
                .where(
                    LedgerRow.kind == "incident.occurrence_stated",
                    LedgerRow.subject_id == incident.id,
                )
                .order_by(LedgerRow.id)
            )
        ).all()
        words = await session.scalars(
            select(ErasableText.words).where(ErasableText.subject_id == incident.id)
        )
    times = [(T0 - minutes(40)).isoformat(), (T0 - minutes(10)).isoformat(), None]
    times = [None if each is None else each.replace("+00:00", "Z") for each in times]
    assert [fact.body["occurred_at"] for fact in facts] == times
    assert [fact.body["occurred_at_before"] for fact in facts] == [None, *times[:2]]
    assert set(words) == {"no network", "log of the door"}
    assert all(fact.body["reason"].startswith("sha256:") for fact in facts)


async def test_online_in_a_batch_and_in_columns_they_are_judged_alike(make: Sessions) -> None:
    world = await client(make)
    now = T0 + timedelta(hours=2)
    several = [
        await opened(make, world, ago, priority=priority)
        for ago in (None, 0, 14, 40)
        for priority in (Priority.CRITICAL, Priority.LOW)
    ]
    await correct(make, world, several[0], T0 - minutes(31), at=T0 + minutes(1))
    await correct(make, world, several[4], T0 - minutes(29), at=T0 + minutes(2))
    await correct(make, world, several[6], None, at=T0 + minutes(3))
    await sealed(make, world, now)
    await correct(make, world, several[7], T0 - minutes(3), at=T0 + minutes(4))
    for incident in several:
        async with transaction(make) as session:
            await promises.evaluate(session, world.staff, incident.id, at=now)

    which = select(PromiseWatch.unit_id).where(PromiseWatch.account_id == world.account.id)
    async with make() as session:
        compared = await batch.verify(session, which, at=now)
        stored = (
            await session.scalars(select(Promise).where(Promise.account_id == world.account.id))
        ).all()
        log = await archive.load(session, world.account.id, at=now)
        from_rows = await archive.load(session, world.account.id, at=now, sealed=False)
    assert compared is not None
    assert (compared[0].units, compared[1]) == (8, [])
    online = {
        (row.unit_id, row.term_id): (row.state is State.KEPT, row.decided_at, row.elapsed_us)
        for row in stored
        if row.state is not State.CANCELLED
    }
    assert len(set(online.values())) > 6
    for each in (log, from_rows):
        assert columns(each, now) == online


async def sealed(make: Sessions, world: World, at: datetime) -> None:
    async with transaction(make) as session:
        while (await sequencing.assign_sequence(session, routes={}, due_at=at)).facts:
            pass
    async with transaction(make) as session:
        await archive.seal(session, world.account.id, at=T0 + timedelta(days=70))


def columns(log: archive.EventLog, at: datetime) -> dict[tuple[UUID, UUID], tuple[Any, ...]]:
    units = [archive.uuid_of(each) for each in log.incidents]
    return {
        (units[row.unit], log.terms[row.promise].id): (
            ClockState(int(row.state)) is ClockState.KEPT,
            promises.from_us(int(row.decided_us)),
            int(row.elapsed_us),
        )
        for row in archive.judged(log, to_us(at))
    }


@pytest.mark.parametrize(
    ("ago", "reason", "words"),
    [
        (timedelta(seconds=-1), None, "after it is told"),
        (timedelta(minutes=6), None, "occurrenceReason"),
        (timedelta(days=7, seconds=1), "found later", "at most 7 days"),
        (timedelta(minutes=6), " ", "occurrenceReason"),
    ],
)
async def test_a_time_that_cannot_be_or_is_not_explained_is_refused(
    make: Sessions, ago: timedelta, reason: str | None, words: str
) -> None:
    world = await build.client(make)
    with pytest.raises(Refused, match=words):
        await build.incident(make, world, occurred=StatedOccurrence(T0 - ago, reason))
    async with make() as session:
        mine = select(Incident).where(Incident.account_id == world.account.id)
        assert (await session.scalars(mine)).all() == []


def test_kinds_with_a_start_of_their_own_take_no_other() -> None:
    for kind in (PromiseKind.AGREED_DATE, PromiseKind.REPORT_DELIVERED, PromiseKind.INCIDENT_TOLD):
        draft = PromiseDraft(
            "x", kind, UUID(int=1), {Priority.LOW: Target(elapsed_s=60)},
            clock_start=ClockStart.OCCURRED,
        )  # fmt: skip
        with pytest.raises(Refused, match="a start of its own"):
            check(TermsDraft((draft,)))


def test_terms_that_do_not_choose_keep_the_hash_they_had() -> None:
    one = response(UUID(int=1), "one", ClockStart.TOLD)
    other = replace(one, clock_start=ClockStart.OCCURRED)
    before = "104677f0"
    assert fingerprint(TermsDraft((one,))).hex()[:8] == before
    assert fingerprint(TermsDraft((one,))) != fingerprint(TermsDraft((other,)))
