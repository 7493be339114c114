"""What a status report holds beside its status: figures, what was done, what comes next, risks and issues."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, func, or_, select

from domain.access import Tx
from domain.accounts.model import Account
from domain.agreements.model import Agreement, Terms
from domain.commitments.model import Commitment
from domain.compensation.model import Credit, CreditState
from domain.incidents.model import Incident
from domain.invoices.model import Invoice
from domain.meetings.model import Meeting
from domain.promises import State
from domain.promises.model import Promise
from domain.raid.model import RaidEntry, RaidKind
from domain.status_reports.rules import StatusFigures


class ReportedPeriod(NamedTuple):
    """The days of a report as instants, and the end of the period after it."""

    from_on: date
    until_on: date
    from_at: datetime
    until_at: datetime
    next_until_at: datetime


class ReportedParts(NamedTuple):
    """The parts of a report: figures, and the ids of commitments, entries of the RAID log and the last meeting."""

    figures: StatusFigures
    done_ids: list[UUID]
    due_ids: list[UUID]
    raid_ids: list[UUID]
    meeting_id: UUID | None


async def parts_of(tx: Tx, account: Account, period: ReportedPeriod) -> ReportedParts:
    """Read the parts of a report; what is internal is in none of them."""
    row = Commitment
    mine = (row.account_id == account.id, row.internal.is_(False), row.withdrawn_at.is_(None))
    done = select(row.id).where(*mine, row.done_at >= period.from_at, row.done_at < period.until_at)
    due = select(row.id).where(
        *mine,
        row.done_at.is_(None),
        row.due_at >= period.until_at,
        row.due_at < period.next_until_at,
    )
    raid = select(RaidEntry.id).where(
        RaidEntry.account_id == account.id,
        RaidEntry.internal.is_(False),
        RaidEntry.kind.in_((RaidKind.RISK, RaidKind.ISSUE)),
        RaidEntry.closed_at.is_(None),
        RaidEntry.raised_at < period.until_at,
    )
    meeting = select(Meeting.id).where(
        Meeting.account_id == account.id,
        Meeting.summary_sent_at.is_not(None),
        Meeting.starts_at >= period.from_at,
        Meeting.starts_at < period.until_at,
    )
    score = func.coalesce(RaidEntry.impact * RaidEntry.likelihood, RaidEntry.impact * 5)
    return ReportedParts(
        await _figures(tx, account, period),
        await _ids(tx, done.order_by(row.done_at, row.id)),
        await _ids(tx, due.order_by(row.due_at, row.id)),
        await _ids(tx, raid.order_by(score.desc(), RaidEntry.id)),
        await tx.session.scalar(meeting.order_by(Meeting.starts_at.desc()).limit(1)),
    )


async def _figures(tx: Tx, account: Account, period: ReportedPeriod) -> StatusFigures:
    begin, end = period.from_at, period.until_at
    promise, incident = Promise, Incident
    decided = and_(
        promise.internal.is_(False), promise.decided_at >= begin, promise.decided_at < end
    )
    terms = (
        await tx.session.execute(
            select(Terms.period_fee_cents, Terms.currency)
            .join(Agreement, Agreement.id == Terms.agreement_id)
            .where(
                Terms.account_id == account.id,
                Terms.in_force.contains(tx.at),
                or_(Agreement.ended_at.is_(None), Agreement.ended_at > tx.at),
            )
            .order_by(Agreement.id)
        )
    ).all()
    currency = terms[0][1] if terms else "EUR"
    return StatusFigures(
        promises_kept=await _count(tx, promise, account, decided, promise.state == State.KEPT),
        promises_decided=await _count(
            tx, promise, account, decided, promise.state.in_((State.KEPT, State.LATE))
        ),
        incidents_resolved=await _count(
            tx, incident, account, incident.resolved_at >= begin, incident.resolved_at < end
        ),
        incidents_open=await _count(
            tx, incident, account, incident.resolved_at.is_(None), incident.closed_at.is_(None)
        ),
        meetings_held=await _count(
            tx, Meeting, account, Meeting.held_at.is_not(None), Meeting.starts_at >= begin,
            Meeting.starts_at < end,
        ),
        fee_cents=sum(fee for fee, each in terms if each == currency),
        invoiced_cents=await _sum(
            tx, Invoice.net_cents, account, Invoice.currency == currency,
            Invoice.issued_on >= period.from_on, Invoice.issued_on < period.until_on,
        ),
        credits_cents=await _sum(
            tx, Credit.amount_cents, account, Credit.currency == currency,
            Credit.state == CreditState.GRANTED, Credit.decided_at >= begin, Credit.decided_at < end,
        ),
        currency=currency,
    )  # fmt: skip


async def _ids(tx: Tx, query: Any) -> list[UUID]:
    return [*(await tx.session.scalars(query)).all()]


async def _count(tx: Tx, row: Any, account: Account, *conditions: Any) -> int:
    query = select(func.count()).where(row.account_id == account.id, *conditions)
    return int(await tx.session.scalar(query) or 0)


async def _sum(tx: Tx, column: Any, account: Account, *conditions: Any) -> int:
    query = select(func.sum(column)).where(column.class_.account_id == account.id, *conditions)
    return int(await tx.session.scalar(query) or 0)
