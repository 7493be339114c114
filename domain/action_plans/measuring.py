"""Measure the effect of plans that are done: two windows after them, and the two ahead of the triggering one."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.accounts.model import Account
from domain.action_plans.actions import window_days
from domain.action_plans.effects import Answers, MeasuredEffect, measured_effect
from domain.action_plans.events import ActionPlanMeasured
from domain.action_plans.model import ActionPlan, ActionPlanEffect
from domain.core.base import uuid7
from domain.core.deferral import Subject, is_deferred
from domain.surveys import POSITIVE, SCALES, QuestionKind
from domain.surveys.model import SurveyAnswer, SurveyResponse

PART = "action plans"
WINDOWS = 2
"""Windows before, and windows after."""


async def plans_to_measure(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select plans that are done, with a window after them that is over."""
    rows = await session.execute(
        select(ActionPlan.tenant_id, ActionPlan.id)
        .where(ActionPlan.look_at <= at, ~is_deferred(PART, ActionPlan.id, at=at))
        .order_by(ActionPlan.look_at, ActionPlan.id)
        .limit(limit)
    )
    return [Subject(*row) for row in rows]


async def measure_plan(
    session: AsyncSession, subject: Subject, *, at: datetime
) -> ActionPlanEffect | None:
    """Measure a plan, and look at it again after the second window; the second measure is final."""
    row = await session.scalar(
        select(ActionPlan)
        .where(ActionPlan.id == subject.id, ActionPlan.look_at <= at)
        .with_for_update(skip_locked=True)
    )
    if row is None or row.done_at is None:
        return None
    tx = Tx(session, Actor.system(row.tenant_id, PART), at)
    account = await session.get_one(Account, row.account_id)
    days = timedelta(days=window_days(row))
    done_on = row.done_at.astimezone(ZoneInfo(account.time_zone)).date()
    before = (row.trigger_from - WINDOWS * days, row.trigger_from)
    today = at.astimezone(ZoneInfo(account.time_zone)).date()
    end = done_on + WINDOWS * days
    is_final = today >= end
    after = (done_on, min(end, today))
    found = measured_effect(
        *[await _answers(tx, row, account, window, others=False) for window in (before, after)],
        *[await _answers(tx, row, account, window, others=True) for window in (before, after)],
    )
    effect = await _store(tx, row, found, before, after, is_final=is_final)
    row.look_at = None if is_final else _midnight(account, end)
    await session.flush()
    return effect


async def _answers(
    tx: Tx, row: ActionPlan, account: Account, window: tuple[date, date], *, others: bool
) -> Answers:
    """Return the last answer of each person in a window; of the account, or of all others of the company."""
    whose: ColumnElement[bool] = SurveyResponse.account_id == row.account_id
    rows = await tx.session.execute(
        select(
            SurveyResponse.contact_id,
            SurveyResponse.id,
            SurveyAnswer.kind,
            SurveyAnswer.number,
        )
        .join(SurveyResponse, SurveyResponse.id == SurveyAnswer.response_id)
        .where(
            SurveyResponse.tenant_id == row.tenant_id,
            ~whose if others else whose,
            SurveyResponse.survey_id == row.survey_id,
            SurveyAnswer.question == row.question,
            SurveyAnswer.number.is_not(None),
            SurveyResponse.answered_at >= _midnight(account, window[0]),
            SurveyResponse.answered_at < _midnight(account, window[1]),
        )
        .order_by(SurveyResponse.answered_at, SurveyResponse.id)
    )
    return {
        str(contact_id or response_id): value
        for contact_id, response_id, kind, number in rows
        if number is not None and (value := unit_value(kind, number)) is not None
    }


def unit_value(kind: QuestionKind, number: int) -> float | None:
    """Return what an answer adds to a score: -100, 0 or 100 of NPS, 0 or 100 of a share, 1 to 7 of effort."""
    if number not in SCALES.get(kind, ()):
        return None
    if kind is QuestionKind.NPS:
        return 100.0 if number >= 9 else -100.0 if number <= 6 else 0.0
    if kind is QuestionKind.CES:
        return float(number)
    return 100.0 if number >= POSITIVE[kind] else 0.0


async def _store(
    tx: Tx,
    row: ActionPlan,
    found: MeasuredEffect,
    before: Sequence[date],
    after: Sequence[date],
    *,
    is_final: bool,
) -> ActionPlanEffect:
    known = await tx.session.scalar(
        select(ActionPlanEffect).where(ActionPlanEffect.plan_id == row.id)
    )
    effect = known or ActionPlanEffect(
        id=uuid7(), tenant_id=row.tenant_id, account_id=row.account_id, plan_id=row.id
    )
    verdict_before = None if known is None else known.verdict
    effect.measured_at, effect.is_final = tx.at, is_final
    effect.before_from, effect.before_until = before
    effect.after_from, effect.after_until = after
    for name in MeasuredEffect.__dataclass_fields__:
        setattr(effect, name, getattr(found, name))
    tx.session.add(effect)
    tx.record(
        ActionPlanMeasured(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            before=verdict_before,
            after=found.verdict,
            method=found.method,
            n_before=found.n_before,
            n_after=found.n_after,
            n_both=found.n_both,
            n_others=found.n_others,
            difference_milli=_milli(found.difference),
            low_milli=_milli(found.low),
            high_milli=_milli(found.high),
            probability_ppm=None if found.probability is None else round(1e6 * found.probability),
            is_final=is_final,
        )
    )
    return effect


def _midnight(account: Account, day: date) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(account.time_zone))


def _milli(value: float | None) -> int | None:
    return None if value is None else round(1000 * value)
