"""Reports of shifts under promise: signed in time, late with its credit, expected once, and never for a no-show."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from domain import accounts, agreements, compensation, occurrences, posts, promises, shifts
from domain.access import Actor, Role, Tx
from domain.agreements import CreditDraft, Priority, PromiseDraft, PromiseKind, Target
from domain.agreements.rules import TermsDraft, check
from domain.compensation.model import Credit
from domain.core.db import Sessions, transaction
from domain.core.errors import Refused
from domain.occurrences import ShiftReport, digest_of
from domain.promises import Promise, PromiseWatch, State, batch
from domain.shifts import AttendanceKind
from tests import build

BEGINS = datetime(2026, 3, 10, 21, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
ENDS = BEGINS + 8 * HOUR


class Reported:
    """One shift of a guard, with a promise that its report is signed half an hour after its planned end."""

    def __init__(self, make: Sessions, world: build.World, shift_id: UUID) -> None:
        self.make, self.world, self.shift_id = make, world, shift_id

    def tx(self, session: Any, at: datetime) -> Tx:
        return Tx(session, Actor.system(self.world.tenant.id, "test"), at)

    async def worked(self, until: datetime) -> None:
        async with transaction(self.make) as session:
            await shifts.clock_in(self.tx(session, BEGINS), self.shift_id)
        async with transaction(self.make) as session:
            await shifts.clock_out(self.tx(session, until), self.shift_id)

    async def sign(self, at: datetime) -> ShiftReport:
        async with transaction(self.make) as session:
            return await occurrences.sign_report(self.tx(session, at), self.shift_id)

    async def row(self) -> Promise | None:
        async with self.make() as session:
            found: Promise | None = await session.scalar(
                select(Promise)
                .join(ShiftReport, ShiftReport.id == Promise.unit_id)
                .where(ShiftReport.shift_id == self.shift_id)
            )
            return found

    async def must_recompute(self) -> None:
        reports = select(ShiftReport.id).where(ShiftReport.shift_id == self.shift_id)
        units = select(PromiseWatch.unit_id).where(PromiseWatch.unit_id.in_(reports))
        async with self.make() as session:
            compared = await batch.verify(session, units, at=ENDS + 24 * HOUR)
        assert compared is not None
        assert compared[1] == []


@pytest.fixture
async def shift(make: Sessions) -> Reported:
    world = await build.client(make)
    planned = BEGINS - 48 * HOUR
    async with transaction(make) as session:
        tx = Tx(session, Actor.system(world.tenant.id, "test"), planned)
        terms = build.terms_draft(world.calendar)
        promised = PromiseDraft(
            "report", PromiseKind.SHIFT_REPORTED, world.calendar.id,
            {Priority.LOW: Target(elapsed_s=1_800)},
            credits={None: CreditDraft(fixed_cents=1_500)},
        )  # fmt: skip
        await agreements.amend(
            tx, world.agreement.id, in_force_from=planned + MINUTE,
            terms=TermsDraft((*terms.promises, promised), terms.period_fee_cents),
        )  # fmt: skip
        user = await accounts.add_user(tx, email="g@example.org", name="Guard", role=Role.GUARD)
        post = await posts.add_post(
            tx, world.site.id, name="Gate", service="reception", valid_from_on=date(2026, 1, 1)
        )
        change = await shifts.plan_one(tx, post.id, from_at=BEGINS, until_at=ENDS, user_id=user.id)
        await shifts.publish(tx, change.shift_ids)
    return Reported(make, world, change.shift_ids[0])


@pytest.mark.parametrize(
    ("signed_at", "state"),
    [
        (ENDS - HOUR, State.KEPT),
        (ENDS + 30 * MINUTE, State.KEPT),
        (ENDS + 30 * MINUTE + SECOND, State.LATE),
    ],
)
async def test_a_report_is_late_from_the_second_after_the_target(
    shift: Reported, signed_at: datetime, state: State
) -> None:
    await shift.worked(min(ENDS, signed_at))
    report = await shift.sign(signed_at)
    assert report.content is not None
    assert report.content_sha256 == digest_of(report.content)
    row = await shift.row()
    assert row is not None
    assert row.unit_kind == "shift_report"
    if row.state is State.PENDING:  # signed before the planned end, from which the clock runs
        async with transaction(shift.make) as session:
            await promises.sweep(session, at=ENDS, only=row.unit_id)
        row = await shift.row()
    assert row is not None
    assert row.state is state
    await shift.must_recompute()


async def test_an_unsigned_report_breaks_its_promise_and_earns_the_credit(shift: Reported) -> None:
    await shift.worked(ENDS + 2 * HOUR)  # overtime moves no deadline
    row = await shift.row()
    assert row is not None
    async with transaction(shift.make) as session:
        await promises.sweep(session, at=ENDS + 31 * MINUTE, only=row.unit_id)
    row = await shift.row()
    assert row is not None
    assert row.state is State.LATE
    async with transaction(shift.make) as session:
        await compensation.decide(shift.tx(session, ENDS + HOUR), row.id)
    async with shift.make() as session:
        credit = (
            await session.scalars(select(Credit).where(Credit.account_id == shift.world.account.id))
        ).one()
    assert (credit.unit_id, credit.amount_cents) == (row.unit_id, 1_500)
    await shift.must_recompute()


async def test_a_correction_expects_no_second_report_and_a_no_show_none(shift: Reported) -> None:
    async with transaction(shift.make) as session:
        await shifts.look_at_shift(session, shift.shift_id, at=ENDS + MINUTE)
    assert await shift.row() is None
    with pytest.raises(Refused, match="Nobody began"):
        await shift.sign(ENDS + HOUR)
    for at in (BEGINS + MINUTE, BEGINS + 2 * MINUTE):
        async with transaction(shift.make) as session:
            await shifts.correct_attendance(
                shift.tx(session, ENDS + 20 * HOUR), shift.shift_id, AttendanceKind.CLOCK_IN, at=at,
                reason="Gate log",
            )  # fmt: skip
    async with shift.make() as session:
        count = select(func.count()).where(ShiftReport.shift_id == shift.shift_id)
        assert await session.scalar(count) == 1
    row = await shift.row()
    assert row is not None
    assert row.state is State.LATE
    await shift.must_recompute()


def test_terms_need_one_target_and_no_kind_of_incident() -> None:
    two = {Priority.LOW: Target(elapsed_s=1), Priority.HIGH: Target(elapsed_s=1)}
    with pytest.raises(Refused, match="one target"):
        check(TermsDraft((PromiseDraft("r", PromiseKind.SHIFT_REPORTED, UUID(int=1), two),)))
