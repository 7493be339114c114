"""One offline week of a guard app, 500 times in another order: the same verdicts, hours and grades each time.

Each time the week is uploaded in one transaction, read, and rolled back, so that every order meets the same company.
"""

import itertools
import os
import random
import sys
import time as clock
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import case, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, patrols, posts, promises, shifts
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target
from domain.agreements.rules import TermsDraft
from domain.core.db import Sessions, transaction
from domain.occurrences import OccurrenceDraft, OccurrenceEntry, OccurrenceKind, ShiftReport
from domain.patrols import PatrolRound, PatrolScan, PatrolVisit
from domain.phone_events import PhoneBatch, PhoneEventDraft, PhoneEventKind, upload_events
from domain.promises import Promise, State
from domain.shifts import Attendance, Shift
from tests import build
from tests.domain.patrols.site import HOUR, LAT, LON, MINUTE, VAULT, Patrolled, patrolled

pytestmark = pytest.mark.slow

ORDERS = int(os.environ.get("WAARBORG_TEST_ORDERS", "500"))
SECOND = timedelta(seconds=1)
BEGINS = datetime(2026, 3, 9, 21, tzinfo=UTC)  # Monday, 22:00 local; eight hours each night
NIGHTS = (0, 2, 4, 6)
REBOOTED = BEGINS + 3 * 24 * HOUR
SKEW = timedelta(hours=2, minutes=7)
"""How far the wall clock of the phone is behind."""
OVER = BEGINS + 7 * 24 * HOUR
PROMISED = {
    PromiseKind.SHIFT_STARTED: 300,
    PromiseKind.SHIFT_COVERED: 0,
    PromiseKind.SHIFT_REPORTED: 1_800,
    PromiseKind.PATROL_COMPLETED: 0,
    PromiseKind.POINT_VISITED: 0,
}
ELAPSED = case(
    (
        or_(Promise.stopped_at.is_not(None), Promise.kind == PromiseKind.SHIFT_COVERED),
        Promise.elapsed_us,
    )
)
"""How long it took; a clock that nothing stopped goes on after its verdict."""


class Week:
    """Four night shifts with a round each, of which the phone of the guard told nothing."""

    def __init__(self, site: Patrolled, shift_ids: list[UUID]) -> None:
        self.site, self.shift_ids = site, shift_ids
        self.numbers = itertools.count(1)

    def event(self, kind: PhoneEventKind, at: datetime, **more: Any) -> PhoneEventDraft:
        started, boot = (REBOOTED, "b") if at >= REBOOTED else (BEGINS - 24 * HOUR, "a")
        return PhoneEventDraft(
            f"e{next(self.numbers)}", kind, at - SKEW, (at - started) / SECOND, boot, **more
        )

    def events(self) -> list[PhoneEventDraft]:
        """What the guard did: late once, gone early once, one round without its last point."""
        found = []
        for night, shift_id in zip(NIGHTS, self.shift_ids, strict=True):
            begins = BEGINS + night * 24 * HOUR
            came = begins + (12 * MINUTE if night == 2 else -4 * MINUTE)
            left = begins + (7 if night == 4 else 8) * HOUR
            place = {"shift_id": shift_id, "lat": LAT, "lon": LON, "accuracy_m": 8.0}
            found.append(self.event(PhoneEventKind.CLOCK_IN, came, position_age_s=3.0, **place))
            found.append(self.event(PhoneEventKind.CLOCK_OUT, left, position_age_s=5.0, **place))
            for number in (1, 2, 3) if night != 6 else (1, 2):
                at = begins + (10 + 5 * number) * MINUTE
                scan = self.site.scan(number, at)
                assert scan.position is not None
                told = replace(scan, at=at - SKEW, position=replace(scan.position, at=at - SKEW))
                found.append(self.event(PhoneEventKind.SCAN, at, scan=told))
            entry = OccurrenceDraft(OccurrenceKind.OBSERVATION, f"Night {night}")
            at = begins + 3 * HOUR
            found.append(self.event(PhoneEventKind.LOG, at, shift_id=shift_id, entry=entry))
        return found

    async def send(
        self, session: AsyncSession, drafts: list[PhoneEventDraft], at: datetime
    ) -> PhoneBatch:
        return await upload_events(
            self.site.tx(session, at), VAULT, device="phone", sent_at=at - SKEW,
            uptime_s=(at - REBOOTED) / SECOND, boot="b", drafts=drafts,
        )  # fmt: skip

    async def outcome(self, session: AsyncSession) -> dict[str, Any]:
        """What clients, payroll and quality see of the week; without what only says when it was uploaded."""
        account_id = self.site.world.account.id
        found: dict[str, Any] = {}
        for name, columns, order in (
            ("hours", (Shift.id, Shift.state, Shift.started_at, Shift.ended_at, Shift.late_at,
                       Shift.no_show_at, Shift.left_early_at), Shift.from_at),
            ("attendance", (Attendance.shift_id, Attendance.kind, Attendance.at, Attendance.source,
                            Attendance.grade, Attendance.findings), Attendance.at),
            ("scans", (PatrolScan.sequence, PatrolScan.point_id, PatrolScan.round_id, PatrolScan.grade,
                       PatrolScan.reasons), PatrolScan.sequence),
            ("rounds", (PatrolRound.id, PatrolRound.state, PatrolRound.visited, PatrolRound.missed,
                        PatrolRound.completed_at, PatrolRound.is_too_fast), PatrolRound.from_at),
            ("visits", (PatrolVisit.id, PatrolVisit.made_at, PatrolVisit.grade, PatrolVisit.is_late,
                        PatrolVisit.missed_at), PatrolVisit.id),
            ("log", (OccurrenceEntry.shift_id, OccurrenceEntry.happened_at, OccurrenceEntry.words),
             OccurrenceEntry.happened_at),
            ("reports", (ShiftReport.shift_id, ShiftReport.due_at), ShiftReport.due_at),
            ("verdicts", (Promise.kind, Promise.due_at, Promise.state, Promise.stopped_at, ELAPSED),
             Promise.kind),
        ):  # fmt: skip
            model: Any = columns[0].class_
            rows = await session.execute(
                select(*columns).where(model.account_id == account_id).order_by(order)
            )
            found[name] = sorted(map(str, rows.all()))
        return found


@pytest.fixture
async def week(make: Sessions) -> Week:
    """The week as it is without the phone: nobody came, and no round was walked."""
    site = await patrolled(make)
    async with transaction(make) as session:
        tx = site.office(session, BEGINS - 10 * HOUR)
        terms = build.terms_draft(site.world.calendar)
        promised = tuple(
            PromiseDraft(
                kind, kind, site.world.calendar.id, {Priority.LOW: Target(elapsed_s=seconds)},
                objective_ppm=950_000,
            )
            for kind, seconds in PROMISED.items()
        )  # fmt: skip
        await agreements.amend(
            tx, site.world.agreement.id, in_force_from=tx.at + MINUTE,
            terms=TermsDraft((*terms.promises, *promised), terms.period_fee_cents),
        )  # fmt: skip
        post = await posts.add_post(
            tx, site.world.site.id, name="Gate", service="reception", valid_from_on=date(2026, 1, 1)
        )
        shift_ids = []
        for night in NIGHTS:
            at = BEGINS + night * 24 * HOUR
            change = await shifts.plan_one(
                tx, post.id, from_at=at, until_at=at + 8 * HOUR, user_id=site.guard.id
            )
            await shifts.publish(tx, change.shift_ids)
            shift_ids += change.shift_ids
        for night in NIGHTS:
            day = date(2026, 3, 9 + night)
            await patrols.plan_rounds(tx, site.route.id, first_on=day, last_on=day)
    for shift_id, night in zip(shift_ids, NIGHTS, strict=True):
        for hours in (0.5, 9.5):
            async with transaction(make) as session:
                await shifts.look_at_shift(
                    session, shift_id, at=BEGINS + (24 * night + hours) * HOUR
                )
    await site.look(OVER)
    async with make() as session:
        waiting = await session.scalars(
            select(Promise.unit_id).where(Promise.account_id == site.world.account.id)
        )
        units = sorted(set(waiting))
    for unit in units:
        async with transaction(make) as session:
            await promises.sweep(session, at=OVER, only=unit)
    return Week(site, shift_ids)


def split(
    draw: random.Random, drafts: list[PhoneEventDraft], repeated: int
) -> list[list[PhoneEventDraft]]:
    """The events with some of them twice, in any order, cut into one to six batches."""
    sent = [*drafts, *draw.sample(drafts, repeated)]
    draw.shuffle(sent)
    cuts = sorted(draw.sample(range(1, len(sent)), draw.randrange(6)))
    return [sent[start:end] for start, end in itertools.pairwise([0, *cuts, len(sent)])]


async def test_an_offline_week_ends_the_same_in_any_order(week: Week) -> None:
    drafts = week.events()
    draw = random.Random(19)
    first: dict[str, Any] | None = None
    shapes, spent = set(), clock.process_time()
    for _ in range(ORDERS):
        repeated = draw.randrange(len(drafts) // 2)
        batches = split(draw, drafts, repeated)
        shapes.add(tuple(map(len, batches)))
        async with week.site.make() as session, session.begin() as kept:
            counted = [0, 0]
            for number, batch in enumerate(batches):
                done = await week.send(
                    session, batch, OVER + number * draw.randrange(1, 90) * MINUTE
                )
                assert done.refused == []
                counted[1] += done.duplicates
            assert counted[1] == repeated
            await session.flush()
            found = await week.outcome(session)
            await kept.rollback()
        first = first or found
        for name, rows in first.items():
            assert found[name] == rows, (name, [len(each) for each in batches])
    assert first is not None
    assert len(first["attendance"]) == 2 * len(NIGHTS)
    assert len(first["scans"]) == 3 * len(NIGHTS) - 1
    assert len(first["log"]) == len(first["reports"]) == len(NIGHTS)
    states = [each for each in first["verdicts"] if str(State.KEPT) in each.lower()]
    assert states
    assert len(states) < len(first["verdicts"])  # some kept, some late
    sys.stdout.write(
        f"{ORDERS} orders of {len(drafts)} events in {len(shapes)} shapes:"
        f" {len(first['verdicts'])} verdicts each, {len(states)} kept;"
        f" {clock.process_time() - spent:.0f} s of CPU\n"
    )


def test_batches_are_cut_anywhere_and_lose_nothing() -> None:
    draw = random.Random(1)
    drafts = [PhoneEventDraft(f"e{n}", PhoneEventKind.SCAN, BEGINS, 0.0, "a") for n in range(20)]
    cut = [split(draw, drafts, 5) for _ in range(50)]
    assert {len(batches) for batches in cut} == {1, 2, 3, 4, 5, 6}
    for batches in cut:
        assert all(batches)
        keys = [each.key for batch in batches for each in batch]
        assert (len(keys), set(keys)) == (25, {each.key for each in drafts})
