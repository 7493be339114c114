"""Retention by cohort, and the rule scores of an account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from domain import accounts, retention
from domain.access import Right
from domain.retention import (
    BadMoment,
    ChurnHorizon,
    CohortBy,
    GoodMoment,
    NumberShown,
    RuleScoreKind,
    ScorePart,
)
from domain.retention import LifetimeValue as LifetimeRow
from domain.retention import ProposalGate as GateRow
from domain.retention import RelationshipScores as ScoresRow
from domain.retention import RetentionCohort as CohortRow
from domain.retention import RuleScore as ScoreRow
from schema.churn_loader import ChurnKey, churn_of
from schema.core.context import Info
from schema.core.roots import query_fields
from schema.core.scalars import Long
from schema.core.types import RESTRICTED, enum, from_row, resolver

enum(
    CohortBy,
    "CohortBy",
    year="Year in which the client came.",
    quarter="Quarter in which the client came.",
    segment="Size class of the client.",
    service_tier="Tier of support of the client.",
)
enum(
    RuleScoreKind,
    "RuleScoreKind",
    loyalty="Loyalty: tenure, renewals, payment, recommendation and referrals.",
    expansion="Expansion: health, unmet needs, budget and work outside the terms.",
    advocacy="Advocacy: recommendation, consent, lasting health and a referral.",
)
enum(
    GoodMoment,
    "GoodMoment",
    after_a_success="A success or milestone in 30 days.",
    planning_cycle="The client made its plans in 60 days.",
    new_challenge="The client mentioned an unmet need in 60 days.",
    renewal_time="The last day for notice is within 180 days.",
    new_stakeholder="A succession was settled in 60 days.",
    competitor_moves="A competitor was named in 60 days.",
)
enum(
    BadMoment,
    "BadMoment",
    problem_open="A critical incident is open, or incidents escalate.",
    under_pressure="The score of health is below 60 points, or there is none.",
    budget_discussed="The budget was discussed, or under pressure, in 30 days.",
    champion_away="A key contact or champion left, without a settled succession.",
    value_not_proven="No formal review was held yet, or the service is being set up.",
)
Cohort = strawberry.Parent[CohortRow]
Scores = strawberry.Parent[ScoresRow]
Score = strawberry.Parent[ScoreRow]
Gate = strawberry.Parent[GateRow]


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part of a rule score with what it adds."""

    part: ScorePart
    millionths: int


Part = strawberry.Parent[PartRow]


def _points(millionths: int | None) -> float | None:
    return None if millionths is None else millionths / 1_000_000


@from_row(CohortRow)
class RetentionCohort:
    """Clients with an agreement in force at the start, and what became of them."""

    name: Annotated[str, "Year, quarter, size class or tier."]
    starts_on: Annotated[date, "Day at which the clients are counted."]
    ends_on: Annotated[date, "Day at which they are counted again."]
    at_start: Annotated[int, "Number of clients with an agreement in force at the start."]
    kept: Annotated[int, "Number of these with one in force at the end."]
    low: Annotated[float, "Lower end of the 95 % Wilson interval of the share kept."]
    high: Annotated[float, "Upper end of that interval."]
    gross: Annotated[
        float | None, "Gross retention: fees of the start still paid ÷ fees of the start."
    ]
    net: Annotated[float | None, "Net retention: fees of these clients at the end ÷ at the start."]
    fee_then_cents: Annotated[Long | None, "Their monthly fees at the start, in cents.", RESTRICTED]
    fee_kept_cents: Annotated[Long | None, "Of these fees, those paid at the end.", RESTRICTED]
    fee_now_cents: Annotated[Long | None, "Their monthly fees at the end, in cents.", RESTRICTED]

    @resolver(float)
    @staticmethod
    def logo(row: Cohort) -> float:
        """Share of clients kept."""
        return row.kept / row.at_start


@from_row(PartRow)
class RuleScorePart:
    """Part of a rule score; the contributions add up to the score."""

    @resolver(str)
    @staticmethod
    def key(row: Part) -> str:
        """Short name of the part."""
        return row.part.key

    @resolver(int)
    @staticmethod
    def weight(row: Part) -> int:
        """Weight of the part, of 100."""
        return row.part.weight

    @resolver(float | None)
    @staticmethod
    def value(row: Part) -> float | None:
        """Value from 0 to 100 points; null where nothing is known."""
        return _points(row.part.value)

    @resolver(float)
    @staticmethod
    def contribution(row: Part) -> float:
        """Points that it adds to the score."""
        return _points(row.millionths) or 0.0

    @resolver(str)
    @staticmethod
    def words(row: Part) -> str:
        """What the part measures."""
        return row.part.words


@from_row(ScoreRow)
class RuleScore:
    """Score from 0 to 100 points by published rules; a part of which nothing is known adds nothing."""

    kind: Annotated[RuleScoreKind, "What the score is about."]
    coverage: Annotated[float, "Share of the weight of which something is known."]

    @resolver(float | None)
    @staticmethod
    def value(row: Score) -> float | None:
        """Score in points; null with less than half of the weight known."""
        return _points(row.value)

    @resolver(list[RuleScorePart])
    @staticmethod
    def parts(row: Score) -> list[PartRow]:
        """Parts that it is made of; empty without a score."""
        return (
            []
            if row.value is None
            else [PartRow(each, row.contribution(each)) for each in row.parts]
        )


@from_row(GateRow)
class ProposalGate:
    """Whether now is the moment to propose more: a good moment, and no bad one."""

    is_open: Annotated[bool, "Whether a proposal may be made now."]

    @resolver(list[GoodMoment])
    @staticmethod
    def good_moments(row: Gate) -> Sequence[GoodMoment]:
        """Good moments that hold now."""
        return row.good

    @resolver(list[BadMoment])
    @staticmethod
    def bad_moments(row: Gate) -> Sequence[BadMoment]:
        """Bad moments that hold now; any of them closes the gate."""
        return row.bad


@from_row(LifetimeRow)
class LifetimeValue:
    """Value of a client for as long as it is expected to stay."""

    yearly_value_cents: Annotated[
        Long | None, "Twelve times the period fees in force, in cents.", RESTRICTED
    ]
    low_cents: Annotated[
        Long | None, "Value by the upper end of the interval of leaving.", RESTRICTED
    ]
    expected_cents: Annotated[Long | None, "Value by the estimate of leaving.", RESTRICTED]
    high_cents: Annotated[
        Long | None, "Value by the lower end of the interval of leaving.", RESTRICTED
    ]
    words: Annotated[str, "How it is computed."]


@from_row(ScoresRow)
class RelationshipScores:
    """Loyalty, expansion and advocacy of an account by published rules, and the moment to propose more."""

    as_of: Annotated[datetime, "Instant of the facts."]
    scores: Annotated[list[RuleScore], "Loyalty, expansion and advocacy."]

    @resolver(ProposalGate)
    @staticmethod
    def proposal_gate(row: Scores) -> GateRow:
        """Whether now is the moment to propose more."""
        return row.gate

    @resolver(LifetimeValue | None, work=200)
    @staticmethod
    async def lifetime_value(row: Scores, info: Info) -> LifetimeRow | None:
        """Value over the expected time as a client; null without a yearly value or an estimate of leaving."""
        if not info.context.actor.may(Right.READ_MONEY):
            return None
        key = ChurnKey(row.account_id, ChurnHorizon.DAYS_180, info.context.at)
        found = await info.context.load(churn_of, key)
        if not isinstance(found, NumberShown):
            return None
        async with info.context.sessions() as session:
            yearly = await retention.yearly_value(session, row.account_id, at=row.as_of)
        if yearly is None:
            return None
        told = found.answer
        shares = [
            (each or 0) / 1_000_000
            for each in (told.low_millionths, told.probability_millionths, told.high_millionths)
        ]
        return retention.lifetime_value(yearly, shares)


async def scores_of(info: Info, row: accounts.Account) -> ScoresRow | None:
    """Compute the rule scores of an account; None for readers without access to health."""
    if not info.context.actor.may(Right.READ_HEALTH):
        return None
    async with info.context.sessions() as session:
        return await retention.relationship_scores(session, row, at=info.context.at)


@query_fields
class RetentionQuery:
    """Queries of retention."""

    @resolver(list[RetentionCohort], work=500)
    @staticmethod
    async def retention(
        info: Info,
        starts_on: Annotated[date, "Day at which the clients are counted."],
        ends_on: Annotated[date, "Day at which they are counted again, not later than today."],
        by: Annotated[CohortBy, "What clients are grouped by."] = CohortBy.YEAR,
    ) -> Any:
        """Clients and fees kept between two days, by cohort; empty for readers without access to health or money."""
        actor = info.context.actor
        if not (actor.may(Right.READ_HEALTH) and actor.may(Right.READ_MONEY)):
            return []
        async with info.context.sessions() as session:
            return await retention.retention(
                session, actor, by=by, starts_on=starts_on, ends_on=ends_on, at=info.context.at
            )
