"""Set goals of success plans, revise them, and enter their values with evidence."""

from datetime import date
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from domain import commitments
from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.core.base import uuid7
from domain.core.bounds import must_be_cents
from domain.core.changes import values_of
from domain.core.errors import Code, Refused, must_be_current, naming_only
from domain.core.text_rules import must_be_line, must_be_text
from domain.kpis import KpiKey, readable
from domain.quality import Window
from domain.success_plans import events
from domain.success_plans.actions import note_value, open_row
from domain.success_plans.model import SuccessGoal, SuccessPlan

MOST_GOALS = 50
MAX_VALUE = 1_000_000_000
REVISED = ("baseline_milli", "target_milli", "due_on", "owner_id", "value_cents")


class GoalDraft(NamedTuple):
    """A goal as it is to be set: by a KPI with a window, or in a unit of its own."""

    title: str
    criterion_words: str
    baseline: float
    target: float
    owner_id: UUID
    due_on: date
    kpi: KpiKey | None = None
    kpi_window: Window | None = None
    unit: str | None = None
    value_cents: int | None = None


async def set_goal(tx: Tx, plan_id: UUID, draft: GoalDraft) -> SuccessGoal:
    """Add a goal to an open success plan."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    plan = await open_row(tx, plan_id)
    await commitments.must_be_colleague(tx, draft.owner_id, plan.account_id)
    must_be_line(draft.title, "title")
    must_be_text(draft.criterion_words, "criterionWords")
    must_be_line(draft.unit, "unit")
    must_be_cents(draft.value_cents, "valueCents")
    if (draft.kpi is None) == (draft.unit is None):
        raise Refused(
            Code.INVALID, "Give either a KPI or the unit of values you enter.", argument="unit"
        )
    if draft.kpi is not None:
        with naming_only():
            readable(tx.actor, {draft.kpi})
    elif draft.kpi_window is not None:
        raise Refused(Code.INVALID, "Only a KPI has a window.", argument="kpiWindow")
    ends = _ends(draft.baseline, draft.target)
    _must_be_due(plan, draft.due_on)
    n = await tx.session.scalar(select(func.count()).where(SuccessGoal.plan_id == plan.id))
    if (n or 0) >= MOST_GOALS:
        raise Refused(Code.TOO_MANY, f"A plan has at most {MOST_GOALS} goals.", argument="id")
    window = None if draft.kpi is None else draft.kpi_window or Window.LAST_28D
    row = SuccessGoal(
        id=uuid7(),
        tenant_id=plan.tenant_id,
        account_id=plan.account_id,
        plan_id=plan.id,
        title=draft.title,
        criterion_words=draft.criterion_words,
        kpi=draft.kpi,
        kpi_window=window,
        unit=draft.unit,
        baseline_milli=ends[0],
        target_milli=ends[1],
        owner_id=draft.owner_id,
        due_on=draft.due_on,
        value_cents=draft.value_cents,
        set_at=tx.at,
    )
    tx.session.add(row)
    tx.record(
        events.SuccessGoalSet(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            success_plan_id=plan.id,
            after=values_of(row, (*REVISED, "kpi", "kpi_window", "unit")),
            internal=plan.shared_at is None,
        )
    )
    await tx.session.flush()
    return row


async def revise_goal(
    tx: Tx,
    goal_id: UUID,
    *,
    baseline: float | None = None,
    target: float | None = None,
    due_on: date | None = None,
    owner_id: UUID | None = None,
    value_cents: int | None = None,
    expected_version: int | None = None,
) -> SuccessGoal:
    """Revise a goal of an open success plan; None leaves a value as it is."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row, plan = await _open_goal(tx, goal_id, expected_version)
    must_be_cents(value_cents, "valueCents")
    if owner_id is not None:
        await commitments.must_be_colleague(tx, owner_id, row.account_id)
    before = values_of(row, REVISED)
    ends = _ends(
        row.baseline_milli / 1_000 if baseline is None else baseline,
        row.target_milli / 1_000 if target is None else target,
    )
    if due_on is not None:
        _must_be_due(plan, due_on)
    row.baseline_milli, row.target_milli = ends
    row.due_on = due_on or row.due_on
    row.owner_id = owner_id or row.owner_id
    row.value_cents = row.value_cents if value_cents is None else value_cents
    after = values_of(row, REVISED)
    changed = [name for name in REVISED if before[name] != after[name]]
    if not changed:
        raise Refused(Code.INVALID, "Give a value that differs from the present one.")
    tx.record(
        events.SuccessGoalRevised(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            success_plan_id=plan.id,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
            internal=plan.shared_at is None,
        )
    )
    await tx.session.flush()
    return row


async def measure_goal(
    tx: Tx,
    goal_id: UUID,
    *,
    value: float,
    evidence: str,
    measured_on: date | None = None,
    expected_version: int | None = None,
) -> SuccessGoal:
    """Enter a value of a goal with its evidence; a goal that a KPI measures takes none."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row, plan = await _open_goal(tx, goal_id, expected_version)
    must_be_text(evidence, "evidenceWords")
    if row.kpi is not None:
        raise Refused(
            Code.INVALID, "A KPI measures this goal; its values are not entered.", argument="id"
        )
    account = await tx.session.get_one(Account, row.account_id)
    today = tx.at.astimezone(ZoneInfo(account.time_zone)).date()
    day = measured_on or today
    if day > today or day < plan.starts_on:
        raise Refused(
            Code.TIME_REVERSED,
            f"measuredOn must be from {plan.starts_on} until today.",
            argument="measuredOn",
        )
    note_value(tx, plan, row, _milli(value, "value"), day, evidence)
    await tx.session.flush()
    return row


async def _open_goal(
    tx: Tx, goal_id: UUID, expected_version: int | None
) -> tuple[SuccessGoal, SuccessPlan]:
    """Lock the plan of a goal and then the goal, in the order in which a plan is closed."""
    found = await tx.get(SuccessGoal, goal_id, "goal")
    plan = await open_row(tx, found.plan_id)
    row = await tx.get(SuccessGoal, goal_id, "goal", lock=True)
    must_be_current(row.version, expected_version)
    return row, plan


def _must_be_due(plan: SuccessPlan, due_on: date) -> None:
    if not plan.starts_on < due_on <= plan.due_on:
        raise Refused(
            Code.TIME_REVERSED,
            f"dueOn must be within the plan: after {plan.starts_on}, until {plan.due_on}.",
            argument="dueOn",
        )


def _ends(baseline: float, target: float) -> tuple[int, int]:
    ends = _milli(baseline, "baseline"), _milli(target, "target")
    if ends[0] == ends[1]:
        raise Refused(
            Code.INVALID, "target must differ from baseline by 0.001 or more.", argument="target"
        )
    return ends


def _milli(value: float, argument: str) -> int:
    if not abs(value) <= MAX_VALUE:
        raise Refused(Code.INVALID, f"{argument} must be within ±{MAX_VALUE:,}.", argument=argument)
    return round(value * 1_000)
