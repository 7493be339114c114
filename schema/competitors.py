"""Competitors: their figures as somebody read them, the mutations, and the share of voice."""

from collections.abc import AsyncIterable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry.types.unset import UNSET

from domain import competitors
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, lists, visible
from schema.core.mutations import ExpectedVersion, GlobalIdOf, MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields, subscription_fields
from schema.core.types import from_row, resolver, subscription
from schema.review_enums import ReviewSourceKind
from schema.subscriptions import After, FeedEvent, Item, facts_named

Row = strawberry.Parent[competitors.Competitor]
CompetitorId = Annotated[UUID, GlobalIdOf("Competitor")]
Platform = Annotated[ReviewSourceKind, "Platform of the page."]


@from_row(competitors.CompetitorFigure)
class CompetitorFigure(Node):
    """What a public page of a competitor showed on a day."""

    platform: Platform
    read_on: Annotated[date, "Day on which it was read."]
    reviews: Annotated[int, "Number of reviews that the page showed."]
    share: Annotated[float | None, "Mean rating as a share of the scale, 0 to 1."]
    url: Annotated[str, "Address at which it was read."]
    entered_at: Annotated[datetime, "Time at which it was entered."]
    entered_by: Annotated[str, "Actor who entered it."]


@from_row(competitors.Competitor)
class Competitor(Node):
    """Another company that clients may choose."""

    name: Annotated[str, "Name; unique in the company."]
    note: Annotated[str | None, "What makes it different, with the evidence."]
    created_at: Annotated[datetime, "Time at which it was added."]
    ended_at: Annotated[datetime | None, "Time from which it is not watched; null while it is."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(list[CompetitorFigure])
    @staticmethod
    async def figures(row: Row, info: Info) -> list[competitors.CompetitorFigure]:
        """Figures of its pages, the oldest first."""
        of_row = competitors.CompetitorFigure
        return await info.context.children(
            of_row.competitor_id, row.id, order=(of_row.read_on, of_row.id)
        )


@from_row(competitors.VoiceShare)
class VoiceShare:
    """New reviews of one company on a platform between two days."""

    competitor: Annotated[Competitor | None, "Competitor; null for the own company."]
    n: Annotated[int, "Number of new reviews."]
    share: Annotated[float, "Share of all new reviews that are known, 0 to 1."]
    rating: Annotated[float | None, "Mean rating, 0 to 1; of a competitor, of all its reviews."]
    from_on: Annotated[date, "First day of the window."]
    until_on: Annotated[date, "Day at which the window ends."]


@query_fields
class CompetitorQuery:
    """Queries of competitors."""

    @resolver(list[VoiceShare], work=200)
    @staticmethod
    async def share_of_voice(
        info: Info,
        platform: Platform,
        from_on: Annotated[date, "First day of the window."],
        until_on: Annotated[date, "Day at which the window ends."],
    ) -> list[competitors.VoiceShare]:
        """Share of new reviews on a platform, of the company and of competitors with figures for both days."""
        async with info.context.sessions() as session:
            return await competitors.share_of_voice(
                session, info.context.actor, platform, from_on, until_on
            )

    @lists(Competitor, competitors.Competitor.name, competitors.Competitor.id)
    @staticmethod
    def competitors(info: Info) -> Rows:
        """Competitors that are or were watched, by name."""
        return visible(info, competitors.Competitor)


@mutation_fields
class CompetitorMutation:
    """Mutations of competitors."""

    @mutation(Competitor)
    @staticmethod
    async def add_competitor(
        ask: MutationContext,
        name: Annotated[str, "Name; unique in the company."],
        note: Annotated[str | None, "What makes it different, with the evidence."] = None,
    ) -> competitors.Competitor:
        """Watch a competitor from now on."""
        return await competitors.add(ask.tx, name=name, note=note)

    @mutation(Competitor)
    @staticmethod
    async def change_competitor(
        ask: MutationContext,
        id: Annotated[CompetitorId, "Competitor that is changed."],
        name: Annotated[str | None, "Name; unique in the company."] = None,
        note: Annotated[str | None, "What makes it different; null for none."] = UNSET,
        is_watched: Annotated[bool | None, "False to stop watching it."] = None,
        expected_version: ExpectedVersion = None,
    ) -> competitors.Competitor:
        """Rename or describe a competitor, or stop watching it; what is left out stays."""
        given = {} if note is UNSET else {"note": note}
        return await competitors.change(
            ask.tx,
            id,
            is_watched=is_watched,
            expected_version=expected_version,
            name=name,
            **given,
        )

    @mutation(CompetitorFigure)
    @staticmethod
    async def enter_competitor_figure(
        ask: MutationContext,
        competitor_id: Annotated[CompetitorId, "Competitor of the page."],
        platform: Platform,
        read_on: Annotated[date, "Day on which it was read, not in the future."],
        reviews: Annotated[int, "Number of reviews that the page showed."],
        url: Annotated[str, "Address at which it was read."],
        share: Annotated[float | None, "Mean rating as a share of the scale, 0 to 1."] = None,
    ) -> competitors.CompetitorFigure:
        """Enter what a public page of a competitor showed on a day; one figure a page and day."""
        return await competitors.enter_figure(
            ask.tx,
            competitor_id,
            platform=platform,
            read_on=read_on,
            reviews=reviews,
            share=share,
            url=url,
        )


@subscription_fields
class CompetitorSubscription:
    """Subscriptions to competitors."""

    @subscription(FeedEvent)
    def competitor_events(self, info: Info, after: After = None) -> AsyncIterable[Item]:
        """Competitors as they are added and changed, and figures as they are entered."""
        return facts_named(info, None, after, "competitor.")
