"""Grades of clock-ins: what a phone states, what its positions show later, and what promises make of it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from domain import agreements, positions, posts, promises, shifts
from domain.access import Actor, Tx
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target, terms_by_id
from domain.agreements.rules import TermsDraft
from domain.core.db import Sessions, transaction
from domain.core.errors import Refused
from domain.core.ledger import LedgerRow
from domain.evidence import DoubtFavours, Grade, ReasonCode, StatedPosition, grade_statement
from domain.positions import DeviceReport, ReceivedFix
from domain.promises import Promise, PromiseWatch, State, batch, evidence_of
from domain.shifts import Attendance, AttendanceKind, PhonePosition, PhoneStatement
from tests import build, guards
from tests.build import World
from tests.guards import Guard, near

BEGINS = datetime(2026, 3, 10, 21, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
CAME = BEGINS - 2 * MINUTE
GOOD = StatedPosition(-30.0, 8.0, CAME - 5 * SECOND, CAME, mock=False)
KEEP = timedelta(days=28)
CODE = ReasonCode


@pytest.mark.parametrize(
    ("changes", "grade", "code"),
    [
        ({}, Grade.B, CODE.SINGLE_POSITION),
        ({"mock": None}, Grade.B, CODE.MOCK_UNKNOWN),
        ({"mock": True}, Grade.D, CODE.MOCK),
        ({"accuracy_m": 26.0}, Grade.B, CODE.ACCURACY),
        ({"accuracy_m": 51.0}, Grade.C, CODE.ACCURACY),
        ({"accuracy_m": None}, Grade.C, CODE.ACCURACY_UNKNOWN),
        ({"outside_m": None}, Grade.C, CODE.NO_GEOFENCE),
        ({"outside_m": 8.0}, Grade.C, CODE.OUTSIDE),
        ({"outside_m": 8.1}, Grade.D, CODE.OUTSIDE),
        ({"sent_at": CAME - 120 * SECOND, "measured_at": None}, Grade.B, CODE.CLOCK_SKEW),
        ({"sent_at": CAME + 121 * SECOND}, Grade.D, CODE.CLOCK_SKEW),
        ({"measured_at": CAME - 300 * SECOND}, Grade.B, CODE.STALE),
        ({"measured_at": CAME - 301 * SECOND}, Grade.C, CODE.STALE),
        ({"measured_at": CAME - 901 * SECOND}, Grade.D, CODE.STALE),
        ({"measured_at": None}, Grade.B, CODE.AGE_UNKNOWN),
    ],
)
def test_what_a_phone_states_is_b_at_best_and_each_doubt_makes_it_worse(
    changes: dict[str, Any], grade: Grade, code: ReasonCode
) -> None:
    found = grade_statement(CAME, replace(GOOD, **changes), received_at=CAME)
    assert found.grade is grade
    assert any(each.code is code and each.allows <= grade for each in found.reasons)
    assert set(found.proven_from) == {each for each in "ABC" if each >= grade}


def test_what_is_reported_without_a_position_proves_nothing_and_contradicts_nothing() -> None:
    found = grade_statement(CAME, None, received_at=CAME)
    assert (found.grade, found.contradicted, dict(found.proven_from)) == (Grade.D, False, {})
    outside = grade_statement(CAME, replace(GOOD, outside_m=500.0), received_at=CAME)
    assert outside.contradicted


@pytest.mark.parametrize(
    ("told", "argument"),
    [
        (PhoneStatement(accuracy_m=5.0), "lat"),
        (PhoneStatement(mock=False), "lat"),
        (PhoneStatement(lat=52.0), "lon"),
        (PhoneStatement(lat=52.0, lon=5.0, accuracy_m=-1.0), "accuracyM"),
        (
            PhoneStatement(lat=52.0, lon=5.0, measured_at=CAME + SECOND, sent_at=CAME),
            "measuredAt",
        ),
    ],
)
def test_half_a_position_is_refused(told: PhoneStatement, argument: str) -> None:
    with pytest.raises(Refused) as no:
        shifts.phone_position(told)
    assert no.value.refusal.argument == argument


class Night:
    """A published shift of a guard on duty with a device, promised to begin within five minutes."""

    def __init__(self, make: Sessions, world: World, guard: Guard, shift_id: Any) -> None:
        self.make, self.world, self.guard, self.shift_id = make, world, guard, shift_id

    async def came(self, north: float = 0.0, **more: Any) -> None:
        """Clock in as the guard, with a good position so many metres from the middle."""
        where = near(north)
        told: dict[str, Any] = {
            "accuracy_m": 8.0,
            "measured_at": CAME - SECOND,
            "sent_at": CAME,
            "mock": False,
        }
        position = PhonePosition(where["lat"], where["lon"], **(told | more))
        async with transaction(self.make) as session:
            await shifts.clock_in(
                Tx(session, self.guard.actor, CAME), self.shift_id, position=position
            )

    async def reported(self) -> None:
        async with transaction(self.make) as session:
            await shifts.clock_in(
                Tx(session, Actor.system(self.world.tenant.id, "test"), CAME), self.shift_id
            )

    async def fixes(self, first: datetime) -> None:
        """Ten minutes of positions of the guard's device at the site, received as they were measured."""
        there = near(5)
        for n in range(30):
            at = first + n * 20 * SECOND
            each = ReceivedFix(at=at, accuracy_m=5, mock=False, lat=there["lat"], lon=there["lon"])
            async with self.make() as session:
                post = await positions.device_assignment(
                    session, self.guard.device.id, since=BEGINS - KEEP
                )
            assert post is not None
            report = DeviceReport(post, [each], 1, float("nan"))
            [outcome], _ = await positions.accept(
                self.make, [report], {}, at=at + SECOND, keep=KEEP
            )
            assert outcome.refused == ()

    async def look(self, at: datetime) -> None:
        async with transaction(self.make) as session:
            await shifts.look_at_shift(session, self.shift_id, at=at)

    async def promise(self) -> Promise:
        async with self.make() as session:
            found = await session.scalars(select(Promise).where(Promise.unit_id == self.shift_id))
            return next(row for row in found if row.kind is PromiseKind.SHIFT_STARTED)

    async def attendance(self) -> Attendance:
        async with self.make() as session:
            rows = await session.scalars(
                select(Attendance).where(
                    Attendance.shift_id == self.shift_id, Attendance.replaced_at.is_(None)
                )
            )
            return rows.one()

    async def must_recompute(self) -> None:
        """The stored verdicts are those of the ledger, computed again in a batch."""
        units = select(PromiseWatch.unit_id).where(PromiseWatch.unit_id == self.shift_id)
        async with self.make() as session:
            compared = await batch.verify(session, units, at=BEGINS + 24 * HOUR)
        assert compared is not None
        assert compared[1] == []


async def night_under(
    make: Sessions, lowest: Grade, favours: DoubtFavours = DoubtFavours.CLIENT
) -> Night:
    world = await build.client(make)
    planned = BEGINS - 48 * HOUR
    async with transaction(make) as session:
        await positions.ensure_partitions(session, at=BEGINS, keep=timedelta(days=3))
    guard = await guards.on_duty(make, world, from_at=BEGINS - 4 * HOUR)
    async with transaction(make) as session:
        tx = Tx(session, Actor.system(world.tenant.id, "test"), planned)
        draft = PromiseDraft(
            "start",
            PromiseKind.SHIFT_STARTED,
            world.calendar.id,
            {Priority.LOW: Target(elapsed_s=300)},
            lowest_grade=lowest,
            doubt_favours=favours,
        )
        terms = build.terms_draft(world.calendar)
        terms = TermsDraft((*terms.promises, draft), terms.period_fee_cents)
        await agreements.amend(tx, world.agreement.id, in_force_from=planned + MINUTE, terms=terms)
        post = await posts.add_post(
            tx, guard.site.id, name="Gate", service="reception", valid_from_on=date(2026, 1, 1)
        )
        change = await shifts.plan_one(
            tx, post.id, from_at=BEGINS, until_at=BEGINS + 8 * HOUR, user_id=guard.user.id
        )
        await shifts.publish(tx, change.shift_ids)
    return Night(make, world, guard, change.shift_ids[0])


@pytest.mark.parametrize(
    ("lowest", "favours", "how", "state"),
    [
        (Grade.B, DoubtFavours.CLIENT, {}, State.KEPT),
        (Grade.B, DoubtFavours.CLIENT, {"accuracy_m": 60.0}, State.LATE),
        (Grade.C, DoubtFavours.CLIENT, {"accuracy_m": 60.0}, State.KEPT),
        (Grade.B, DoubtFavours.COMPANY, {"accuracy_m": 60.0}, State.KEPT),
        (Grade.C, DoubtFavours.COMPANY, {"north": 400.0}, State.LATE),
        (Grade.C, DoubtFavours.COMPANY, {"mock": True}, State.LATE),
        (Grade.C, DoubtFavours.CLIENT, None, State.LATE),
        (Grade.C, DoubtFavours.COMPANY, None, State.KEPT),
    ],
)
async def test_a_start_counts_by_its_grade_and_doubt_decides_below_it(
    make: Sessions,
    lowest: Grade,
    favours: DoubtFavours,
    how: dict[str, Any] | None,
    state: State,
) -> None:
    night = await night_under(make, lowest, favours)
    await (night.reported() if how is None else night.came(**how))
    await night.look(BEGINS + 15 * MINUTE)
    async with transaction(make) as session:
        await promises.sweep(session, at=BEGINS + 6 * MINUTE, only=night.shift_id)
    assert (await night.promise()).state is state
    await night.must_recompute()


async def test_positions_that_come_in_later_prove_more_and_revise_the_verdict(
    make: Sessions,
) -> None:
    night = await night_under(make, Grade.A)
    await night.came()
    await night.look(CAME + MINUTE)
    assert (await night.attendance()).grade is Grade.B
    async with transaction(make) as session:
        await promises.sweep(session, at=BEGINS + 6 * MINUTE, only=night.shift_id)
    assert (await night.promise()).state is State.LATE

    await night.fixes(CAME + MINUTE)
    await night.look(CAME + 31 * MINUTE)
    row, promise = await night.attendance(), await night.promise()
    assert datetime.fromisoformat(row.proven_from["A"]) == CAME + MINUTE
    assert datetime.fromisoformat(row.proven_from["B"]) == CAME
    assert (promise.state, promise.stopped_at) == (State.KEPT, CAME + MINUTE)
    await night.must_recompute()

    async with make() as session:
        facts = (
            await session.scalars(
                select(LedgerRow)
                .where(LedgerRow.subject_id == night.shift_id)
                .order_by(LedgerRow.id)
            )
        ).all()
        term = (await terms_by_id(session, [promise.term_id]))[promise.term_id]
    assert [f.kind for f in facts].count("shift.start_graded") == 1
    [shown] = evidence_of(facts, term)
    assert (shown.instant, shown.counts_from) == (CAME, CAME + MINUTE)

    await night.look(CAME + 9 * HOUR)  # nothing more to say: no further fact
    async with make() as session:
        again = await session.scalars(
            select(LedgerRow.kind).where(
                LedgerRow.subject_id == night.shift_id, LedgerRow.kind == "shift.start_graded"
            )
        )
        assert len(again.all()) == 1


async def test_a_corrected_clock_in_is_reported_and_the_grade_of_the_old_one_no_longer_counts(
    make: Sessions,
) -> None:
    night = await night_under(make, Grade.B)
    await night.came()
    assert (await night.promise()).state in (State.PENDING, State.KEPT)
    async with transaction(make) as session:
        tx = Tx(session, Actor.system(night.world.tenant.id, "test"), BEGINS + HOUR)
        await shifts.correct_attendance(
            tx, night.shift_id, AttendanceKind.CLOCK_IN, at=CAME + MINUTE, reason="Gate log"
        )
    assert (await night.promise()).state is State.LATE
    assert (await night.attendance()).grade is Grade.D
    await night.must_recompute()
