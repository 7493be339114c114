"""Mutations of reviews: their sources, and the clients that they are linked to."""

from typing import Annotated, Any
from uuid import UUID

from domain import reputation
from domain.core.errors import Code, Refused
from domain.reputation import ReviewSourceKind
from schema.core.context import Context
from schema.core.mutations import (
    AccountId,
    ContactId,
    ExpectedVersion,
    GlobalIdOf,
    MutationContext,
    mutation,
)
from schema.core.roots import mutation_fields
from schema.core.scalars import Json
from schema.reviews import Location, Review, ReviewLink, ReviewSource

ReviewId = Annotated[UUID, GlobalIdOf("Review")]
ReviewLinkId = Annotated[UUID, GlobalIdOf("ReviewLink")]
ReviewSourceId = Annotated[UUID, GlobalIdOf("ReviewSource")]
Url = Annotated[str | None, "Address that is read; null for the platform's own."]
Settings = Annotated[
    Json | None, "Names of the fields of a feed, by the field of a review (`rating`, `author`, …)."
]
Credentials = Annotated[Json | None, "Credentials by name; stored encrypted and never shown again."]
IntervalSeconds = Annotated[int | None, "Seconds from one read to the next, 60 to 604,800."]


def _desk(ctx: Context) -> Any:
    """Return what encrypts credentials; refused in a process without it."""
    if ctx.desk is None:
        raise Refused(Code.NOT_ALLOWED, "This process stores no credentials.")
    return ctx.desk


@mutation_fields
class ReviewMutation:
    """Mutations of sources of reviews."""

    @mutation(ReviewSource)
    @staticmethod
    async def add_review_source(
        ask: MutationContext,
        kind: Annotated[ReviewSourceKind, "Platform, or form of the data."],
        name: Annotated[str, "Name; unique in the company."],
        location: Location,
        url: Url = None,
        settings: Settings = None,
        credentials: Credentials = None,
        interval_seconds: IntervalSeconds = None,
        scale_low: Annotated[float | None, "Lowest rating; platforms have their own."] = None,
        scale_high: Annotated[float | None, "Highest rating; platforms have their own."] = None,
    ) -> reputation.ReviewSource:
        """Add a source of reviews; it is read from now on."""
        desk = _desk(ask.ctx)
        return await reputation.add_source(
            ask.tx,
            desk.vault,
            kind=kind,
            name=name,
            location=location,
            credentials=credentials,
            loopback=desk.loopback,
            url=url,
            settings=settings,
            interval_s=interval_seconds,
            scale_low=scale_low,
            scale_high=scale_high,
        )

    @mutation(ReviewSource)
    @staticmethod
    async def change_review_source(
        ask: MutationContext,
        id: Annotated[ReviewSourceId, "Source that is changed or stopped."],
        is_active: Annotated[bool | None, "False stops it, true starts it again."] = None,
        name: Annotated[str | None, "Name; unique in the company."] = None,
        location: Annotated[str | None, "Id of the location at the platform."] = None,
        url: Url = None,
        settings: Settings = None,
        credentials: Credentials = None,
        interval_seconds: IntervalSeconds = None,
        expected_version: ExpectedVersion = None,
    ) -> reputation.ReviewSource:
        """Change a source of reviews; what is left out stays, and the source is read at once."""
        desk = _desk(ask.ctx)
        return await reputation.change_source(
            ask.tx,
            desk.vault,
            id,
            credentials=credentials,
            expected_version=expected_version,
            loopback=desk.loopback,
            is_active=is_active,
            name=name,
            location=location,
            url=url,
            settings=settings,
            interval_s=interval_seconds,
        )

    @mutation(Review)
    @staticmethod
    async def link_review(
        ask: MutationContext,
        review_id: Annotated[ReviewId, "Review that is linked."],
        account_id: Annotated[AccountId, "Client that it belongs to."],
        contact_id: Annotated[ContactId | None, "Contact who wrote it, where known."] = None,
    ) -> reputation.Review:
        """Link a review to a client, who sees it from now on; a negative one opens a recovery case."""
        return await reputation.link_review(ask.tx, review_id, account_id, contact_id=contact_id)

    @mutation(ReviewLink)
    @staticmethod
    async def confirm_review_link(
        ask: MutationContext, id: Annotated[ReviewLinkId, "Link that is right."]
    ) -> reputation.ReviewLink:
        """Confirm a suggested link between a review and a client."""
        return await reputation.confirm_link(ask.tx, id)

    @mutation(ReviewLink)
    @staticmethod
    async def refuse_review_link(
        ask: MutationContext, id: Annotated[ReviewLinkId, "Link that is wrong."]
    ) -> reputation.ReviewLink:
        """Refuse a link; the client sees the review no longer."""
        return await reputation.refuse_link(ask.tx, id)
