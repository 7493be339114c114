"""Plan reports, and make them when they are due."""

import asyncio
from datetime import datetime, time
from uuid import UUID

import msgspec
from sqlalchemy import and_, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain import messages, promises
from domain.access import Actor, Right, Tx, row_of
from domain.accounts.model import Account
from domain.agreements import IncidentAttributes
from domain.agreements.model import Agreement
from domain.core.base import uuid7
from domain.core.changes import values_of
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.errors import Code, Refused, must_be_current
from domain.core.ledger import record
from domain.core.wakeups import DueColumn, FactKinds, WakeUp
from domain.reports import events
from domain.reports.clocks import REPORT
from domain.reports.data import load_content
from domain.reports.delivery import SOON
from domain.reports.letter import intent_of, letter_of
from domain.reports.model import Report, ReportPlan
from domain.reports.periods import (
    Cadence,
    Period,
    first_day_at,
    following,
    period_from,
)
from domain.reports.reads import names_of
from domain.reports.schedules import (
    ReportSchedules,
    choose_times,
    load_schedules,
    planned_period,
    schedule,
)

PLANNED = ("enabled", "local_time", "weekday")
"""The columns of a plan that people set."""


async def unplanned_accounts(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select accounts with an agreement that lack the plan of a default report, the companies alternately.

    An account for which planning failed waits until its next attempt.
    """
    signed = exists().where(Agreement.account_id == Account.id)
    planned = select(func.count()).where(ReportPlan.account_id == Account.id).scalar_subquery()
    found = await session.execute(
        select(Account.tenant_id, Account.id)
        .where(signed, planned < len(Cadence), ~is_deferred("report plans", Account.id, at=at))
        .order_by(rank_of(Account.tenant_id, Account.id), func.random())
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def adopt(session: AsyncSession, *, at: datetime, only: UUID | None = None) -> int:
    """Plan each default report that an account (or `only` that one) under agreement has no plan for yet.

    Returns how many were planned. The first report covers the current period; past periods get no report.
    """
    signed = exists().where(Agreement.account_id == Account.id)
    mine = signed if only is None else and_(signed, Account.id == only)
    rows: list[dict[str, object]] = []
    for cadence in Cadence:
        planned = exists().where(ReportPlan.account_id == Account.id, ReportPlan.cadence == cadence)
        unplanned = (await session.scalars(select(Account).where(mine, ~planned))).all()
        schedules = await load_schedules(session, unplanned, at=at)
        rows += [_plan_values(account, cadence, schedules) for account in unplanned]
    if rows:
        await session.execute(insert(ReportPlan).values(rows).on_conflict_do_nothing())
    return len(rows)


def _plan_values(
    account: Account, cadence: Cadence, schedules: ReportSchedules
) -> dict[str, object]:
    next_on = first_day_at(cadence, schedules.at, account.time_zone)
    local_time, weekday = schedules.of(account, cadence, next_on)
    period = period_from(cadence, next_on, zone=account.time_zone, at=local_time, weekday=weekday)
    return {
        "id": uuid7(),
        "tenant_id": account.tenant_id,
        "account_id": account.id,
        "cadence": cadence,
        "local_time": local_time,
        "weekday": weekday,
        "next_on": next_on,
        "look_at": period.made_at,
    }


async def set_plan(
    session: AsyncSession,
    actor: Actor,
    account_id: UUID,
    cadence: Cadence,
    *,
    enabled: bool | None = None,
    local_time: time | None = None,
    weekday: int | None = None,
    at: datetime,
    expected_version: int | None = None,
) -> ReportPlan:
    """Set when a client gets a report, or that it gets none; a value of None stays as it is.

    A time and a weekday become parameters of the account. A plan that is enabled again begins with the current period.
    """
    actor.must(Right.MANAGE_ACCOUNTS)
    if weekday is not None and not 0 <= weekday <= 6:
        raise Refused(Code.INVALID, "weekday must be 0 (Monday) to 6.", argument="weekday")
    if local_time is not None and local_time.tzinfo is not None:
        raise Refused(
            Code.INVALID,
            "localTime is in the client's time zone: give it without a zone.",
            argument="localTime",
        )
    account = await row_of(session, actor, Account, account_id, "account", argument="accountId")
    values = _plan_values(account, cadence, await load_schedules(session, (account,), at=at))
    await session.execute(insert(ReportPlan).values(values).on_conflict_do_nothing())
    plan = (
        await session.scalars(
            select(ReportPlan)
            .where(ReportPlan.account_id == account_id, ReportPlan.cadence == cadence)
            .with_for_update(key_share=True)
        )
    ).one()
    must_be_current(plan.version, expected_version)
    before = values_of(plan, PLANNED)
    await choose_times(Tx(session, actor, at), account_id, cadence, local_time, weekday)
    if enabled and not plan.enabled:
        plan.next_on = max(plan.next_on, first_day_at(cadence, at, account.time_zone))
    plan.enabled = plan.enabled if enabled is None else enabled
    plan.local_time = (
        plan.local_time if local_time is None else local_time.replace(second=0, microsecond=0)
    )
    plan.weekday = plan.weekday if weekday is None else weekday
    plan.look_at = planned_period(plan, account).made_at
    record(
        session,
        actor,
        events.PlanSet(
            account_id=plan.account_id,
            subject_id=plan.id,
            at=at,
            cadence=cadence,
            before=before,
            after=values_of(plan, PLANNED),
        ),
    )
    await session.flush()
    return plan


async def due(session: AsyncSession, *, at: datetime, limit: int = 50) -> list[UUID]:
    """Return the ids of plans whose next report is due."""
    return [plan.id for plan in await due_plans(session, at=at, limit=limit)]


PLANS_DUE: tuple[WakeUp, ...] = (
    DueColumn(ReportPlan.look_at, ReportPlan.enabled),
    FactKinds("report_plan."),
)


async def due_plans(session: AsyncSession, *, at: datetime, limit: int = 50) -> list[Subject]:
    """Select plans whose next report is due: the companies alternately, the longest overdue of each first."""
    turn = rank_of(ReportPlan.tenant_id, ReportPlan.look_at, ReportPlan.id)
    found = await session.execute(
        select(ReportPlan.tenant_id, ReportPlan.id)
        .where(ReportPlan.enabled, ReportPlan.look_at <= at)
        .order_by(turn, func.random())
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def make_next(session: AsyncSession, plan_id: UUID, *, at: datetime) -> Report | None:
    """Make a plan's next report if it is due, send it to the contacts, and advance the plan.

    None when another worker makes it at the moment, or nothing is due. Once per client, cadence and period, by the
    table's key; the messages once per contact, by theirs. All of it is one transaction.
    """
    plan = await session.scalar(
        select(ReportPlan)
        .where(ReportPlan.id == plan_id, ReportPlan.enabled, ReportPlan.look_at <= at)
        .with_for_update(skip_locked=True, key_share=True)
    )
    if plan is None:
        return None
    account = await session.get_one(Account, plan.account_id)
    schedules = await load_schedules(session, (account,), at=at)
    period = schedule(plan, account, schedules)
    if period.made_at > at:  # the client's time zone or plan was changed
        plan.look_at = period.made_at
        return None
    report = None
    if period.until_at > period.from_at:  # a day that a zone skipped has no report
        report = await _make(session, account, period, at=at)
    plan.next_on = following(plan.cadence, plan.next_on)
    plan.look_at = schedule(plan, account, schedules).made_at
    await session.flush()
    return report


async def _make(
    session: AsyncSession, account: Account, period: Period, *, at: datetime
) -> Report | None:
    actor = Actor.system(account.tenant_id, "reports")
    content = await load_content(session, account, period)
    report: Report | None = await session.scalar(
        insert(Report)
        .values(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            cadence=period.cadence,
            first_on=period.first_on,
            last_on=period.last_on,
            from_at=period.from_at,
            until_at=period.until_at,
            due_at=period.due_at,
            made_at=at,
            content=msgspec.to_builtins(content),
            look_at=at + SOON,
        )
        .on_conflict_do_nothing()
        .returning(Report)
    )
    if report is None:
        return None
    record(session, actor, events.about(events.ReportMade, report, at))
    await session.flush()
    # The terms in force when the report is due apply, and its cadence is the category of the promise.
    attributes = IncidentAttributes(REPORT, str(report.cadence), None, report.due_at)
    subject = promises.PromiseSubject(REPORT, report.id, account.id, attributes)
    await promises.start(session, actor, subject, at=at)
    names = await names_of(session, account, content)
    letter = await asyncio.to_thread(letter_of, content, names)
    await messages.compose(
        Tx(session, actor, at),
        account.id,
        intent=intent_of(report.id),
        template=letter.template,
        variables={"company": names.company, "letters": letter.letters},
        attachments=letter.attachments,
    )
    return report


async def defer(session: AsyncSession, plan_id: UUID, *, until: datetime) -> None:
    """Postpone a plan whose report fails, so that it does not hold up the others."""
    await session.execute(update(ReportPlan).where(ReportPlan.id == plan_id).values(look_at=until))
