"""Figures of reviews per source: rating, volume, velocity, replies, and the known causes of negative ones."""

from typing import Annotated
from uuid import UUID

import strawberry

from domain import reputation
from schema.core import ids
from schema.core.context import Info
from schema.core.lists import AccountFilter
from schema.core.roots import query_fields
from schema.core.types import RESTRICTED, from_row, resolver
from schema.reviews import FromAt, ReviewSource, SourceFilter, UntilAt
from schema.survey_scores import SurveyEstimate

_NOBODY = UUID(int=0)


@from_row(reputation.ReviewFigures)
class ReviewFigures:
    """Figures of the reviews of one source, each with the number of reviews behind it."""

    source: Annotated[ReviewSource, "Source with its location."]
    n: Annotated[int, "Number of reviews in the window, without those that are gone."]
    rating: Annotated[float | None, "Mean of the ratings, 0 to 1; null without reviews."]
    positive: Annotated[SurveyEstimate | None, "Share of ratings above 0.5 in percent."]
    negative: Annotated[int, "Number of ratings of 0.5 or less."]
    per_month: Annotated[float, "Reviews in 30 days, in the window."]
    per_month_before: Annotated[float, "Reviews in 30 days, in the window of this length before."]
    answered: Annotated[SurveyEstimate | None, "Share of reviews with a reply, in percent."]
    answered_n: Annotated[int, "Number of reviews with a reply."]
    response_n: Annotated[int, "Number of replies of which the time is known."]
    disagreeing: Annotated[int, "Number of reviews for which the source states two ratings."]

    caused_n: Annotated[
        int | None, "Number of negative ones with a known cause: a link to an incident.", RESTRICTED
    ]
    caused: Annotated[
        SurveyEstimate | None, "Share of negative ones with a known cause, in percent.", RESTRICTED
    ]
    breached_n: Annotated[
        int | None, "Number of these about an incident with a broken promise.", RESTRICTED
    ]

    @resolver(float | None)
    @staticmethod
    def days_from_cause(row: strawberry.Parent[reputation.ReviewFigures]) -> float | None:
        """Median of the days from an incident to the negative review about it; null without one, and for clients."""
        return None if row.cause_s is None else row.cause_s / 86_400

    @resolver(float | None)
    @staticmethod
    def response_seconds(row: strawberry.Parent[reputation.ReviewFigures]) -> float | None:
        """Median of the seconds from a review to its reply; null without replies."""
        return row.response_s


@query_fields
class ReviewFiguresQuery:
    """Query of the figures of reviews."""

    @resolver(list[ReviewFigures], work=200)
    @staticmethod
    async def review_figures(
        info: Info,
        source_id: SourceFilter = None,
        account_id: AccountFilter = None,
        from_at: FromAt = None,
        until_at: UntilAt = None,
    ) -> list[reputation.ReviewFigures]:
        """Rating, volume, velocity and replies per source, of the last 365 days unless a window is given."""
        scope = reputation.ReviewScope(
            _row_id(source_id, "ReviewSource"), _row_id(account_id, "Account"), from_at, until_at
        )
        async with info.context.sessions() as session:
            return await reputation.figures(session, info.context.actor, scope, now=info.context.at)


def _row_id(text: str | None, type_name: str) -> UUID | None:
    """Return the id of a filter; one that is no such id matches nothing."""
    return None if text is None else ids.known(text, type_name) or _NOBODY
