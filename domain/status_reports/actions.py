"""Draft status reports from data, and confirm them."""

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select

from domain.access import Right, Tx
from domain.accounts.model import Account
from domain.core.base import uuid7
from domain.core.bounds import must_be_day
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_text
from domain.status_reports import events
from domain.status_reports.content import ReportedPeriod, parts_of
from domain.status_reports.evidence import reasons_of
from domain.status_reports.model import StatusLight, StatusReport
from domain.status_reports.rules import is_greener, light_of, summary_of

LONGEST_DAYS = 366


async def draft(tx: Tx, account_id: UUID, *, from_on: date, until_on: date) -> StatusReport:
    """Draft the report of a period from the data of now; an earlier draft of the same period is made anew."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    account = await tx.get(Account, account_id, "account", argument="accountId", lock=True)
    period = _period(tx, account, from_on, until_on)
    row = await tx.session.scalar(
        select(StatusReport)
        .where(
            StatusReport.account_id == account.id,
            StatusReport.from_on == from_on,
            StatusReport.until_on == until_on,
        )
        .with_for_update(key_share=True)
    )
    if row is not None and row.confirmed_at is not None:
        raise Refused(
            Code.ALREADY_DONE, "The report of this period is confirmed.", argument="fromOn"
        )
    reasons = await reasons_of(tx, account, from_at=period.from_at, until_at=period.until_at)
    parts = await parts_of(tx, account, period)
    before = None if row is None else row.computed
    if row is None:
        row = StatusReport(
            id=uuid7(),
            tenant_id=account.tenant_id,
            account_id=account.id,
            from_on=from_on,
            until_on=until_on,
        )
        tx.session.add(row)
    row.drafted_at, row.computed = tx.at, light_of(reasons)
    row.reasons = [[str(each.rule), each.subject_type, str(each.subject_id)] for each in reasons]
    row.figures = parts.figures._asdict()
    row.done_ids, row.due_ids, row.raid_ids = parts.done_ids, parts.due_ids, parts.raid_ids
    row.meeting_id = parts.meeting_id
    row.summary = summary_of(
        parts.figures,
        done=len(parts.done_ids),
        due=len(parts.due_ids),
        language=account.language,
    )
    tx.record(
        events.StatusReportDrafted(
            account_id=account.id,
            subject_id=row.id,
            at=tx.at,
            from_on=from_on,
            until_on=until_on,
            computed=row.computed,
            computed_before=before,
            rules=sorted({str(each.rule) for each in reasons}),
        )
    )
    await tx.session.flush()
    return row


async def confirm(
    tx: Tx,
    report_id: UUID,
    *,
    status: StatusLight,
    summary: str | None = None,
    reason: str | None = None,
    expected_version: int | None = None,
) -> StatusReport:
    """Confirm the status of a period; one that is greener than computed needs a reason, and is counted."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_text(summary, "summary")
    must_be_text(reason, "reason")
    row = await tx.get(StatusReport, report_id, "status report", lock=True)
    must_be_current(row.version, expected_version)
    if row.confirmed_at is not None:
        raise Refused(Code.ALREADY_DONE, "This report is confirmed already.", argument="id")
    greener = is_greener(status, row.computed)
    if greener and reason is None:
        raise Refused(
            Code.INVALID,
            f"The data say {row.computed}. Give the reason why {status} is right.",
            argument="reason",
        )
    row.confirmed, row.confirmed_at, row.confirmed_by = status, tx.at, tx.actor.subject
    row.is_greener, row.reason = greener, reason
    row.summary = summary or row.summary
    tx.record(
        events.StatusReportConfirmed(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            from_on=row.from_on,
            until_on=row.until_on,
            computed=row.computed,
            confirmed=status,
            greener=greener,
        )
    )
    await tx.session.flush()
    return row


def _period(tx: Tx, account: Account, from_on: date, until_on: date) -> ReportedPeriod:
    must_be_day(from_on, "fromOn", tx.at)
    must_be_day(until_on, "untilOn", tx.at)
    if not from_on < until_on <= from_on + timedelta(days=LONGEST_DAYS):
        raise Refused(
            Code.TIME_REVERSED,
            f"untilOn must be later than fromOn, by at most {LONGEST_DAYS} days.",
            argument="untilOn",
        )
    days = (from_on, until_on, until_on + (until_on - from_on))
    zone = ZoneInfo(account.time_zone)
    instants: list[datetime] = [datetime.combine(day, time(), zone) for day in days]
    if instants[0] > tx.at:
        raise Refused(Code.TIME_REVERSED, "The period has not begun yet.", argument="fromOn")
    return ReportedPeriod(from_on, until_on, *instants)
