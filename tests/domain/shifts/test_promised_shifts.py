"""Shifts under promise: begun on time, and covered; verdicts, corrections, cancellations and credits."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from domain import accounts, agreements, compensation, posts, promises, shifts
from domain.access import Actor, Role, Tx
from domain.agreements import CreditDraft, Priority, PromiseDraft, PromiseKind, Target
from domain.agreements.rules import TermsDraft, check
from domain.compensation.model import Credit
from domain.core.db import Sessions, transaction
from domain.core.errors import Refused
from domain.promises import Promise, PromiseWatch, State, batch
from domain.shifts import AttendanceKind
from tests import build
from tests.build import World

BEGINS = datetime(2026, 3, 10, 21, tzinfo=UTC)  # 22:00 local, for eight hours
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
ENDS = BEGINS + 8 * HOUR
STARTED, COVERED = PromiseKind.SHIFT_STARTED, PromiseKind.SHIFT_COVERED


def promised(calendar_id: UUID) -> tuple[PromiseDraft, ...]:
    """Begun within five minutes, and 95 % of the planned time."""
    return (
        PromiseDraft(
            "start", STARTED, calendar_id, {Priority.LOW: Target(elapsed_s=300)},
            credits={None: CreditDraft(fixed_cents=2_500)},
        ),
        PromiseDraft(
            "cover", COVERED, calendar_id, {Priority.LOW: Target(elapsed_s=0)},
            objective_ppm=950_000, credits={None: CreditDraft(fixed_cents=7_500)},
        ),
    )  # fmt: skip


class Night:
    """One published shift of a guard under both promises."""

    def __init__(self, make: Sessions, world: World, shift_id: UUID) -> None:
        self.make, self.world, self.shift_id = make, world, shift_id

    def tx(self, session: Any, at: datetime) -> Tx:
        return Tx(session, Actor.system(self.world.tenant.id, "test"), at)

    async def came(self, at: datetime, *, known: datetime | None = None) -> None:
        async with transaction(self.make) as session:
            await shifts.clock_in(self.tx(session, known or at), self.shift_id, at=at)

    async def left(self, at: datetime) -> None:
        async with transaction(self.make) as session:
            await shifts.clock_out(self.tx(session, at), self.shift_id)

    async def correct(self, kind: AttendanceKind, at: datetime, *, known: datetime) -> None:
        async with transaction(self.make) as session:
            await shifts.correct_attendance(
                self.tx(session, known), self.shift_id, kind, at=at, reason="Gate log"
            )

    async def sweep(self, at: datetime) -> None:
        async with transaction(self.make) as session:
            await promises.sweep(session, at=at, only=self.shift_id)

    async def rows(self) -> dict[PromiseKind, Promise]:
        async with self.make() as session:
            found = await session.scalars(select(Promise).where(Promise.unit_id == self.shift_id))
            return {row.kind: row for row in found}

    async def states(self) -> tuple[State, State]:
        rows = await self.rows()
        return rows[STARTED].state, rows[COVERED].state

    async def must_recompute(self) -> None:
        """The stored verdicts are those of the ledger, computed again in a batch."""
        units = select(PromiseWatch.unit_id).where(PromiseWatch.unit_id == self.shift_id)
        async with self.make() as session:
            compared = await batch.verify(session, units, at=ENDS + 24 * HOUR)
        assert compared is not None
        assert compared[1] == []


@pytest.fixture
async def night(make: Sessions) -> Night:
    world = await build.client(make)
    planned = BEGINS - 48 * HOUR
    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        tx = Tx(session, system, planned)
        terms = build.terms_draft(world.calendar)
        terms = TermsDraft((*terms.promises, *promised(world.calendar.id)), terms.period_fee_cents)
        await agreements.amend(tx, world.agreement.id, in_force_from=planned + MINUTE, terms=terms)
        user = await accounts.add_user(tx, email="g@example.org", name="Guard", role=Role.GUARD)
        post = await posts.add_post(
            tx, world.site.id, name="Gate", service="reception", valid_from_on=date(2026, 1, 1)
        )
        change = await shifts.plan_one(tx, post.id, from_at=BEGINS, until_at=ENDS, user_id=user.id)
        await shifts.publish(tx, change.shift_ids)
    return Night(make, world, change.shift_ids[0])


async def test_a_shift_on_time_and_to_the_end_keeps_both_promises(night: Night) -> None:
    assert await night.states() == (State.PENDING, State.PENDING)
    await night.came(BEGINS - 10 * MINUTE)
    await night.sweep(BEGINS)
    assert await night.states() == (State.KEPT, State.RUNNING)
    await night.left(ENDS)
    assert await night.states() == (State.KEPT, State.KEPT)
    rows = await night.rows()
    assert rows[COVERED].elapsed_us == 8 * 3_600_000_000
    assert (rows[STARTED].unit_kind, rows[STARTED].incident_id) == ("shift", None)
    await night.must_recompute()


@pytest.mark.parametrize(
    ("late", "state"), [(300 * SECOND, State.KEPT), (301 * SECOND, State.LATE)]
)
async def test_a_start_is_late_from_the_second_after_the_target(
    night: Night, late: timedelta, state: State
) -> None:
    await night.came(BEGINS + late)
    assert (await night.states())[0] is state
    await night.must_recompute()


async def test_nobody_comes_and_both_promises_are_broken_though_nobody_touches_them(
    night: Night,
) -> None:
    await night.sweep(BEGINS)
    assert (await night.states())[1] is State.RUNNING
    late = BEGINS + 5 * MINUTE
    await night.sweep(late + SECOND)
    rows = await night.rows()
    assert (rows[STARTED].state, rows[STARTED].decided_at) == (State.LATE, late)
    await night.sweep(ENDS)
    rows = await night.rows()
    assert (rows[COVERED].state, rows[COVERED].decided_at) == (State.LATE, ENDS)
    await night.must_recompute()
    system = Actor.system(night.world.tenant.id, "test")
    async with transaction(night.make) as session:
        for row in rows.values():
            await compensation.decide(Tx(session, system, ENDS + MINUTE), row.id)
    async with night.make() as session:
        granted = (
            await session.scalars(select(Credit).where(Credit.account_id == night.world.account.id))
        ).all()
    assert {credit.unit_id for credit in granted} == {night.shift_id}
    assert sum(credit.amount_cents for credit in granted) == 7_500  # one cause, the larger


@pytest.mark.parametrize(
    ("away", "state"), [(24 * MINUTE, State.KEPT), (24 * MINUTE + SECOND, State.LATE)]
)
async def test_cover_is_the_share_of_the_plan_that_was_staffed(
    night: Night, away: timedelta, state: State
) -> None:
    await night.came(BEGINS)
    await night.left(ENDS - away)
    await night.sweep(ENDS)
    rows = await night.rows()
    assert rows[COVERED].state is state
    assert rows[COVERED].elapsed_us == (8 * HOUR - away) // timedelta(microseconds=1)
    await night.must_recompute()


async def test_a_corrected_clock_in_revises_both_verdicts_in_either_direction(
    night: Night,
) -> None:
    start, came = AttendanceKind.CLOCK_IN, BEGINS + 40 * MINUTE
    await night.came(came)
    await night.left(ENDS)
    assert await night.states() == (State.LATE, State.LATE)
    for number, (at, state) in enumerate(
        (
            (BEGINS + 2 * MINUTE, State.KEPT),
            (BEGINS + 41 * MINUTE, State.LATE),
            (BEGINS - MINUTE, State.KEPT),
            (came, State.LATE),
            (BEGINS, State.KEPT),
        )
    ):
        await night.correct(start, at, known=ENDS + (number + 1) * MINUTE)
        assert await night.states() == (state, state), at
        await night.must_recompute()
    rows = await night.rows()
    assert rows[STARTED].stopped_at == BEGINS
    assert rows[COVERED].elapsed_us == 8 * 3_600_000_000


async def test_a_corrected_clock_out_counts_instead_of_the_one_that_was_recorded(
    night: Night,
) -> None:
    await night.came(BEGINS)
    await night.left(ENDS - 2 * HOUR)
    await night.sweep(ENDS)
    assert await night.states() == (State.KEPT, State.LATE)
    await night.correct(AttendanceKind.CLOCK_OUT, ENDS, known=ENDS + HOUR)
    assert await night.states() == (State.KEPT, State.KEPT)
    await night.correct(AttendanceKind.CLOCK_OUT, ENDS - HOUR, known=ENDS + 2 * HOUR)
    assert await night.states() == (State.KEPT, State.LATE)
    assert (await night.rows())[COVERED].elapsed_us == 7 * 3_600_000_000
    await night.must_recompute()


async def test_a_cancelled_shift_has_no_verdict_then_or_later(night: Night) -> None:
    async with transaction(night.make) as session:
        await shifts.cancel_shift(
            night.tx(session, BEGINS - HOUR), night.shift_id, reason="Site closed"
        )
    assert await night.states() == (State.CANCELLED, State.CANCELLED)
    await night.sweep(ENDS + HOUR)
    assert await night.states() == (State.CANCELLED, State.CANCELLED)
    await night.must_recompute()


@pytest.mark.parametrize(
    ("kind", "more", "words"),
    [
        (STARTED, {"targets": {p: Target(elapsed_s=0) for p in (Priority.LOW, Priority.HIGH)}}, "one target"),
        (COVERED, {"targets": {Priority.LOW: Target(elapsed_s=60)}}, "objective"),
        (COVERED, {"ticket_kinds": (agreements.TicketKind.ALARM,)}, "kind of incident"),
    ],
)  # fmt: skip
def test_a_promise_about_shifts_that_contradicts_itself_is_refused(
    kind: PromiseKind, more: dict[str, Any], words: str
) -> None:
    given = {"targets": {Priority.LOW: Target(elapsed_s=0)}} | more
    draft = PromiseDraft("shift", kind, UUID(int=1), **given)
    with pytest.raises(Refused, match=words):
        check(TermsDraft((draft,)))
