"""Follow reports: record their delivery, and the verdict of the promise about it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import promises
from domain.access import Actor
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.ledger import record
from domain.core.wakeups import DueColumn, WakeUp
from domain.messages.model import Message, MessageState
from domain.promises.model import Promise, State
from domain.reports import events
from domain.reports.letter import intent_of
from domain.reports.model import Report, ReportVerdict

SOON, LATER = timedelta(seconds=2), timedelta(minutes=5)
"""How often the delivery of a report is checked: SOON while it may still be in time, LATER afterwards."""
GIVEN_UP = timedelta(days=3)
_UNDER_WAY = frozenset({MessageState.QUEUED, MessageState.SENDING})
_ARRIVED = frozenset({MessageState.SENT, MessageState.DELIVERED, MessageState.READ})


DELIVERIES_DUE: tuple[WakeUp, ...] = (
    DueColumn(Report.look_at, ~is_deferred("report deliveries", Report.id)),
)


async def reports_to_follow(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select reports whose delivery or verdict is open: the companies alternately, the longest overdue of each first.

    One whose check failed waits until its next attempt.
    """
    turn = rank_of(Report.tenant_id, Report.look_at, Report.id)
    found = await session.execute(
        select(Report.tenant_id, Report.id)
        .where(Report.look_at <= at, ~is_deferred("report deliveries", Report.id, at=at))
        .order_by(turn, func.random())
        .limit(limit)
    )
    return [Subject(*row) for row in found]


async def follow(
    session: AsyncSession, *, at: datetime, limit: int = 100, only: UUID | None = None
) -> int:
    """Check reports (or `only` that one) whose delivery or verdict is open, and record the outcome; return how many."""
    mine = Report.look_at <= at
    reports = (
        await session.scalars(
            select(Report)
            .where(mine if only is None else and_(mine, Report.id == only))
            .order_by(Report.look_at)
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True)
        )
    ).all()
    for report in reports:
        await _follow(session, report, at=at)
    await session.flush()
    return len(reports)


async def _follow(session: AsyncSession, report: Report, *, at: datetime) -> None:
    actor = Actor.system(report.tenant_id, "reports")
    if report.delivered_at is None:
        report.delivered_at = await _delivered_at(session, report)
        if report.delivered_at is not None:
            record(
                session, actor, events.about(events.ReportDelivered, report, report.delivered_at)
            )
            await promises.evaluate(session, actor, report.id, at=at)
    promised = await _promised(session, report)
    verdict, judged_at = _verdict(promised)
    if verdict is not None and judged_at is not None and verdict is not report.verdict:
        report.verdict, report.judged_at = verdict, judged_at
        kind = events.ReportInTime if verdict is ReportVerdict.KEPT else events.Late
        record(session, actor, events.about(kind, report, judged_at))
    decided = report.verdict is not None or not promised
    if decided and (report.delivered_at is not None or at > report.due_at + GIVEN_UP):
        report.look_at = None
    elif report.delivered_at is not None and at < report.due_at:
        report.look_at = report.due_at  # the verdict on a date comes when it does
    else:
        busy_until = max(report.due_at, report.made_at) + LATER
        report.look_at = at + (SOON if at <= busy_until else LATER)


class _DeliveryVerdict(NamedTuple):
    """The verdict on a delivery and its time; None while undecided, and without a promise."""

    verdict: ReportVerdict | None
    at: datetime | None


async def _promised(session: AsyncSession, report: Report) -> Sequence[Promise]:
    rows = await session.scalars(
        select(Promise).where(Promise.unit_id == report.id, Promise.internal.is_(False))
    )
    return rows.all()


def _verdict(promised: Sequence[Promise]) -> _DeliveryVerdict:
    """Return the verdict of the promises in the agreement."""
    late = [row for row in promised if row.state is State.LATE]
    if late:
        return _DeliveryVerdict(ReportVerdict.LATE, late[0].decided_at)
    if promised and all(row.state is State.KEPT for row in promised):
        return _DeliveryVerdict(ReportVerdict.KEPT, promised[0].decided_at)
    return _DeliveryVerdict(None, None)


async def _delivered_at(session: AsyncSession, report: Report) -> datetime | None:
    """Return when the last of its messages was accepted; None while one is pending, or when none arrived.

    A message that waits for the end of its reader's own quiet hours does not count. A report without recipients is
    delivered when it is made, because it is available in the portal.
    """
    letters = (
        await session.execute(
            select(Message.state, Message.sent_at, Message.not_before).where(
                Message.account_id == report.account_id, Message.intent == intent_of(report.id)
            )
        )
    ).all()
    awaited = [
        (state, sent_at)
        for state, sent_at, not_before in letters
        if not_before is None or not_before < report.due_at
    ]
    if not awaited:
        return report.made_at
    if any(state in _UNDER_WAY for state, _ in awaited):
        return None
    return max(
        (sent_at for state, sent_at in awaited if state in _ARRIVED and sent_at is not None),
        default=None,
    )
