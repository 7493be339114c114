"""Reviews: where they are read, each with its versions, figures per source, and the feed of new ones."""

from collections.abc import AsyncIterable
from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from domain import accounts, feedback, incidents, recovery, replies, reputation
from domain.sentiment import FoundTheme, themes_of
from schema.accounts import Account
from schema.contacts import Contact
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, among, lists, naming, visible
from schema.core.relations import to_one
from schema.core.roots import query_fields, subscription_fields
from schema.core.scalars import Json
from schema.core.types import (
    RESTRICTED,
    from_row,
    relation,
    relations,
    resolver,
    subscription,
)
from schema.review_enums import (
    ReviewLinkState,
    ReviewSourceKind,
    ReviewState,
    ReviewVerification,
)
from schema.subscriptions import After, FeedEvent, Item, facts_named
from schema.theme_words import FoundSurveyTheme

SourceRow = strawberry.Parent[reputation.ReviewSource]
ReviewRow = strawberry.Parent[reputation.Review]
VersionRow = strawberry.Parent[reputation.ReviewVersion]
LinkRow = strawberry.Parent[reputation.ReviewLink]
SourceFilter = Annotated[strawberry.ID | None, "Only reviews of this source."]
FromAt = Annotated[datetime | None, "Only reviews written from this time on."]
UntilAt = Annotated[datetime | None, "Only reviews written before this time."]
Location = Annotated[str, "Id of the location at the platform, or the name of the place."]


@from_row(reputation.ReviewSource)
class ReviewSource(Node):
    """Page of the company at a platform, feed or file with reviews of one location."""

    kind: Annotated[ReviewSourceKind, "Platform, or form of the data."]
    name: Annotated[str, "Name; unique in the company."]
    location: Location
    is_active: Annotated[bool, "Whether it is read now."]
    scale_low: Annotated[float, "Lowest rating of its scale."]
    scale_high: Annotated[float, "Highest rating of its scale."]
    shown_rating: Annotated[float | None, "Mean rating as the platform shows it."]
    shown_count: Annotated[int | None, "Number of reviews as the platform shows it."]
    read_at: Annotated[datetime | None, "Start of the last complete read."]
    url: Annotated[str | None, "Address that is read; null for the platform's own.", RESTRICTED]
    settings: Annotated[Json | None, "Names of the fields of a feed.", RESTRICTED]
    created_at: Annotated[datetime | None, "Time at which it was added.", RESTRICTED]
    next_read_at: Annotated[datetime | None, "Time of the next read.", RESTRICTED]
    full_read_at: Annotated[
        datetime | None, "Start of the last complete read of everything.", RESTRICTED
    ]
    failures: Annotated[int | None, "Number of reads that failed in a row.", RESTRICTED]
    error: Annotated[str | None, "Reason for which the last read failed.", RESTRICTED]
    unreadable: Annotated[
        int | None, "Number of entries that the last read could not understand.", RESTRICTED
    ]
    version: Annotated[int | None, "Version of the row, raised by every change.", RESTRICTED]
    fell_on: Annotated[
        date | None, "Day since which ratings are lower than in the year before.", RESTRICTED
    ]

    @resolver(int | None)
    @staticmethod
    def interval_seconds(row: SourceRow) -> int:
        """Seconds from one read to the next."""
        return row.interval_s

    @resolver(bool | None)
    @staticmethod
    def has_credentials(row: SourceRow) -> bool:
        """Whether credentials are stored."""
        return row.sealed is not None


@from_row(reputation.ReviewVersion)
class ReviewVersion(Node):
    """Review as it was read once; it never changes."""

    number: Annotated[int, "Number of the version, in the order in which they were read."]
    read_at: Annotated[datetime, "Start of the read that brought it."]
    changed_at: Annotated[datetime | None, "Time of the change, as the source states it."]
    rating: Annotated[float, "Rating on the source's scale."]
    stated_rating: Annotated[float | None, "Second rating that the source states."]
    author: Annotated[str | None, "Author as the source shows it."]
    title: Annotated[str | None, "Title of the review."]
    words: Annotated[str | None, "Text of the review."]
    language: Annotated[str | None, "Language as the source states it."]
    verification: Annotated[ReviewVerification, "Whether the source checked the author."]
    reply_words: Annotated[str | None, "Reply below it at the time."]
    replied_at: Annotated[datetime | None, "Time of the reply."]
    raw: Annotated[Json | None, "Entry of the source as it was read.", RESTRICTED]


@from_row(reputation.Review)
class Review(Node):
    """Public review of the company, as it stands at its source."""

    state: Annotated[ReviewState, "State at the source."]
    rating: Annotated[float, "Rating on the source's scale: the answer to the overall question."]
    scale_low: Annotated[float, "Lowest rating of the scale."]
    scale_high: Annotated[float, "Highest rating of the scale."]
    share: Annotated[float, "Rating as a share of the scale, 0 to 1."]
    stated_rating: Annotated[float | None, "Second rating that the source states beside it."]
    author: Annotated[str | None, "Author as the source shows it."]
    place: Annotated[str | None, "Place of the author."]
    title: Annotated[str | None, "Title of the review."]
    words: Annotated[str | None, "Text of the review."]
    language: Annotated[str | None, "Language as the source states it."]
    recommends: Annotated[bool | None, "Whether the author recommends the company."]
    verification: Annotated[ReviewVerification, "Whether the source checked the author."]
    verified_by: Annotated[str | None, "How the source checked the author."]
    url: Annotated[str | None, "Address of the review."]
    reply_words: Annotated[str | None, "Reply below it at the source."]
    replied_at: Annotated[datetime | None, "Time of the reply."]
    written_at: Annotated[datetime, "Time at which it was written."]
    changed_at: Annotated[datetime | None, "Time of the last change, as the source states it."]
    received_at: Annotated[datetime, "Time at which it was read first."]
    gone_at: Annotated[datetime | None, "Time from which it counts as gone."]
    external_id: Annotated[str | None, "Id at the source.", RESTRICTED]
    reference: Annotated[str | None, "Code of an invitation, repeated by the source.", RESTRICTED]
    seen_at: Annotated[datetime | None, "Start of the last read that contained it.", RESTRICTED]
    misses: Annotated[int | None, "Number of full reads in a row without it.", RESTRICTED]

    @resolver(bool)
    @staticmethod
    def ratings_differ(row: ReviewRow) -> bool:
        """Whether the source states two ratings that differ; `rating` counts."""
        return row.is_disputed

    @resolver(list[FoundSurveyTheme])
    @staticmethod
    def themes(row: ReviewRow) -> list[FoundTheme]:
        """Themes by the words of the program alone; `sentiment` has those by the company's words."""
        return themes_of(f"{row.title or ''}\n{row.words or ''}")

    source = to_one(
        ReviewSource, reputation.ReviewSource, "source_id", "Source that it was read from."
    )

    @relation("TextSentiment")
    @staticmethod
    async def sentiment(row: ReviewRow, info: Info) -> Any:
        """Sentiment of the text; null until a worker has read it, and for clients."""
        return await info.context.get_by(feedback.TextSentiment.review_id, row.id)

    account = to_one(
        Account,
        accounts.Account,
        "account_id",
        "Client that it is linked to; null while it is linked to none.",
    )

    @relations("ReviewLink")
    @staticmethod
    async def links(row: ReviewRow, info: Info) -> Any:
        """Clients that it may belong to."""
        of_row = reputation.ReviewLink
        return await info.context.children(of_row.review_id, row.id, order=(of_row.id,))

    @relation("ReviewReply")
    @staticmethod
    async def reply(row: ReviewRow, info: Info) -> Any:
        """Reply of the company, with its drafts."""
        return await info.context.get_by(replies.ReviewReply.review_id, row.id)

    @resolver(list[ReviewVersion])
    @staticmethod
    async def versions(row: ReviewRow, info: Info) -> list[reputation.ReviewVersion]:
        """Versions that were read, the first one first."""
        of_row = reputation.ReviewVersion
        return await info.context.children(of_row.review_id, row.id, order=(of_row.number,))


@from_row(reputation.ReviewLink)
class ReviewLink(Node):
    """Client that a review may belong to: how well it fits, and what was decided."""

    state: Annotated[ReviewLinkState, "State of the link."]
    score: Annotated[int, "How well it fits, in thousandths; 900 links, 600 suggests."]
    parts: Annotated[Json, "Points of each part of the score."]
    decided_by: Annotated[str | None, "Actor who decided; null while it is suggested."]

    review = to_one(Review, reputation.Review, "review_id", "Review that it is about.")

    account = to_one(
        Account, accounts.Account, "account_id", "Client that the review may belong to."
    )

    contact = to_one(Contact, accounts.Contact, "contact_id", "Contact who may have written it.")

    incident = to_one(
        "Incident", incidents.Incident, "incident_id", "Incident that it may be about."
    )

    recovery_case = to_one(
        "RecoveryCase",
        recovery.RecoveryCase,
        "case_id",
        "Recovery case that follows a negative review up.",
    )


@query_fields
class ReviewQuery:
    """Queries of reviews."""

    @lists(Review, reputation.Review.written_at, reputation.Review.id, descending=True)
    @staticmethod
    def reviews(
        info: Info,
        account_id: AccountFilter = None,
        source_id: SourceFilter = None,
        states: Annotated[list[ReviewState] | None, "Only reviews in these states."] = None,
        languages: Annotated[list[str] | None, "Only reviews in these languages."] = None,
        share_at_most: Annotated[float | None, "Only ratings up to this share of 0 to 1."] = None,
        share_at_least: Annotated[float | None, "Only ratings from this share of 0 to 1."] = None,
        is_answered: Annotated[bool | None, "Only reviews with, or without, a reply."] = None,
        is_linked: Annotated[bool | None, "Only reviews with, or without, a client."] = None,
        from_at: FromAt = None,
        until_at: UntilAt = None,
    ) -> Rows:
        """Reviews, the latest first."""
        row = reputation.Review
        query = naming(
            info, visible(info, row, account_id), row.source_id, "ReviewSource", source_id
        )
        query = among(among(query, row.state, states), row.language, languages)
        conditions = (
            None if share_at_most is None else row.share <= share_at_most,
            None if share_at_least is None else row.share >= share_at_least,
            None if is_answered is None else row.reply_words.is_not(None) == is_answered,
            None if is_linked is None else row.account_id.is_not(None) == is_linked,
            None if from_at is None else row.written_at >= from_at,
            None if until_at is None else row.written_at < until_at,
        )
        return query.where(*(each for each in conditions if each is not None))

    @lists(ReviewSource, reputation.ReviewSource.name, reputation.ReviewSource.id)
    @staticmethod
    def review_sources(info: Info) -> Rows:
        """Sources of reviews, by name."""
        return visible(info, reputation.ReviewSource)

    @lists(ReviewLink, reputation.ReviewLink.id, descending=True)
    @staticmethod
    def review_links(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[ReviewLinkState] | None, "Only links in these states."] = None,
    ) -> Rows:
        """Links between reviews and clients, the latest first."""
        row = reputation.ReviewLink
        return among(visible(info, row, account_id), row.state, states)


@subscription_fields
class ReviewSubscription:
    """Subscriptions to reviews."""

    @subscription(FeedEvent)
    def review_received(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all reviews that you can see."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Reviews as they are received, edited, answered, linked, gone and restored."""
        return facts_named(info, account_id, after, "review.")

    @subscription(FeedEvent)
    def review_source_events(self, info: Info, after: After = None) -> AsyncIterable[Item]:
        """Sources of reviews as they are added and changed, and as their ratings fall and recover."""
        return facts_named(info, None, after, "review_source.")
