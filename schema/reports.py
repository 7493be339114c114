"""Reports: schedules, reports made, and the ratios of punctuality and proactive notification."""

from datetime import date, datetime, time
from typing import Annotated, Any

import msgspec
import strawberry

from domain import accounts, reports
from domain.core import short_numbers
from domain.promises import InternalFigures
from domain.reports import (
    Cadence,
    Content,
    Proactive,
    Punctuality,
    ReportVerdict,
)
from schema.accounts import Account
from schema.core import ids
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, among, lists, visible
from schema.core.mutations import AccountId, ExpectedVersion, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.scalars import Long
from schema.core.types import enum, from_row, resolver
from schema.promises import InternalObjectiveFigures

enum(
    Cadence,
    "ReportCadence",
    daily="Daily status report of one day.",
    weekly="Weekly review, Monday to Sunday.",
)
enum(
    ReportVerdict,
    "ReportVerdict",
    kept="Kept: the report was delivered in time.",
    late="Late: the report was not delivered when due.",
)

PlanRow = strawberry.Parent[reports.ReportPlan]
Row = strawberry.Parent[reports.Report]
AccountArg = Annotated[strawberry.ID, "Account to be measured."]
FromArg = Annotated[datetime, "Start of the period, inclusive."]
UntilArg = Annotated[datetime, "End of the period, exclusive."]
LanguageArg = Annotated[str, "Language of the texts: `nl` or `en`; any other value means `en`."]


@from_row(reports.ReportPlan)
class ReportPlan(Node):
    """Schedule of one report to a client, in the client's local time."""

    cadence: Annotated[Cadence, "How often the report comes: daily or weekly."]
    enabled: Annotated[bool, "Whether the report is made."]
    local_time: Annotated[
        time,
        "Local time of the client at which the next report is due; `parameters` say where it comes from.",
    ]
    weekday: Annotated[int, "Weekday on which the next weekly report is due: 0 is Monday."]
    late_credit_cents: Annotated[
        Long | None,
        "Credit for a late report that was set before the terms gave it; no longer granted.",
    ]
    next_on: Annotated[date, "First day that the next report covers."]
    version: Annotated[int, "Version of the row, raised by every change."]

    account = to_one(Account, accounts.Account, "account_id", "Account that receives the report.")


@from_row(reports.Report)
class Report(Node):
    """Report as it was made; its figures never change."""

    cadence: Annotated[Cadence, "How often the report comes: daily or weekly."]
    first_on: Annotated[date, "First day that the report covers."]
    last_on: Annotated[date, "Last day that the report covers."]
    due_at: Annotated[datetime, "Time at which the report was due."]
    made_at: Annotated[datetime, "Time at which the report was made."]
    delivered_at: Annotated[
        datetime | None, "Time at which all recipients had received the report; null before."
    ]
    verdict: Annotated[
        ReportVerdict | None,
        "Verdict of the promise about its delivery; null while undecided, and without such a promise.",
    ]

    @resolver(str)
    @staticmethod
    def number(row: Row) -> str:
        """Number for people, such as `RPT-000123`; counted per company."""
        return short_numbers.format_number(short_numbers.REPORT, row.number)

    account = to_one(Account, accounts.Account, "account_id", "Account that the report is about.")

    @resolver(str)
    @staticmethod
    def headline(row: Row, language: LanguageArg = "en") -> str:
        """Summary of the report in one line."""
        return reports.summary_of(_content(row), code=language)

    @resolver(Long)
    @staticmethod
    def kept(row: Row) -> int:
        """Number of kept promises in the report."""
        return _content(row).figures.kept

    @resolver(Long)
    @staticmethod
    def late(row: Row) -> int:
        """Number of late promises in the report."""
        return _content(row).figures.late

    @resolver(str)
    @staticmethod
    def pdf_path(row: Row, language: LanguageArg = "en") -> str:
        """Path on this server of the PDF; send the `Authorization` header of the API."""
        return f"/reports/{row.id}.pdf?language={'nl' if language == 'nl' else 'en'}"

    @resolver(list[InternalObjectiveFigures], work=20)
    @staticmethod
    async def internal_objectives(row: Row, info: Info) -> list[InternalFigures]:
        """Internal objectives of the company decided in the period, as known now; not in the report itself."""
        async with info.context.sessions() as session:
            return await reports.internal_figures(session, row)


def _content(row: reports.Report) -> Content:
    return msgspec.convert(row.content, Content)


@from_row(Punctuality)
class ReportPunctuality:
    """Numbers of reports due in a period and delivered in time."""

    due: Annotated[int, "Number of reports that were due, also of those without a promise."]
    kept: Annotated[int, "Number of reports that were delivered in time."]
    late: Annotated[int, "Number of reports that were late."]


@from_row(Proactive)
class ProactiveNotification:
    """Number of service changes in a period, and how many were announced to the client before they took effect.

    Changes are promises that ran late, amendments of terms and ends of agreements. An announcement is a visible
    update on the incident, or a message about the subject, after the clock started and before the change.
    """

    changes: Annotated[int, "Number of changes in the period."]
    told: Annotated[int, "Number of changes that were announced beforehand."]

    @resolver(float | None)
    @staticmethod
    def ratio(row: strawberry.Parent[Proactive]) -> float | None:
        """Share of changes announced beforehand; null when nothing changed."""
        return row.told / row.changes if row.changes else None


@query_fields
class ReportQuery:
    """Queries of reports."""

    @lists(Report, reports.Report.due_at, reports.Report.id, descending=True)
    @staticmethod
    def reports(
        info: Info,
        account_id: AccountFilter = None,
        cadences: Annotated[list[Cadence] | None, "Only reports of these cadences."] = None,
        verdicts: Annotated[
            list[ReportVerdict] | None, "Only reports with one of these verdicts."
        ] = None,
        search: Annotated[
            str | None, "Only the report with this number: `RPT-000123` or `123`."
        ] = None,
    ) -> Rows:
        """Reports that were made, the latest due first."""
        row = reports.Report
        query = visible(info, row, account_id)
        query = among(query, row.cadence, cadences)
        if search is not None:
            query = query.where(
                row.number == (short_numbers.parse_number(short_numbers.REPORT, search) or 0)
            )
        return among(query, row.verdict, verdicts)

    @resolver(list[ReportPlan])
    @staticmethod
    async def report_plans(info: Info, account_id: AccountArg) -> Any:
        """Schedules of the reports to clients."""
        row = reports.ReportPlan
        query = visible(info, row, account_id).order_by(row.cadence)
        async with info.context.sessions() as session:
            return list(await session.scalars(query))

    @resolver(ReportPunctuality, work=100)
    @staticmethod
    async def report_punctuality(
        info: Info, account_id: AccountArg, from_at: FromArg, until_at: UntilArg
    ) -> Punctuality:
        """Punctuality of the reports to a client, by the verdicts of the promises about their delivery."""
        account = ids.known(account_id, "Account")
        if account is None:
            return Punctuality(0, 0, 0)
        async with info.context.sessions() as session:
            return await reports.punctuality(
                session, info.context.actor, account, from_at=from_at, until_at=until_at
            )

    @resolver(ProactiveNotification | None, work=500)
    @staticmethod
    async def proactive_notification(
        info: Info, account_id: AccountArg, from_at: FromArg, until_at: UntilArg
    ) -> Proactive | None:
        """Share of service changes announced to a client beforehand."""
        account, until_at = ids.known(account_id, "Account"), min(until_at, info.context.at)
        if account is None:
            return None
        async with info.context.sessions() as session:
            return await reports.proactive_of(
                session, info.context.actor, account, from_at=from_at, until_at=until_at
            )


@mutation_fields
class ReportMutation:
    """Mutations of report schedules."""

    @mutation(ReportPlan)
    @staticmethod
    async def set_report_plan(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account that receives the report."],
        cadence: Annotated[Cadence, "How often the report comes: daily or weekly."],
        enabled: Annotated[bool | None, "Whether the report is made; null: unchanged."] = None,
        local_time: Annotated[
            time | None, "Local time of the client at which the report is due; null: unchanged."
        ] = None,
        weekday: Annotated[
            int | None, "Weekday of a weekly report, 0 (Monday) to 6; null: unchanged."
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> reports.ReportPlan:
        """Set the schedule of a report to a client, or switch it off. Time and weekday become parameters of it."""
        return await reports.set_plan(
            ask.session,
            ask.actor,
            account_id,
            cadence,
            enabled=enabled,
            local_time=local_time,
            weekday=weekday,
            at=ask.at,
            expected_version=expected_version,
        )
