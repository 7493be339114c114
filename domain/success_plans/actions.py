"""Open success plans, share them with the client, comment on them and close them."""

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, true

from domain import commitments
from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.core.base import uuid7
from domain.core.bounds import must_be_day
from domain.core.errors import Code, Refused, must_be_current, naming_only
from domain.core.text_rules import must_be_line, must_be_text
from domain.success_plans import events
from domain.success_plans.model import SuccessComment, SuccessGoal, SuccessPlan, SuccessReading
from domain.success_plans.reads import GoalKpi, goal_values, measured_at
from domain.success_plans.rules import attained_ppm

LONGEST_DAYS = 5 * 366
MEASURED_BY_KPI = "Measured by the KPI when the plan was closed."


async def open_plan(
    tx: Tx,
    account_id: UUID,
    *,
    title: str,
    words: str,
    owner_id: UUID,
    starts_on: date,
    due_on: date,
    dependencies: str | None = None,
    resources: str | None = None,
) -> SuccessPlan:
    """Open a success plan for a client; the client sees it when it is shared."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await tx.get(Account, account_id, "account", argument="accountId")
    await commitments.must_be_colleague(tx, owner_id, account.id)
    must_be_line(title, "title")
    must_be_text(words, "words")
    must_be_text(dependencies, "dependencies")
    must_be_text(resources, "resources")
    must_be_day(starts_on, "startsOn", tx.at)
    must_be_day(due_on, "dueOn", tx.at)
    if not starts_on < due_on <= starts_on + timedelta(days=LONGEST_DAYS):
        raise Refused(
            Code.TIME_REVERSED,
            "dueOn must be later than startsOn, by at most five years.",
            argument="dueOn",
        )
    row = SuccessPlan(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        title=title,
        words=words,
        dependencies=dependencies,
        resources=resources,
        owner_id=owner_id,
        starts_on=starts_on,
        due_on=due_on,
        opened_at=tx.at,
    )
    tx.session.add(row)
    tx.record(
        events.SuccessPlanOpened(
            account_id=account.id,
            subject_id=row.id,
            at=tx.at,
            owner_id=owner_id,
            starts_on=starts_on,
            due_on=due_on,
        )
    )
    await tx.session.flush()
    return row


async def share(tx: Tx, plan_id: UUID, *, expected_version: int | None = None) -> SuccessPlan:
    """Share a success plan with the client, who sees it and can comment from now on; it needs a goal."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await open_row(tx, plan_id)
    must_be_current(row.version, expected_version)
    if row.shared_at is not None:
        raise Refused(Code.ALREADY_DONE, "The client sees this plan already.", argument="id")
    goal = select(SuccessGoal.id).where(SuccessGoal.plan_id == row.id).limit(1)
    if await tx.session.scalar(goal) is None:
        raise Refused(Code.INVALID, "Set a goal before you share the plan.", argument="id")
    row.shared_at = tx.at
    tx.record(events.SuccessPlanShared(account_id=row.account_id, subject_id=row.id, at=tx.at))
    await tx.session.flush()
    return row


async def comment(tx: Tx, plan_id: UUID, *, words: str) -> SuccessPlan:
    """Comment on a success plan, as the client or as the company; also on a closed one."""
    tx.actor.must(Right.FOLLOW_UP)
    whole = tx.actor.may(Right.READ_INTERNAL)
    seen = true() if whole else SuccessPlan.shared_at.is_not(None)
    row = await tx.get(SuccessPlan, plan_id, "success plan", among=seen)
    must_be_text(words, "words")
    made = SuccessComment(
        id=uuid7(),
        tenant_id=row.tenant_id,
        account_id=row.account_id,
        plan_id=row.id,
        words=words,
        author=tx.actor.subject,
        from_client=tx.actor.is_client,
        at=tx.at,
    )
    tx.session.add(made)
    tx.record(
        events.SuccessPlanCommented(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            success_comment_id=made.id,
            from_client=made.from_client,
            internal=row.shared_at is None,
        )
    )
    await tx.session.flush()
    return row


async def close_plan(
    tx: Tx, plan_id: UUID, *, outcome: str, expected_version: int | None = None
) -> SuccessPlan:
    """Close a success plan with its outcome; goals that a KPI measures keep the value that they have now."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await open_row(tx, plan_id)
    must_be_current(row.version, expected_version)
    must_be_text(outcome, "outcome")
    goals = (
        await tx.session.scalars(
            select(SuccessGoal)
            .where(SuccessGoal.plan_id == row.id)
            .order_by(SuccessGoal.id)
            .with_for_update()
        )
    ).all()
    await _keep_kpis(tx, row, [goal for goal in goals if goal.kpi is not None])
    row.closed_at, row.outcome = tx.at, outcome
    shares = {
        str(goal.id): attained_ppm(goal.baseline_milli, goal.target_milli, goal.value_milli)
        for goal in goals
    }
    tx.record(
        events.SuccessPlanClosed(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            attained_ppm=shares,
            internal=row.shared_at is None,
        )
    )
    await tx.session.flush()
    return row


async def _keep_kpis(tx: Tx, plan: SuccessPlan, goals: list[SuccessGoal]) -> None:
    """Write the values of KPIs into their goals, each with a reading and a fact."""
    account = await tx.session.get_one(Account, plan.account_id)
    wanted = [
        GoalKpi(
            plan.account_id,
            goal.kpi,
            goal.kpi_window,
            measured_at(end_of(goal.due_on, account.time_zone), tx.at),
        )
        for goal in goals
        if goal.kpi is not None and goal.kpi_window is not None
    ]
    with naming_only():
        values = await goal_values(tx.session, tx.actor, wanted, now=tx.at)
    for goal, kpi, value in zip(goals, wanted, values, strict=True):
        if value is not None:
            day = kpi.at.astimezone(ZoneInfo(account.time_zone)).date()
            note_value(tx, plan, goal, value, day, MEASURED_BY_KPI)


def note_value(
    tx: Tx, plan: SuccessPlan, goal: SuccessGoal, value_milli: int, on: date, evidence: str
) -> None:
    """Add a reading to a goal; the goal takes its value unless it has a later one."""
    tx.session.add(
        SuccessReading(
            id=uuid7(),
            tenant_id=goal.tenant_id,
            account_id=goal.account_id,
            plan_id=plan.id,
            goal_id=goal.id,
            value_milli=value_milli,
            measured_on=on,
            evidence_words=evidence,
            author=tx.actor.subject,
            at=tx.at,
        )
    )
    before = goal.value_milli
    if goal.measured_on is None or goal.measured_on <= on:
        goal.value_milli, goal.measured_on = value_milli, on
    tx.record(
        events.SuccessGoalMeasured(
            account_id=goal.account_id,
            subject_id=goal.id,
            at=tx.at,
            success_plan_id=plan.id,
            measured_on=on,
            before_milli=before,
            after_milli=goal.value_milli,
            internal=plan.shared_at is None,
        )
    )


async def open_row(tx: Tx, plan_id: UUID) -> SuccessPlan:
    """Lock a plan that is not closed; refuse another one."""
    row = await tx.get(SuccessPlan, plan_id, "success plan", lock=True)
    if row.closed_at is not None:
        raise Refused(Code.ALREADY_DONE, "This success plan is closed.", argument="id")
    return row


def end_of(day: date, zone: str) -> datetime:
    """Return the end of a local day."""
    return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(zone))
