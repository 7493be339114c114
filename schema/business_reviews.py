"""Business reviews: the list, making and releasing them, their documents, and the feed."""

from collections.abc import AsyncIterable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, business_reviews
from domain.business_reviews import BusinessReviewKind
from schema.accounts import Account
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
from schema.core.types import RESTRICTED, enum, from_row, resolver, subscription
from schema.subscriptions import After, FeedEvent, Item, facts_named

enum(
    BusinessReviewKind,
    "BusinessReviewKind",
    quarterly="Review of three months with the client: performance, goals, actions, feedback.",
    annual="Review of twelve months: performance, return, market, renewal.",
    briefing="Briefing of executives about three months: messages, risks, commitments.",
)
ReviewRow = strawberry.Parent[business_reviews.BusinessReview]
ReviewId = Annotated[UUID, GlobalIdOf("BusinessReview")]
LanguageArg = Annotated[str, "Language of the texts: `nl` or `en`; any other value means `en`."]


def _path(row: business_reviews.BusinessReview, ending: str, language: str) -> str:
    code = "nl" if language == "nl" else "en"
    return f"/business-reviews/{row.id}.{ending}?language={code}"


@from_row(business_reviews.BusinessReview)
class BusinessReview(Node):
    """Review of a period in eight parts, as it was known when it was made; its figures never change."""

    kind: Annotated[BusinessReviewKind, "Kind of the review, which decides its parts."]
    from_on: Annotated[date, "First day of the period."]
    until_on: Annotated[date, "Day after the last day of the period."]
    revision: Annotated[int, "Number among the reviews of this kind and period, from 1."]
    made_at: Annotated[datetime, "Time at which it was made; what was recorded by then counts."]
    made_by: Annotated[str | None, "Who made it, as named in the ledger.", RESTRICTED]
    content_hash: Annotated[str, "SHA-256 of the stored content, as the fact states it."]
    template_hash: Annotated[str, "SHA-256 of the templates and words at the time of making."]
    released_at: Annotated[datetime | None, "Time from which the client sees it; null before."]
    released_by: Annotated[str | None, "Who released it, as named in the ledger.", RESTRICTED]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(bool)
    @staticmethod
    def is_same_template(row: ReviewRow) -> bool:
        """Whether this server renders with the same templates: if so, it gives the same bytes."""
        return row.template_hash == business_reviews.TEMPLATE_HASH

    @resolver(str)
    @staticmethod
    def headline(row: ReviewRow, language: LanguageArg = "en") -> str:
        """Summary of the review in one line."""
        content = business_reviews.stored_content(row)
        return business_reviews.summary_of(content, code=language)

    @resolver(list[str])
    @staticmethod
    def parts(row: ReviewRow, language: LanguageArg = "en") -> list[str]:
        """Titles of its eight parts, in their order."""
        return business_reviews.part_titles(row.kind, code=language)

    @resolver(str)
    @staticmethod
    def pdf_path(row: ReviewRow, language: LanguageArg = "en") -> str:
        """Path on this server of the accessible PDF; send the `Authorization` header of the API."""
        return _path(row, "pdf", language)

    @resolver(str)
    @staticmethod
    def html_path(row: ReviewRow, language: LanguageArg = "en") -> str:
        """Path on this server of one HTML file; send the `Authorization` header of the API."""
        return _path(row, "html", language)

    @resolver(Account | None)
    @staticmethod
    async def account(row: ReviewRow, info: Info) -> accounts.Account | None:
        """Account of the client."""
        return await info.context.get(accounts.Account, row.account_id)


@query_fields
class BusinessReviewQuery:
    """Queries of business reviews."""

    @lists(
        BusinessReview,
        business_reviews.BusinessReview.made_at,
        business_reviews.BusinessReview.id,
        descending=True,
    )
    @staticmethod
    def business_reviews(info: Info, account_id: AccountFilter = None) -> Rows:
        """Business reviews, the newest first; clients see those that were released."""
        return visible(info, business_reviews.BusinessReview, account_id)


@mutation_fields
class BusinessReviewMutation:
    """Mutations of business reviews."""

    @mutation(BusinessReview)
    @staticmethod
    async def make_business_review(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Account of the client."],
        kind: Annotated[BusinessReviewKind, "Kind of the review, which decides its parts."],
        last_on: Annotated[
            date | None, "Last day of the period; null for the end of the last whole month."
        ] = None,
    ) -> business_reviews.BusinessReview:
        """Make a review of three months, of an annual one twelve, as they are known now."""
        return await business_reviews.make_review(ask.tx, account_id, kind, last_on=last_on)

    @mutation(BusinessReview)
    @staticmethod
    async def release_business_review(
        ask: MutationContext,
        id: Annotated[ReviewId, "Review that the client does not see yet."],
        expected_version: ExpectedVersion = None,
    ) -> business_reviews.BusinessReview:
        """Release a review to the client, who sees it from then on."""
        return await business_reviews.release(ask.tx, id, expected_version=expected_version)


@subscription_fields
class BusinessReviewSubscription:
    """Subscriptions about business reviews."""

    @subscription(FeedEvent)
    def business_review_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Business reviews as they are made and released."""
        return facts_named(info, account_id, after, "business_review.")
