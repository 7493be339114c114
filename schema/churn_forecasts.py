"""Forecasts of leaving as they were published, and how they came true; labels of outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

import strawberry

from domain import accounts, retention
from domain.access import Right
from domain.retention import CalibrationBin as BinValue
from domain.retention import (
    ChurnHorizon,
    NumberShown,
    NumberWithheld,
    OutcomeKind,
    OutcomeReason,
)
from domain.retention import ForecastReport as ReportValue
from schema.accounts import Account
from schema.churn import ChurnResult
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import AccountId, MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import RESTRICTED, enum, from_row, resolver

enum(
    OutcomeKind,
    "OutcomeKind",
    left="The client left by its own will.",
    renewed="The client decided to stay for another term.",
    ended_by_company="The company ended the agreement.",
    merged="The client is part of another one, which goes on.",
)
enum(
    OutcomeReason,
    "OutcomeReason",
    price="The price of the service.",
    service="The quality of the service.",
    competitor="An offer of a competitor.",
    budget="The budget of the client.",
    site_closed="The site was closed or sold.",
    relationship="The relationship between the people.",
    other="Another reason; see the note.",
    unknown="The reason is not known.",
)
Row = strawberry.Parent[retention.ChurnForecast]
OutcomeRow = strawberry.Parent[retention.ClientOutcome]
ReportRow = strawberry.Parent[ReportValue]


@from_row(retention.ChurnForecast)
class ChurnForecast(Node):
    """Forecast as it was published; later only its truth is added."""

    horizon: Annotated[ChurnHorizon, "Time until which the client may leave."]
    published_on: Annotated[date, "Day of publication; one forecast of a horizon a day."]
    published_at: Annotated[datetime, "Time at which it was published."]
    published_by: Annotated[
        str, "User who asked for it, or the system, as named in the ledger.", RESTRICTED
    ]
    ends_on: Annotated[date, "Last day of the horizon."]
    left_within: Annotated[
        bool | None,
        "Whether the client left within it; null before it is over, and for another end.",
    ]
    scored_at: Annotated[datetime | None, "Time at which it was compared with the truth."]

    @resolver(ChurnResult)
    @staticmethod
    def answer(row: Row) -> NumberShown | NumberWithheld:
        """Answer as it was published."""
        return retention.shown(retention.answer_of(row))

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)


@from_row(retention.ClientOutcome)
class ClientOutcome(Node):
    """Label of what happened with a client; the last one of an account counts."""

    kind: Annotated[OutcomeKind, "What happened with the client."]
    reason: Annotated[OutcomeReason, "Main reason for it."]
    happened_on: Annotated[date, "Day on which it happened."]
    note: Annotated[str | None, "What else there is to say."]
    labelled_at: Annotated[datetime, "Time at which it was labelled."]
    labelled_by: Annotated[
        str, "User who labelled it, or the system, as named in the ledger.", RESTRICTED
    ]
    replaced_at: Annotated[datetime | None, "Time at which another label replaced it."]

    @resolver(Account | None)
    @staticmethod
    async def account(row: OutcomeRow, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)


@from_row(BinValue)
class CalibrationBin:
    """Forecasts of a tenth of the range: what they said on average, and after how many the client left."""

    from_share: Annotated[float, "Lowest probability of the tenth."]
    n: Annotated[int, "Number of forecasts in it."]
    mean_probability: Annotated[float, "Mean of their probabilities."]
    left: Annotated[int, "Number of them after which the client left."]


@dataclass(frozen=True, slots=True)
class KnownPair:
    """A forecast and its outcome."""

    probability: float
    left: bool


@from_row(KnownPair)
class ForecastPair:
    """Forecast with a known outcome."""

    probability: Annotated[float, "Probability that was published."]
    left: Annotated[bool, "Whether the client left within its horizon."]


@from_row(ReportValue)
class ForecastReport:
    """How the published forecasts of a horizon came true; not measurable yet with fewer than 20 leavers."""

    horizon: Annotated[ChurnHorizon, "Time until which clients might leave."]
    published: Annotated[int, "Number of forecasts that were published."]
    abstained: Annotated[int, "Number of them without a number."]
    lift: Annotated[
        float | None, "Share of leavers in the riskiest tenth ÷ among all; null if not measurable."
    ]
    lift_of_score: Annotated[
        float | None, "The same for the tenth with the lowest last score of health."
    ]

    @resolver(int)
    @staticmethod
    def n(row: ReportRow) -> int:
        """Number of forecasts with a number and a known outcome."""
        return row.report.n

    @resolver(int)
    @staticmethod
    def leavers(row: ReportRow) -> int:
        """Number of them after which the client left."""
        return row.report.leavers

    @resolver(float | None)
    @staticmethod
    def brier(row: ReportRow) -> float | None:
        """Mean squared distance from the outcomes; null if not measurable."""
        return row.report.brier

    @resolver(float | None)
    @staticmethod
    def brier_of_base_rate(row: ReportRow) -> float | None:
        """The same, had every forecast been the average."""
        return row.report.brier_of_base_rate

    @resolver(float | None)
    @staticmethod
    def ece(row: ReportRow) -> float | None:
        """Mean distance of probability and share of leavers over ten bins."""
        return row.report.ece

    @resolver(float | None)
    @staticmethod
    def bias(row: ReportRow) -> float | None:
        """Mean probability − share of leavers."""
        return row.report.bias

    @resolver(list[CalibrationBin])
    @staticmethod
    def table(row: ReportRow) -> Sequence[BinValue]:
        """Tenths of the range that hold forecasts; empty if not measurable."""
        return row.table

    @resolver(list[ForecastPair])
    @staticmethod
    def pairs(row: ReportRow) -> list[KnownPair]:
        """Forecasts and outcomes while there are too few for figures, at most 200; empty afterwards."""
        if row.report.is_measurable:
            return []
        return [KnownPair(*each) for each in row.report.outcomes[-200:]]


@query_fields
class ChurnForecastQuery:
    """Queries of forecasts and outcomes."""

    @lists(
        ChurnForecast, retention.ChurnForecast.published_at, retention.ChurnForecast.id,
        descending=True,
    )  # fmt: skip
    @staticmethod
    def churn_forecasts(
        info: Info,
        account_id: AccountFilter = None,
        horizon: Annotated[ChurnHorizon | None, "Only forecasts of this horizon."] = None,
    ) -> Rows:
        """Forecasts as they were published, the latest first; empty for clients."""
        row = retention.ChurnForecast
        query = visible(info, row, account_id)
        return query if horizon is None else query.where(row.horizon == horizon)

    @lists(
        ClientOutcome, retention.ClientOutcome.labelled_at, retention.ClientOutcome.id,
        descending=True,
    )  # fmt: skip
    @staticmethod
    def client_outcomes(info: Info, account_id: AccountFilter = None) -> Rows:
        """Labels of what happened with clients, the latest first; empty for clients."""
        return visible(info, retention.ClientOutcome, account_id)

    @resolver(ForecastReport | None, work=500)
    @staticmethod
    async def forecast_report(
        info: Info,
        horizon: Annotated[ChurnHorizon, "Horizon of the forecasts."] = ChurnHorizon.DAYS_180,
    ) -> ReportValue | None:
        """How the company's published forecasts came true; null without access to every account."""
        actor = info.context.actor
        if actor.accounts is not None or not actor.may(Right.READ_HEALTH):
            return None
        async with info.context.sessions() as session:
            return await retention.calibration(session, actor.tenant_id, horizon)


@mutation_fields
class ChurnForecastMutation:
    """Mutations of forecasts and outcomes."""

    @mutation(ChurnForecast)
    @staticmethod
    async def publish_churn_forecast(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client."],
        horizon: Annotated[ChurnHorizon, "Time until which it may leave."] = ChurnHorizon.DAYS_180,
    ) -> retention.ChurnForecast:
        """Publish a forecast now, to be scored when its truth is known; one of a horizon a day, then the same again."""
        return await retention.publish(ask.tx, account_id, horizon=horizon)

    @mutation(ClientOutcome)
    @staticmethod
    async def label_client_outcome(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client."],
        kind: Annotated[OutcomeKind, "What happened with the client."],
        reason: Annotated[OutcomeReason, "Main reason for it."],
        happened_on: Annotated[date, "Day on which it happened, not in the future."],
        note: Annotated[str | None, "What else there is to say."] = None,
    ) -> retention.ClientOutcome:
        """Say what happened with a client; it replaces what was said before, and forecasts learn from it."""
        return await retention.label(
            ask.tx, account_id, kind=kind, reason=reason, happened_on=happened_on, note=note
        )
