"""Testimonials: the list, the requests to everybody, moderation and withdrawal, and the feed."""

from collections.abc import AsyncIterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, testimonials
from domain.testimonials import TestimonialChannel, TestimonialRefusal, TestimonialState
from schema.accounts import Account
from schema.contacts import Contact
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, among, lists, visible
from schema.core.mutations import ExpectedVersion, GlobalIdOf, MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields, subscription_fields
from schema.core.types import enum, from_row, resolver, subscription
from schema.subscriptions import After, FeedEvent, Item, facts_named

enum(
    TestimonialState,
    "TestimonialState",
    requested="The contact was asked, and did not answer.",
    given="The contact wrote it; it waits for moderation.",
    approved="It may be shown within its consent.",
    refused="It is not shown; `refusal` says why.",
    declined="The contact does not want to give one.",
    withdrawn="The consent was withdrawn, and the text is erased.",
)
enum(
    TestimonialChannel,
    "TestimonialChannel",
    website="Websites, such as the public showcase.",
    social_media="Posts of the company on social media.",
    tenders="Offers and tenders of the company.",
    reference_calls="Calls by people who consider the company.",
)
enum(
    TestimonialRefusal,
    "TestimonialRefusal",
    not_about_service="It is not about the service.",
    names_persons="It names persons who did not agree.",
    confidential="It says something confidential.",
    offensive="It is offensive or unlawful.",
    not_the_author="It is not by the contact who was asked.",
)
Row = strawberry.Parent[testimonials.Testimonial]
TestimonialId = Annotated[UUID, GlobalIdOf("Testimonial")]


@from_row(testimonials.Testimonial)
class Testimonial(Node):
    """What a contact says of the company for others to read, with its consent."""

    state: Annotated[TestimonialState, "State of the testimonial."]
    asked_at: Annotated[datetime, "Time at which the contact was asked."]
    language: Annotated[str, "Language of the text: `nl` or `en`."]
    words: Annotated[str | None, "Text, as the contact wrote it."]
    shown_name: Annotated[str | None, "Name that is shown beside it."]
    shown_role: Annotated[str | None, "Function that is shown beside it."]
    consent_version: Annotated[int | None, "Version of the text that the contact agreed to."]
    consented_at: Annotated[datetime | None, "Time of the consent."]
    until_on: Annotated[date | None, "Last day on which it may be used."]
    moderated_at: Annotated[datetime | None, "Time of the moderation."]
    refusal: Annotated[TestimonialRefusal | None, "Reason for which it is not shown."]
    ended_at: Annotated[datetime | None, "Time at which it was declined or withdrawn."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(list[TestimonialChannel])
    @staticmethod
    def channels(row: Row) -> list[TestimonialChannel]:
        """Channels that the contact agreed to."""
        return [TestimonialChannel(each) for each in row.channels]

    @resolver(str | None)
    @staticmethod
    def consent_text(row: Row) -> str | None:
        """Text that the contact agreed to; `{company}` is the company's name."""
        texts = testimonials.CONSENT.get(row.consent_version or 0, {})
        return texts.get(row.language)

    @resolver(bool)
    @staticmethod
    def is_shown(row: Row, info: Info) -> bool:
        """Whether the public showcase shows it now."""
        return (
            row.state is TestimonialState.APPROVED
            and row.until_on is not None
            and row.until_on >= info.context.at.date()
            and TestimonialChannel.WEBSITE in row.channels
        )

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """Client of the contact who was asked."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(Contact | None)
    @staticmethod
    async def contact(row: Row, info: Info) -> accounts.Contact | None:
        """Contact who was asked; null once erased."""
        return await info.context.get(accounts.Contact, row.contact_id)


@dataclass(frozen=True)
class AskedRound:
    """A round of requests."""

    asked: int


@from_row(AskedRound)
class TestimonialRound:
    """Round in which everybody was asked alike."""

    asked: Annotated[int, "Number of contacts who were asked now."]


@query_fields
class TestimonialQuery:
    """Queries of testimonials."""

    @lists(
        Testimonial, testimonials.Testimonial.asked_at, testimonials.Testimonial.id, descending=True
    )
    @staticmethod
    def testimonials(
        info: Info,
        account_id: AccountFilter = None,  # noqa: PT028 - no test
        states: Annotated[list[TestimonialState] | None, "Only those in these states."] = None,  # noqa: PT028 - no test
    ) -> Rows:
        """Testimonials and requests for them, the latest first."""
        row = testimonials.Testimonial
        return among(visible(info, row, account_id), row.state, states)


@mutation_fields
class TestimonialMutation:
    """Mutations of testimonials."""

    @mutation(TestimonialRound)
    @staticmethod
    async def request_testimonials(ask: MutationContext) -> AskedRound:
        """Ask every contact of every served client for a testimonial, all alike; nobody is asked twice in 180 days."""
        return AskedRound(len(await testimonials.ask_everybody(ask.tx)))

    @mutation(Testimonial)
    @staticmethod
    async def approve_testimonial(
        ask: MutationContext,
        id: Annotated[TestimonialId, "Testimonial that may be shown."],
        expected_version: ExpectedVersion = None,
    ) -> testimonials.Testimonial:
        """Approve a testimonial, which is shown word for word within its consent."""
        return await testimonials.approve(ask.tx, id, expected_version=expected_version)

    @mutation(Testimonial)
    @staticmethod
    async def refuse_testimonial(
        ask: MutationContext,
        id: Annotated[TestimonialId, "Testimonial that is not shown."],
        reason: Annotated[TestimonialRefusal, "Reason, one of five."],
        expected_version: ExpectedVersion = None,
    ) -> testimonials.Testimonial:
        """Refuse to show a testimonial; that it is unfavourable is no reason."""
        return await testimonials.refuse(
            ask.tx, id, reason=reason, expected_version=expected_version
        )

    @mutation(Testimonial)
    @staticmethod
    async def withdraw_testimonial(
        ask: MutationContext,
        id: Annotated[TestimonialId, "Testimonial that is withdrawn."],
        expected_version: ExpectedVersion = None,
    ) -> testimonials.Testimonial:
        """Withdraw a testimonial on behalf of its contact: it is shown nowhere from now on, and its text is erased."""
        return await testimonials.withdraw(ask.tx, id, expected_version=expected_version)


@subscription_fields
class TestimonialSubscription:
    """Subscriptions to testimonials."""

    @subscription(FeedEvent)
    def testimonial_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,  # noqa: PT028 - no test
        after: After = None,  # noqa: PT028 - no test
    ) -> AsyncIterable[Item]:
        """Testimonials as they are requested, given, moderated, declined and withdrawn."""
        return facts_named(info, account_id, after, "testimonial.")
