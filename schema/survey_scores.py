"""Scores of surveys: measured per account, site, survey and window, always with n and a 95 % interval."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import surveys
from domain.surveys import Estimate, IntervalMethod, QuestionKind, ScoreKind, ScoreScope
from schema.core import ids
from schema.core.context import Info
from schema.core.roots import query_fields
from schema.core.types import enum, from_row, resolver

enum(
    ScoreKind,
    "SurveyScoreKind",
    csat="Share of positive answers in percent: 4 or 5 of 5, or yes.",
    nps="Promoters (9 and 10) less detractors (0 to 6), from -100 to 100.",
    ces="Mean of the answers from 1 to 7.",
)
enum(
    IntervalMethod,
    "IntervalMethod",
    wilson_continuity="Wilson score interval with continuity correction.",
    adjusted_wald="Adjusted Wald with one pseudo-answer of each kind, widened by half a step.",
    student_t="Interval of Student's t, within the scale.",
    none="No interval, because there are too few answers.",
)
ScoreRow = strawberry.Parent[surveys.SurveyScore]
QuestionRow = strawberry.Parent[surveys.ScoredQuestion]


@from_row(Estimate)
class SurveyEstimate:
    """Figure with the bounds of its 95 % interval."""

    value: Annotated[float, "Figure as it was measured."]
    low: Annotated[float, "Lower bound of the interval."]
    high: Annotated[float, "Upper bound of the interval."]


@from_row(surveys.SurveyScore)
class SurveyScore:
    """Score with its uncertainty; without an estimate when there are too few answers."""

    kind: Annotated[ScoreKind, "Kind of score, which the kind of question decides."]
    n: Annotated[int, "Number of answers on the scale."]
    n_effective: Annotated[float, "Number of equally weighted answers of the same precision."]
    excluded: Annotated[int, "Number of answers outside the scale, which never count."]
    estimate: Annotated[SurveyEstimate | None, "Score with its interval; null for too few answers."]
    method: Annotated[IntervalMethod, "Method that gave the interval."]
    fewest: Annotated[int, "Number of answers below which there is no estimate."]

    @resolver(bool)
    @staticmethod
    def too_few(row: ScoreRow) -> bool:
        """Whether there are too few answers for an estimate."""
        return row.estimate is None


@from_row(surveys.ScoredQuestion)
class SurveyQuestionScore:
    """Score of one question in a window, and its change since the window before."""

    question: Annotated[str, "Key of the question in its questionnaire."]
    kind: Annotated[QuestionKind, "Kind of question that was answered."]
    score: Annotated[SurveyScore, "Score of the answers in the window."]
    change: Annotated[
        SurveyEstimate | None,
        "Difference to the window of the same length before; null when either has too few answers.",
    ]

    @resolver(str)
    @staticmethod
    def words_nl(row: QuestionRow) -> str:
        """Wording of the question in Dutch."""
        return row.words.nl

    @resolver(str)
    @staticmethod
    def words_en(row: QuestionRow) -> str:
        """Wording of the question in English."""
        return row.words.en


@from_row(surveys.MeasuredSurveys)
class SurveyScores:
    """Scores of a window, and how many of those who were asked answered."""

    asked: Annotated[int, "Number of invitations in the window."]
    undeliverable: Annotated[
        int, "Number of invitations with a letter that could not be delivered."
    ]
    answered: Annotated[int, "Number of these invitations that were answered so far."]
    response_rate: Annotated[
        SurveyEstimate | None, "Share of delivered invitations that were answered, in percent."
    ]
    questions: Annotated[list[SurveyQuestionScore], "Scores by question, in their order."]


@from_row(surveys.ScoredMonth)
class SurveyMonth:
    """Score of a question in one month, and its change since the month before."""

    month_on: Annotated[date, "First day of the month, on the company's calendar."]
    score: Annotated[SurveyScore, "Score of the answers in the month."]
    change: Annotated[
        SurveyEstimate | None,
        "Difference to the month before with answers; null when either has too few.",
    ]


SurveyArg = Annotated[strawberry.ID | None, "Only answers to this survey; null for all."]
AccountArg = Annotated[strawberry.ID | None, "Only answers of this account; null for all."]
SiteArg = Annotated[strawberry.ID | None, "Only answers about incidents at this site."]
WeightedArg = Annotated[
    bool, "Whether each answer counts for as many contacts as it stands for; false counts it once."
]
_NOBODY = UUID(int=0)


def _row_id(text: str | None, type_name: str) -> UUID | None:
    """Return the id of a filter; one that is no such id matches nothing."""
    return None if text is None else ids.known(text, type_name) or _NOBODY


@query_fields
class SurveyScoreQuery:
    """Queries of scores of surveys."""

    @resolver(SurveyScores, work=200)
    @staticmethod
    async def survey_scores(
        info: Info,
        survey_id: SurveyArg = None,
        account_id: AccountArg = None,
        site_id: SiteArg = None,
        from_at: Annotated[datetime | None, "Only answers from this time on."] = None,
        until_at: Annotated[datetime | None, "Only answers before this time."] = None,
        weighted: WeightedArg = True,
    ) -> surveys.MeasuredSurveys:
        """Scores of each question, and the response rate, of the accounts that you can access."""
        scope = ScoreScope(
            _row_id(survey_id, "Survey"),
            _row_id(account_id, "Account"),
            _row_id(site_id, "Site"),
            from_at,
            until_at,
            weighted,
        )
        async with info.context.sessions() as session:
            return await surveys.measured(session, info.context.actor, scope)

    @resolver(list[SurveyMonth], work=200)
    @staticmethod
    async def survey_trend(
        info: Info,
        question: Annotated[str, "Key of the question in its questionnaire."],
        survey_id: SurveyArg = None,
        account_id: AccountArg = None,
        site_id: SiteArg = None,
        weighted: WeightedArg = True,
    ) -> list[surveys.ScoredMonth]:
        """Score of a question by month, the oldest first, at most five years."""
        scope = ScoreScope(
            _row_id(survey_id, "Survey"),
            _row_id(account_id, "Account"),
            _row_id(site_id, "Site"),
            is_weighted=weighted,
        )
        async with info.context.sessions() as session:
            return await surveys.months(session, info.context.actor, scope, question)
