"""Reports: when a client gets which, those that were made, and how punctual and how proactive we were."""

from datetime import date, datetime, time
from typing import Annotated, Any

import msgspec
import strawberry

from domain import accounts, reports
from domain.core import short_numbers
from domain.reports import Cadence, Content, Proactive, Punctuality, ReportVerdict
from schema.accounts import Account
from schema.core import ids
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, among, lists, visible
from schema.core.mutations import AccountId, ExpectedVersion, MutationContext, mutation
from schema.core.scalars import Long
from schema.core.types import enum, from_row, resolver

enum(
    Cadence, "ReportCadence",
    daily="The status report of a day.", weekly="The review of a week, Monday to Sunday.",
)  # fmt: skip
enum(
    ReportVerdict, "ReportVerdict",
    kept="It was there in time.", late="It was not there when it was promised.",
)  # fmt: skip

PlanRow = strawberry.Parent[reports.ReportPlan]
Row = strawberry.Parent[reports.Report]
AccountArg = Annotated[strawberry.ID, "The client."]
FromArg = Annotated[datetime, "From this instant on."]
UntilArg = Annotated[datetime, "Before this instant."]
LanguageArg = Annotated[str, "`nl` or `en`; anything else reads as `en`."]


@from_row(reports.ReportPlan)
class ReportPlan(Node):
    """Which report a client gets when, on the client's own clock."""

    cadence: Annotated[Cadence, "Which report."]
    enabled: Annotated[bool, "Whether it is made at all."]
    local_time: Annotated[time, "When it has to be there, on the client's clock."]
    weekday: Annotated[int, "On which day weekly ones have to be there: 0 is Monday."]
    late_credit_cents: Annotated[Long | None, "What you get for one that is late, in cents."]
    next_on: Annotated[date, "The first day of the next one."]
    version: Annotated[int, "Raised by every change."]

    @resolver(Account | None)
    @staticmethod
    async def account(row: PlanRow, info: Info) -> accounts.Account | None:
        """The client."""
        return await info.context.loaders.account.load(row.account_id)


@from_row(reports.Report)
class Report(Node):
    """A report as it was made; its numbers never change."""

    cadence: Annotated[Cadence, "Which report."]
    first_on: Annotated[date, "The first day it is about."]
    last_on: Annotated[date, "The last day it is about."]
    due_at: Annotated[datetime, "When it had to be there."]
    made_at: Annotated[datetime, "When it was made."]
    delivered_at: Annotated[datetime | None, "When everybody who gets it had it."]
    verdict: Annotated[ReportVerdict | None, "Whether it was there in time; null: not yet decided."]

    @resolver(str)
    @staticmethod
    def number(row: Row) -> str:
        """Its number for people, such as `RPT-000123`: counted per company."""
        return short_numbers.format_number(short_numbers.REPORT, row.number)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """The client it is about."""
        return await info.context.loaders.account.load(row.account_id)

    @resolver(str)
    @staticmethod
    def headline(row: Row, language: LanguageArg = "en") -> str:
        """What it comes to, in one line."""
        return reports.summary_of(_content(row), code=language)

    @resolver(Long)
    @staticmethod
    def kept(row: Row) -> int:
        """How many promises were kept."""
        return _content(row).figures.kept

    @resolver(Long)
    @staticmethod
    def late(row: Row) -> int:
        """How many promises were late."""
        return _content(row).figures.late

    @resolver(str)
    @staticmethod
    def pdf_path(row: Row, language: LanguageArg = "en") -> str:
        """Where on this server its PDF is; asked for with the same `Authorization` as the API."""
        return f"/reports/{row.id}.pdf?language={'nl' if language == 'nl' else 'en'}"


def _content(row: reports.Report) -> Content:
    return msgspec.convert(row.content, Content)


@from_row(Punctuality)
class ReportPunctuality:
    """Of the reports due in a stretch, how many were there in time."""

    due: Annotated[int, "How many were due."]
    kept: Annotated[int, "How many were there in time."]
    late: Annotated[int, "How many were not."]


@from_row(Proactive)
class ProactiveNotification:
    """Of the changes of the service in a stretch, how many the client was told of before they took effect.

    Changes are promises that ran late, amendments of terms and ends of agreements; told means a visible update on the
    ticket, or a message about the subject, after the clock began and before the change.
    """

    changes: Annotated[int, "How many changes there were."]
    told: Annotated[int, "How many of them were told beforehand."]

    @resolver(float | None)
    @staticmethod
    def ratio(row: strawberry.Parent[Proactive]) -> float | None:
        """Told / changes; null when nothing changed."""
        return row.told / row.changes if row.changes else None


@strawberry.type
class ReportQuery:
    """Questions about reports."""

    @lists(Report, reports.Report.due_at, reports.Report.id, descending=True)
    @staticmethod
    def reports(
        info: Info,
        account_id: AccountFilter = None,
        cadences: Annotated[list[Cadence] | None, "Only these."] = None,
        verdicts: Annotated[list[ReportVerdict] | None, "Only those judged so."] = None,
        search: Annotated[
            str | None, "Only the one with this number: `RPT-000123` or `123`."
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
        """Which reports a client gets when."""
        row = reports.ReportPlan
        query = visible(info, row, account_id).order_by(row.cadence)
        async with info.context.sessions() as session:
            return list(await session.scalars(query))

    @resolver(ReportPunctuality, work=100)
    @staticmethod
    async def report_punctuality(
        info: Info, account_id: AccountArg, from_at: FromArg, until_at: UntilArg
    ) -> Punctuality:
        """How punctual a client's reports were: their delivery is a promise too."""
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
        """How many changes of the service a client was told of beforehand."""
        account, until_at = ids.known(account_id, "Account"), min(until_at, info.context.at)
        if account is None:
            return None
        async with info.context.sessions() as session:
            return await reports.proactive_of(
                session, info.context.actor, account, from_at=from_at, until_at=until_at
            )


@strawberry.type
class ReportMutation:
    """Verbs about reports."""

    @mutation(ReportPlan)
    @staticmethod
    async def set_report_plan(
        ask: MutationContext,
        account_id: Annotated[AccountId, "The client."],
        cadence: Annotated[Cadence, "Which report."],
        enabled: Annotated[bool | None, "Whether it is made; null: as it is."] = None,
        local_time: Annotated[time | None, "When it has to be there; null: as it is."] = None,
        weekday: Annotated[int | None, "0 (Monday) to 6; null: as it is."] = None,
        late_credit_cents: Annotated[
            Long | None, "What the client gets for one that is late, 0: nothing; null: as it is."
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> reports.ReportPlan:
        """Say when a client gets a report, or that it gets none."""
        return await reports.set_plan(
            ask.session, ask.actor, account_id, cadence, enabled=enabled, local_time=local_time,
            weekday=weekday, late_credit_cents=late_credit_cents, at=ask.at, expected_version=expected_version,
        )  # fmt: skip
