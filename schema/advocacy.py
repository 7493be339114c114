"""Advocacy: referrals, case studies, reference calls and champions, their lists, and the feed."""

from collections.abc import AsyncIterable
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import strawberry

from domain import accounts, advocacy
from domain.advocacy import CallState, CaseStudyState, ChampionEnd, ReferralState, StudyChannel
from schema.accounts import Account
from schema.contacts import Contact
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, among, lists, visible
from schema.core.mutations import GlobalIdOf
from schema.core.roots import query_fields, subscription_fields
from schema.core.types import RESTRICTED, enum, from_row, resolver, subscription
from schema.subscriptions import After, FeedEvent, Item, facts_named

enum(
    ReferralState,
    "ReferralState",
    received="The client named the organisation.",
    contacted="The company spoke with it.",
    offered="It has an offer.",
    won="It became a client.",
    lost="It did not become a client; `reason` says why.",
)
enum(
    CaseStudyState,
    "CaseStudyState",
    draft="It is being written; the client does not see it.",
    offered="The client was asked to consent to its text.",
    consented="The client consented; it is not published yet.",
    declined="The client did not consent.",
    published="It is shown within its consent.",
    withdrawn="It is shown nowhere any more.",
)
enum(
    StudyChannel,
    "StudyChannel",
    website="Websites, such as the public showcase.",
    social_media="Posts of the company on social media.",
    tenders="Offers and tenders of the company.",
)
enum(
    CallState,
    "CallState",
    requested="The contact was asked.",
    agreed="The contact agreed to a time.",
    held="The call took place.",
    cancelled="It does not take place.",
)
enum(
    ChampionEnd,
    "ChampionEnd",
    left="The contact left the client.",
    other_role="The contact has another role.",
    changed_mind="The contact speaks up for the company no more.",
    named_wrongly="The contact was named by mistake.",
    erased="The contact was erased; only the system gives this reason.",
)
ReferralRow = strawberry.Parent[advocacy.Referral]
StudyRow = strawberry.Parent[advocacy.CaseStudy]
CallRow = strawberry.Parent[advocacy.ReferenceCall]
ChampionRow = strawberry.Parent[advocacy.Champion]
ReferralId = Annotated[UUID, GlobalIdOf("Referral")]
CaseStudyId = Annotated[UUID, GlobalIdOf("CaseStudy")]
ReferenceCallId = Annotated[UUID, GlobalIdOf("ReferenceCall")]
ChampionId = Annotated[UUID, GlobalIdOf("Champion")]
VERSION = "Version of the row, raised by every change."


@from_row(advocacy.Referral)
class Referral(Node):
    """Organisation to which a client recommended the company."""

    prospect: Annotated[str, "Name of the organisation."]
    note: Annotated[str | None, "What is known about it."]
    state: Annotated[ReferralState, "State of the work on it."]
    value_cents: Annotated[int | None, "What it is worth in a year, in cents; null if unknown."]
    referred_at: Annotated[datetime, "Time of the recommendation."]
    moved_at: Annotated[datetime, "Time at which it got its state."]
    reason: Annotated[str | None, "Why it was lost; null in other states."]
    version: Annotated[int, VERSION]

    @resolver(Account | None)
    @staticmethod
    async def account(row: ReferralRow, info: Info) -> accounts.Account | None:
        """Client that recommended the company."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(Contact | None)
    @staticmethod
    async def contact(row: ReferralRow, info: Info) -> accounts.Contact | None:
        """Contact who did so, where known."""
        return await info.context.get(accounts.Contact, row.contact_id)

    @resolver(Account | None)
    @staticmethod
    async def won_account(row: ReferralRow, info: Info) -> accounts.Account | None:
        """Client that the organisation became; null until it is won."""
        return await info.context.get(accounts.Account, row.won_account_id)


@from_row(advocacy.CaseStudy)
class CaseStudy(Node):
    """Text about what the company did for a client, shown under the client's consent to that very text."""

    title: Annotated[str, "Line above the text."]
    words: Annotated[str, "Text of the case study."]
    text_number: Annotated[int, "Number of the text, raised by each change of it."]
    language: Annotated[str, "Language of the text: `nl` or `en`."]
    state: Annotated[CaseStudyState, "State of the case study."]
    drafted_at: Annotated[datetime | None, "Time at which it was written.", RESTRICTED]
    offered_at: Annotated[datetime | None, "Time at which the client was asked."]
    until_on: Annotated[date | None, "Last day on which it may be used."]
    consented_at: Annotated[datetime | None, "Time of the consent."]
    consented_text: Annotated[int | None, "Number of the text that the client agreed to."]
    evidence_note: Annotated[
        str | None, "How the consent was given, where the company recorded it."
    ]
    published_at: Annotated[datetime | None, "Time of the publication."]
    ended_at: Annotated[datetime | None, "Time at which it was declined or withdrawn."]
    end_reason: Annotated[str | None, "Why it was declined or withdrawn."]
    version: Annotated[int, VERSION]

    @resolver(list[StudyChannel])
    @staticmethod
    def channels(row: StudyRow) -> list[StudyChannel]:
        """Channels that the client agreed to."""
        return [StudyChannel(each) for each in row.channels]

    @resolver(bool)
    @staticmethod
    def is_shown(row: StudyRow, info: Info) -> bool:
        """Whether the public showcase shows it now."""
        return (
            row.state is CaseStudyState.PUBLISHED
            and row.until_on is not None
            and row.until_on >= info.context.at.date()
            and StudyChannel.WEBSITE in row.channels
        )

    @resolver(Account | None)
    @staticmethod
    async def account(row: StudyRow, info: Info) -> accounts.Account | None:
        """Client that it is about."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(Contact | None)
    @staticmethod
    async def contact(row: StudyRow, info: Info) -> accounts.Contact | None:
        """Contact who consented, where the company recorded it. Null for clients."""
        return await info.context.get(accounts.Contact, row.contact_id)


@from_row(advocacy.ReferenceCall)
class ReferenceCall(Node):
    """Call in which a contact of a client tells a prospect about the company."""

    prospect: Annotated[str, "Name of the organisation that considers the company."]
    state: Annotated[CallState, "State of the call."]
    requested_at: Annotated[datetime, "Time at which the contact was asked."]
    planned_at: Annotated[datetime | None, "Time for which it is agreed."]
    held_at: Annotated[datetime | None, "Time at which it took place."]
    outcome_note: Annotated[str | None, "What came of it."]
    cancelled_at: Annotated[datetime | None, "Time at which it was cancelled."]
    cancel_reason: Annotated[str | None, "Why it does not take place."]
    version: Annotated[int, VERSION]

    @resolver(Account | None)
    @staticmethod
    async def account(row: CallRow, info: Info) -> accounts.Account | None:
        """Client of the contact."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(Contact | None)
    @staticmethod
    async def contact(row: CallRow, info: Info) -> accounts.Contact | None:
        """Contact who was asked."""
        return await info.context.get(accounts.Contact, row.contact_id)


@from_row(advocacy.Champion)
class Champion(Node):
    """Contact of a client who speaks up for the company, from when until when."""

    since_on: Annotated[date, "Day since which the contact does so."]
    evidence_note: Annotated[str, "What shows that the contact does so."]
    named_at: Annotated[datetime, "Time at which it was recorded."]
    ended_at: Annotated[datetime | None, "Time at which it ended; null while it lasts."]
    end_reason: Annotated[ChampionEnd | None, "Reason for which it ended."]
    end_note: Annotated[str | None, "What is known about the end."]
    version: Annotated[int, VERSION]

    @resolver(Account | None)
    @staticmethod
    async def account(row: ChampionRow, info: Info) -> accounts.Account | None:
        """Client of the contact."""
        return await info.context.get(accounts.Account, row.account_id)

    @resolver(Contact | None)
    @staticmethod
    async def contact(row: ChampionRow, info: Info) -> accounts.Contact | None:
        """Contact who speaks up for the company."""
        return await info.context.get(accounts.Contact, row.contact_id)


@query_fields
class AdvocacyQuery:
    """Queries of advocacy."""

    @lists(Referral, advocacy.Referral.referred_at, advocacy.Referral.id, descending=True)
    @staticmethod
    def referrals(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[ReferralState] | None, "Only those in these states."] = None,
    ) -> Rows:
        """Referrals by clients, the latest first; empty for clients."""
        row = advocacy.Referral
        return among(visible(info, row, account_id), row.state, states)

    @lists(CaseStudy, advocacy.CaseStudy.id, descending=True)
    @staticmethod
    def case_studies(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[CaseStudyState] | None, "Only those in these states."] = None,
    ) -> Rows:
        """Case studies, the latest first; clients see those about them that are no drafts."""
        row = advocacy.CaseStudy
        return among(visible(info, row, account_id), row.state, states)

    @lists(
        ReferenceCall,
        advocacy.ReferenceCall.requested_at,
        advocacy.ReferenceCall.id,
        descending=True,
    )
    @staticmethod
    def reference_calls(
        info: Info,
        account_id: AccountFilter = None,
        states: Annotated[list[CallState] | None, "Only those in these states."] = None,
    ) -> Rows:
        """Reference calls, the latest request first; empty for clients."""
        row = advocacy.ReferenceCall
        return among(visible(info, row, account_id), row.state, states)

    @lists(Champion, advocacy.Champion.named_at, advocacy.Champion.id, descending=True)
    @staticmethod
    def champions(
        info: Info,
        account_id: AccountFilter = None,
        lasting: Annotated[bool, "Only those who speak up for the company now."] = False,
    ) -> Rows:
        """Champions, the one named last first; empty for clients."""
        row = advocacy.Champion
        query = visible(info, row, account_id)
        return query.where(row.ended_at.is_(None)) if lasting else query


PREFIXES = ("referral.", "case_study.", "reference_call.", "champion.")


@subscription_fields
class AdvocacySubscription:
    """Subscriptions to advocacy."""

    @subscription(FeedEvent)
    def advocacy_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Referrals, case studies, reference calls and champions as they change; clients: their case studies."""
        return facts_named(info, account_id, after, *PREFIXES)
