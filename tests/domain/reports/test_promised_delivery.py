"""A report's delivery is an ordinary promise of the agreement: ordinary clock, ordinary verdict, ordinary credit."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import agreements, archive, compensation, promises
from domain.access import Actor, Tx
from domain.agreements import CreditDraft, Priority, PromiseDraft, PromiseKind, Target, TicketKind
from domain.agreements.rules import TermsDraft, check
from domain.compensation.model import Credit, CreditKind
from domain.core.db import Sessions, transaction
from domain.core.errors import Refused
from domain.core.ledger import LedgerRow
from domain.evaluator.kernels.codes import ClockState
from domain.promises import Promise, PromiseWatch, State, batch, to_us
from domain.reports import Cadence, Report, ReportPlan, ReportVerdict
from tests import build
from tests.build import T0, World
from tests.domain.reports.test_actions import arrive, followed, made, planned

GRACE = timedelta(minutes=2)


def on_time(calendar_id: object, **more: object) -> PromiseDraft:
    given = {
        "name": "report", "kind": PromiseKind.REPORT_DELIVERED, "calendar_version_id": calendar_id,
        "targets": {Priority.LOW: Target(elapsed_s=120)},
        "credits": {None: CreditDraft(fixed_cents=4_200)},
    }  # fmt: skip
    return PromiseDraft(**(given | more))  # type: ignore[arg-type]


async def promised_report(make: Sessions) -> tuple[World, Report]:
    """A client whose agreement promises reports, and a plan from when plans gave a credit for late ones."""
    world = await build.client(make)
    async with transaction(make) as session:
        await promises_reports(session, world)
    plan = (await planned(make, world))[Cadence.DAILY]
    async with transaction(make) as session:
        await session.execute(
            update(ReportPlan).where(ReportPlan.id == plan.id).values(late_credit_cents=1_500)
        )
    report = await made(make, plan, plan.look_at)
    assert report is not None
    return world, report


async def promises_reports(session: AsyncSession, world: World) -> None:
    terms = build.terms_draft(world.calendar)
    terms = TermsDraft((*terms.promises, on_time(world.calendar.id)), terms.period_fee_cents)
    await agreements.amend(
        Tx(session, Actor.system(world.tenant.id, "test"), T0), world.agreement.id,
        in_force_from=T0 + timedelta(minutes=1), terms=terms,
    )  # fmt: skip


async def promise_of(make: Sessions, report: Report) -> Promise:
    async with make() as session:
        rows = await session.scalars(select(Promise).where(Promise.unit_id == report.id))
        return rows.one()


async def test_a_report_delivered_in_time_keeps_its_promise_when_it_is_due(make: Sessions) -> None:
    _, report = await promised_report(make)
    pending = await promise_of(make, report)
    assert (pending.unit_kind, pending.incident_id, pending.state) == (
        "report",
        None,
        State.PENDING,
    )
    assert (pending.due_at, pending.next_check_at) == (report.due_at, report.due_at)

    early = report.due_at - timedelta(minutes=3)
    await arrive(make, report, early, early)
    before = await followed(make, report, at=early + timedelta(seconds=2))
    assert (before.delivered_at, before.verdict) == (early, None)
    async with transaction(make) as session:
        await promises.sweep(session, at=report.due_at, only=report.id)
    kept = await followed(make, report, at=report.due_at)

    promise = await promise_of(make, report)
    assert (promise.state, promise.decided_at) == (State.KEPT, report.due_at)
    assert (kept.verdict, kept.judged_at, kept.look_at) == (
        ReportVerdict.KEPT, report.due_at, None
    )  # fmt: skip
    assert await bodies(make, promise) == [
        ("promise.kept", {"unit_kind": "report", "unit_id": str(report.id)})
    ]


async def test_a_late_report_earns_the_credit_of_the_agreement_and_no_other(make: Sessions) -> None:
    world, report = await promised_report(make)
    async with transaction(make) as session:
        await promises.sweep(session, at=report.due_at + GRACE, only=report.id)
    assert (await promise_of(make, report)).state is State.AT_RISK
    missed = report.due_at + GRACE + timedelta(seconds=1)
    async with transaction(make) as session:
        await promises.sweep(session, at=missed, only=report.id)
    late = await followed(make, report, at=missed)
    promise = await promise_of(make, report)
    async with transaction(make) as session:
        system = Actor.system(world.tenant.id, "test")
        await compensation.decide(Tx(session, system, missed), promise.id)

    assert (promise.state, promise.decided_at) == (State.LATE, report.due_at + GRACE)
    assert (late.verdict, late.judged_at) == (ReportVerdict.LATE, promise.decided_at)
    async with make() as session:
        credit = (
            await session.scalars(select(Credit).where(Credit.account_id == world.account.id))
        ).one()
        told = await session.scalar(select(LedgerRow).where(LedgerRow.subject_id == credit.id))
    assert (credit.kind, credit.amount_cents, credit.promise_id, credit.incident_id) == (
        CreditKind.PROMISE, 4_200, promise.id, None
    )  # fmt: skip
    assert told is not None
    assert (told.kind, told.body["unit_id"]) == ("credit.decided", str(report.id))


async def test_a_revised_verdict_on_a_report_does_not_stop_the_next_report(make: Sessions) -> None:
    world, report = await promised_report(make)
    late = report.due_at + timedelta(hours=1)
    async with transaction(make) as session:
        await promises.sweep(session, at=late, only=report.id)
    await arrive(make, report, report.due_at, report.due_at)
    revised = await followed(make, report, at=late)

    assert (await promise_of(make, report)).state is State.KEPT
    assert revised.verdict is ReportVerdict.KEPT
    plan = (await planned(make, world))[Cadence.DAILY]
    assert await made(make, plan, plan.look_at) is not None


@pytest.mark.parametrize("delivered", [None, timedelta(seconds=119), timedelta(seconds=121)])
async def test_one_report_online_in_a_batch_and_in_columns_is_judged_alike(
    make: Sessions, delivered: timedelta | None
) -> None:
    world, report = await promised_report(make)
    ticket = await build.incident(make, world)
    now = report.due_at + timedelta(hours=1)
    if delivered is not None:
        await arrive(make, report, report.due_at + delivered, report.due_at + delivered)
    await followed(make, report, at=now)
    async with transaction(make) as session:
        await promises.sweep(session, at=now, only=report.id)

    promise = await promise_of(make, report)
    which = select(PromiseWatch.unit_id).where(PromiseWatch.account_id == world.account.id)
    async with make() as session:
        compared = await batch.verify(session, which, at=now)
        log = await archive.load(session, world.account.id, at=now)
    assert compared is not None
    assert (compared[0].units, compared[1]) == (2, [])
    rows = archive.judged(log, to_us(now))
    units = [archive.uuid_of(each) for each in log.incidents]
    mine = [row for row in rows if units[row.unit] == report.id]
    assert len(mine) == 1
    assert promises.from_us(int(mine[0].decided_us)) == promise.decided_at
    is_kept = ClockState(int(mine[0].state)) is ClockState.KEPT
    assert is_kept == (promise.state is State.KEPT) == (delivered == timedelta(seconds=119))
    assert ticket.id in units
    async with make() as session:
        pinned = await session.scalars(select(Promise.kind).where(Promise.unit_id == ticket.id))
        assert PromiseKind.REPORT_DELIVERED not in set(pinned)


@pytest.mark.parametrize(
    "more",
    [
        {"targets": {p: Target(elapsed_s=0) for p in (Priority.LOW, Priority.HIGH)}},
        {"ticket_kinds": (TicketKind.ALARM,)},
    ],
)
def test_a_promise_about_reports_has_one_target_and_no_kind_of_incident(
    more: dict[str, object],
) -> None:
    with pytest.raises(Refused, match="reports have"):
        check(TermsDraft((on_time(T0, **more),)))


async def bodies(make: Sessions, promise: Promise) -> list[tuple[str, dict[str, str]]]:
    """The facts about a promise, with what their bodies say about its unit."""
    async with make() as session:
        rows = await session.scalars(
            select(LedgerRow).where(LedgerRow.subject_id == promise.id).order_by(LedgerRow.id)
        )
        named = ("incident_id", "unit_kind", "unit_id")
        return [(row.kind, {n: row.body[n] for n in named if n in row.body}) for row in rows]
