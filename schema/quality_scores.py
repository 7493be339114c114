"""Quality scores of accounts and sites in a window, with their components."""

from datetime import datetime
from typing import Annotated, NamedTuple

import strawberry

from domain import promises, quality
from domain.quality import Component, Window
from schema.core.context import Info
from schema.core.scalars import Long
from schema.core.types import enum, from_row, resolver
from schema.promises import InternalObjectiveFigures

enum(
    Component,
    "QualityComponent",
    punctuality="Punctuality: arrivals in time on site.",
    coverage="Coverage: hours delivered of the hours agreed.",
    patrol="Patrol: rounds and checkpoints completed.",
    incidents="Incidents: response and resolution in time.",
    reports="Reports: delivery of reports and updates in time.",
    audit="Results of audits of the service.",
    rating="Rating of the service by the client.",
)

Row = strawberry.Parent[quality.Measurement]
E6 = 1_000_000


class Share(NamedTuple):
    """Contribution of one component of the quality score."""

    component: Component
    e6: int


@from_row(Share)
class Contribution:
    """Contribution of one component to a quality score. The millionths of all components sum exactly to the score."""

    component: Annotated[Component, "Component of the quality score."]

    @resolver(float)
    @staticmethod
    def points(row: strawberry.Parent[Share]) -> float:
        """Points contributed to the score of 100."""
        return row.e6 / E6

    @resolver(Long)
    @staticmethod
    def points_millionths(row: strawberry.Parent[Share]) -> int:
        """Points contributed, in millionths of a point."""
        return row.e6


@from_row(quality.Measurement)
class QualityScore:
    """Quality score of the service in a window, 0 to 100, with its components."""

    window: Annotated[Window, "Type of the window, such as a month."]
    from_at: Annotated[datetime, "Start of the window, inclusive."]
    until_at: Annotated[datetime, "End of the window, exclusive."]
    n: Annotated[Long, "Number of decided promises behind the score."]
    evaluated_at: Annotated[datetime, "Time as of which it was evaluated."]

    @resolver(float | None)
    @staticmethod
    def points(row: Row) -> float | None:
        """Score from 0 to 100; null for insufficient data."""
        return None if row.points_e6 is None else row.points_e6 / E6

    @resolver(Long | None)
    @staticmethod
    def points_millionths(row: Row) -> int | None:
        """Exact score, in millionths of a point."""
        return row.points_e6

    @resolver(bool)
    @staticmethod
    def insufficient_data(row: Row) -> bool:
        """Whether fewer than five promises, or less than 30 % of the weight, have data."""
        return row.points_e6 is None

    @resolver(float)
    @staticmethod
    def coverage(row: Row) -> float:
        """Share of the weight of all components with data, 0 to 1."""
        return (row.coverage_ppm or 0) / E6

    @resolver(float | None)
    @staticmethod
    def change(row: Row) -> float | None:
        """Difference in points to the previous window; null when one of the two has no score."""
        return None if row.change_e6 is None else row.change_e6 / E6

    @resolver(list[Contribution])
    @staticmethod
    def contributions(row: Row) -> list[Share]:
        """Contribution of each component; they sum exactly to the score."""
        contributions = row.contributions_e6
        return [
            Share(part, contributions[part.value])
            for part in Component
            if part.value in contributions
        ]

    @resolver(list[InternalObjectiveFigures], work=20)
    @staticmethod
    async def internal_objectives(row: Row, info: Info) -> list[promises.InternalFigures]:
        """Internal objectives decided in the window, as known now, by name; they do not count for the score."""
        async with info.context.sessions() as session:
            return await promises.internal_figures(
                session,
                row.account_id,
                from_at=row.from_at,
                until_at=row.until_at,
                site_id=row.site_id,
            )
