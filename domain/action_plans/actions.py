"""Open action plans with an owner and a due time, prioritise, start, finish and drop them, and comment on them."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from domain import commitments
from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.action_plans import events
from domain.action_plans.model import (
    ActionPlan,
    ActionPlanComment,
    ActionPlanState,
    ActionPriority,
)
from domain.commitments import Commitment, CommitmentKind
from domain.core.base import among, uuid7
from domain.core.errors import Code, Refused, must_be_current, naming_only
from domain.core.text_rules import must_be_line, must_be_text
from domain.sentiment import Theme
from domain.surveys.model import Survey, SurveyResponse

MOST_RESPONSES = 200
LONGEST_WINDOW = timedelta(days=366)
_OPEN = frozenset({ActionPlanState.PLANNED, ActionPlanState.STARTED})


class TriggerWindow(NamedTuple):
    """The days whose answers led to a plan; `until` is the first day after them."""

    start: date
    until: date


class PlanMeasure(NamedTuple):
    """The question of a survey whose answers measure the effect of a plan."""

    survey_id: UUID
    question: str


async def open_plan(
    tx: Tx,
    account_id: UUID,
    *,
    title: str,
    words: str,
    priority: ActionPriority,
    owner_id: UUID,
    due_at: datetime,
    window: TriggerWindow,
    theme: Theme | None = None,
    measure: PlanMeasure | None = None,
    response_ids: Sequence[UUID] = (),
) -> ActionPlan:
    """Plan an action because of what a client said; the client sees it, and is promised it by the due time."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_line(title, "title")
    must_be_text(words, "words")
    account = await tx.get(Account, account_id, "account", argument="accountId")
    _must_be_window(window, tx.at)
    if measure is not None:
        await tx.get(Survey, measure.survey_id, "survey", argument="surveyId")
        must_be_line(measure.question, "question")
    responses = await _responses(tx, account.id, response_ids)
    with naming_only("ownerUserId", "dueAt"):
        commitment = await commitments.make(
            tx,
            account.id,
            kind=CommitmentKind.IMPROVEMENT,
            words=title,
            owner_id=owner_id,
            due_at=due_at,
        )
    row = ActionPlan(
        id=uuid7(),
        tenant_id=account.tenant_id,
        account_id=account.id,
        title=title,
        words=words,
        priority=priority,
        theme=theme,
        commitment_id=commitment.id,
        survey_id=None if measure is None else measure.survey_id,
        question=None if measure is None else measure.question,
        response_ids=responses,
        trigger_from=window.start,
        trigger_until=window.until,
        opened_at=tx.at,
    )
    tx.session.add(row)
    tx.record(
        events.ActionPlanOpened(
            account_id=account.id,
            subject_id=row.id,
            at=tx.at,
            priority=priority,
            theme=theme,
            commitment_id=commitment.id,
            survey_id=row.survey_id,
            question=row.question,
            response_ids=responses,
            due_at=due_at,
        )
    )
    await tx.session.flush()
    return row


async def prioritise(
    tx: Tx, plan_id: UUID, priority: ActionPriority, *, expected_version: int | None = None
) -> ActionPlan:
    """Give an open action plan another priority."""
    row = await _open(tx, plan_id, expected_version)
    if row.priority is priority:
        raise Refused(Code.ALREADY_DONE, "The plan has this priority.", argument="priority")
    tx.record(
        events.ActionPlanPrioritised(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            before=row.priority,
            after=priority,
        )
    )
    row.priority = priority
    await tx.session.flush()
    return row


async def start_plan(tx: Tx, plan_id: UUID, *, expected_version: int | None = None) -> ActionPlan:
    """Begin the work on an action plan."""
    row = await _open(tx, plan_id, expected_version)
    if row.state is ActionPlanState.STARTED:
        raise Refused(Code.ALREADY_DONE, "Work on this plan has begun.", argument="id")
    row.state, row.started_at = ActionPlanState.STARTED, tx.at
    tx.record(events.ActionPlanStarted(account_id=row.account_id, subject_id=row.id, at=tx.at))
    await tx.session.flush()
    return row


async def finish_plan(
    tx: Tx, plan_id: UUID, *, outcome: str, expected_version: int | None = None
) -> ActionPlan:
    """Say what was done: the commitment is kept or late, and the people whose answers led to it are written."""
    must_be_text(outcome, "outcome")
    row = await _open(tx, plan_id, expected_version)
    await _finish_commitment(tx, row)
    row.state, row.done_at, row.outcome = ActionPlanState.DONE, tx.at, outcome
    if row.question is not None:
        row.look_at = tx.at + timedelta(days=window_days(row))
    tx.record(events.ActionPlanDone(account_id=row.account_id, subject_id=row.id, at=tx.at))
    await tx.session.flush()
    return row


async def drop_plan(
    tx: Tx, plan_id: UUID, *, reason: str, expected_version: int | None = None
) -> ActionPlan:
    """Say why an action plan is not carried out; its commitment is withdrawn, or stays late when it is overdue."""
    must_be_text(reason, "reason")
    row = await _open(tx, plan_id, expected_version)
    commitment = await tx.session.get_one(Commitment, row.commitment_id)
    is_open = commitment.done_at is None and commitment.withdrawn_at is None
    if is_open and tx.at <= commitment.due_at:
        with naming_only("reason"):
            await commitments.withdraw(tx, commitment.id, reason=reason)
    row.state, row.dropped_at, row.drop_reason = ActionPlanState.DROPPED, tx.at, reason
    tx.record(events.ActionPlanDropped(account_id=row.account_id, subject_id=row.id, at=tx.at))
    await tx.session.flush()
    return row


async def comment(tx: Tx, plan_id: UUID, *, words: str) -> ActionPlan:
    """Comment on an action plan, as the client or as the company; both sides read it."""
    tx.actor.must(Right.FOLLOW_UP)
    must_be_text(words, "words")
    row = await tx.get(ActionPlan, plan_id, "action plan", lock=True)
    said = ActionPlanComment(
        id=uuid7(),
        tenant_id=row.tenant_id,
        account_id=row.account_id,
        plan_id=row.id,
        words=words,
        author=tx.actor.subject,
        from_client=tx.actor.is_client,
        at=tx.at,
    )
    tx.session.add(said)
    tx.record(
        events.ActionPlanCommented(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            comment_id=said.id,
            from_client=said.from_client,
        )
    )
    await tx.session.flush()
    return row


def window_days(row: ActionPlan) -> int:
    """Return the number of days of the window that led to a plan."""
    return (row.trigger_until - row.trigger_from).days


async def _open(tx: Tx, plan_id: UUID, expected_version: int | None) -> ActionPlan:
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await tx.get(ActionPlan, plan_id, "action plan", lock=True)
    must_be_current(row.version, expected_version)
    if row.state not in _OPEN:
        raise Refused(Code.ALREADY_DONE, f"This plan is {row.state}.", argument="id")
    return row


async def _finish_commitment(tx: Tx, row: ActionPlan) -> None:
    """Finish the commitment of a plan, unless somebody finished or withdrew it by itself."""
    commitment = await tx.session.get_one(Commitment, row.commitment_id)
    if commitment.done_at is None and commitment.withdrawn_at is None:
        with naming_only():
            await commitments.finish(tx, commitment.id)


async def _responses(tx: Tx, account_id: UUID, ids: Sequence[UUID]) -> list[UUID]:
    """Return the responses that led to a plan; refuse those of other accounts, and too many."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MOST_RESPONSES:
        raise Refused(
            Code.TOO_MANY, f"Name at most {MOST_RESPONSES} responses.", argument="responseIds"
        )
    found = await tx.session.scalars(
        select(SurveyResponse.id).where(
            among(SurveyResponse.id, wanted),
            SurveyResponse.account_id == account_id,
            SurveyResponse.is_anonymous.is_(False),
        )
    )
    if set(found) != set(wanted):
        raise Refused(Code.NOT_FOUND, "No such response of this client.", argument="responseIds")
    return wanted


def _must_be_window(window: TriggerWindow, at: datetime) -> None:
    if window.until <= window.start:
        raise Refused(
            Code.TIME_REVERSED, "windowUntil must be later than windowFrom.", argument="windowUntil"
        )
    if window.until - window.start > LONGEST_WINDOW:
        raise Refused(Code.INVALID, "The window has at most 366 days.", argument="windowUntil")
    if window.start > at.date():
        raise Refused(
            Code.TIME_REVERSED, "windowFrom must not be in the future.", argument="windowFrom"
        )
