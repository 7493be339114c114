"""Status reports: the list, the mutations and the feed."""

import asyncio
from collections.abc import AsyncIterable
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, commitments, meetings, raid, status_reports
from domain.status_reports import StatusLight, StatusRule
from schema.accounts import Account
from schema.commitments import Commitment
from schema.core import ids
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import (
    AccountId,
    ExpectedVersion,
    GlobalIdOf,
    MutationContext,
    mutation,
)
from schema.core.roots import mutation_fields, query_fields, subscription_fields
from schema.core.scalars import Long
from schema.core.types import RESTRICTED, enum, from_row, resolver, subscription
from schema.raid import RaidEntry
from schema.subscriptions import After, FeedEvent, Item, facts_named

enum(
    StatusLight,
    "StatusLight",
    green="On track, without concerns.",
    yellow="A manageable risk, which may need an adjustment.",
    red="A significant issue, which needs an intervention.",
)
enum(
    StatusRule,
    "StatusRule",
    critical_promise_broken="Red: a promise of priority critical is broken, and its unit still open.",
    milestone_very_late="Red: a milestone is more than 10 working days late.",
    compliance_too_low="Red: fewer promises were kept in the period than the floor, else the target, demands.",
    health_critical="Red: the health of the relationship is critical.",
    promise_at_risk="Yellow: a promise will be broken unless something happens.",
    milestone_late="Yellow: a milestone is late.",
    risk_high="Yellow: a risk in the RAID log has a score of 12 or more.",
    health_at_risk="Yellow: the health of the relationship is at risk.",
    health_provisional="Yellow: the health of the relationship is provisional, for lack of evidence.",
)
Row = strawberry.Parent[status_reports.StatusReport]
StatusReportId = Annotated[UUID, GlobalIdOf("StatusReport")]


ReasonRow = strawberry.Parent[status_reports.StatusReason]


@from_row(status_reports.StatusReason)
class StatusReason:
    """Rule that keeps a status from being green, and what it is about."""

    rule: Annotated[StatusRule, "Rule that applies, red or yellow."]

    @resolver(strawberry.ID)
    @staticmethod
    def subject_id(row: ReasonRow) -> str:
        """Global id of the promise, commitment, entry or account that the rule is about."""
        return ids.write(row.subject_type, row.subject_id)


@from_row(status_reports.StatusFigures)
class StatusFigures:
    """Figures of the period of a status report."""

    promises_kept: Annotated[int, "Promises to the client that were kept in the period."]
    promises_decided: Annotated[int, "Promises to the client with a verdict in the period."]
    incidents_resolved: Annotated[int, "Incidents that were resolved in the period."]
    incidents_open: Annotated[int, "Incidents that were open when the report was drafted."]
    meetings_held: Annotated[int, "Meetings of the period that took place."]


@from_row(status_reports.StatusFigures)
class StatusBudget:
    """Money of the period of a status report, in cents of one currency."""

    fee_cents: Annotated[Long, "Fee of a month by the terms in force, in cents."]
    invoiced_cents: Annotated[Long, "Net amount of the invoices issued in the period, in cents."]
    credits_cents: Annotated[Long, "Credits granted in the period, in cents."]
    currency: Annotated[str, "Currency of the terms in force, such as EUR."]


@from_row(status_reports.StatusReport)
class StatusReport(Node):
    """Status of the service for a client in a period: seven parts, drafted from data, confirmed by a person."""

    from_on: Annotated[date, "First day of the period."]
    until_on: Annotated[date, "Day after the last day of the period."]
    drafted_at: Annotated[datetime, "Time at which it was computed from the data."]
    summary: Annotated[str, "Executive summary, in two or three sentences."]
    computed: Annotated[StatusLight | None, "Overall status that the data say.", RESTRICTED]
    confirmed: Annotated[StatusLight | None, "Overall status that a person confirmed; null before."]
    confirmed_at: Annotated[datetime | None, "Time of the confirmation; null before."]
    confirmed_by: Annotated[str | None, "Who confirmed it, as named in the ledger.", RESTRICTED]
    is_greener: Annotated[
        bool | None, "Whether it was confirmed as greener than computed.", RESTRICTED
    ]
    reason: Annotated[str | None, "Reason for a status that is greener than computed.", RESTRICTED]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(list[StatusReason] | None)
    @staticmethod
    def reasons(row: Row) -> list[status_reports.StatusReason]:
        """Every rule that keeps the computed status from being green. Null for clients."""
        return [
            status_reports.StatusReason(StatusRule(rule), kind, UUID(id))
            for rule, kind, id in row.reasons
        ]

    @resolver(StatusFigures)
    @staticmethod
    def figures(row: Row) -> status_reports.StatusFigures:
        """Figures of the period."""
        return status_reports.StatusFigures(**row.figures)

    @resolver(StatusBudget | None)
    @staticmethod
    def budget(row: Row) -> status_reports.StatusFigures:
        """Fee, invoices and credits of the period. Null for roles that read no money."""
        return status_reports.StatusFigures(**row.figures)

    @resolver(list[Commitment])
    @staticmethod
    async def accomplishments(row: Row, info: Info) -> list[commitments.Commitment]:
        """Commitments to the client that were done in the period."""
        return await _all(info, commitments.Commitment, row.done_ids)

    @resolver(list[Commitment])
    @staticmethod
    async def milestones(row: Row, info: Info) -> list[commitments.Commitment]:
        """Commitments to the client that are due in the next period of the same length."""
        return await _all(info, commitments.Commitment, row.due_ids)

    @resolver(list[RaidEntry])
    @staticmethod
    async def risks(row: Row, info: Info) -> list[raid.RaidEntry]:
        """Risks and issues that are open, the highest score first."""
        return await _all(info, raid.RaidEntry, row.raid_ids)

    @resolver(list[str])
    @staticmethod
    async def decisions_needed(row: Row, info: Info) -> list[str]:
        """Questions that the last meeting of the period left open."""
        meeting = await info.context.get(meetings.Meeting, row.meeting_id)
        return [] if meeting is None else (meeting.open_questions or "").splitlines()

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)


async def _all(info: Info, model: type[Any], wanted: list[UUID]) -> list[Any]:
    found = await asyncio.gather(*(info.context.get(model, each) for each in wanted))
    return [each for each in found if each is not None]


@query_fields
class StatusReportQuery:
    """Queries of status reports."""

    @lists(
        StatusReport,
        status_reports.StatusReport.from_on,
        status_reports.StatusReport.id,
        descending=True,
    )
    @staticmethod
    def status_reports(info: Info, account_id: AccountFilter = None) -> Rows:
        """Status reports, the newest period first; clients see those that are confirmed."""
        return visible(info, status_reports.StatusReport, account_id)


@mutation_fields
class StatusReportMutation:
    """Mutations of status reports."""

    @mutation(StatusReport)
    @staticmethod
    async def draft_status_report(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client."],
        from_on: Annotated[date, "First day of the period."],
        until_on: Annotated[date, "Day after its last day, at most 366 days later."],
    ) -> status_reports.StatusReport:
        """Draft the report of a period from the data, or draft it anew."""
        return await status_reports.draft(ask.tx, account_id, from_on=from_on, until_on=until_on)

    @mutation(StatusReport)
    @staticmethod
    async def confirm_status_report(
        ask: MutationContext,
        id: Annotated[StatusReportId, "Draft to be confirmed."],
        status: Annotated[StatusLight, "Overall status, as you confirm it."],
        summary: Annotated[
            str | None, "Executive summary in your words; null for the drafted one."
        ] = None,
        reason: Annotated[
            str | None, "Reason, which a status greener than the computed one needs."
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> status_reports.StatusReport:
        """Confirm a status, after which the client sees the report."""
        return await status_reports.confirm(
            ask.tx,
            id,
            status=status,
            summary=summary,
            reason=reason,
            expected_version=expected_version,
        )


@subscription_fields
class StatusReportSubscription:
    """Subscriptions about status reports."""

    @subscription(FeedEvent)
    def status_report_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Status reports as they are drafted and confirmed."""
        return facts_named(info, account_id, after, "status_report.")
