"""Mutations of advocacy: referrals, case studies, reference calls and champions."""

from datetime import date, datetime
from typing import Annotated

from domain import advocacy
from domain.advocacy import ChampionEnd, ConsentDraft, ReferralMove, ReferralState, StudyChannel
from schema.advocacy import (
    CaseStudy,
    CaseStudyId,
    Champion,
    ChampionId,
    ReferenceCall,
    ReferenceCallId,
    Referral,
    ReferralId,
)
from schema.core.mutations import (
    AccountId,
    ContactId,
    ExpectedVersion,
    MutationContext,
    mutation,
)
from schema.core.roots import mutation_fields

PROSPECT = "Name of the organisation, one line."
Channels = Annotated[list[StudyChannel], "Channels that the client agrees to."]
Reason = Annotated[str | None, "Why, in words that the company and the client read."]


@mutation_fields
class ReferralMutation:
    """Mutations of referrals and champions."""

    @mutation(Referral)
    @staticmethod
    async def make_referral(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Client that recommended the company."],
        prospect: Annotated[str, PROSPECT],
        contact_id: Annotated[ContactId | None, "Contact who did so, where known."] = None,
        value_cents: Annotated[int | None, "What it is worth in a year, in cents."] = None,
        note: Annotated[str | None, "What is known about it."] = None,
        referred_at: Annotated[datetime | None, "Time of the recommendation; null: now."] = None,
    ) -> advocacy.Referral:
        """Record that a client recommended the company to another organisation."""
        return await advocacy.make_referral(
            ask.tx,
            account_id,
            prospect=prospect,
            contact_id=contact_id,
            value_cents=value_cents,
            note=note,
            referred_at=referred_at,
        )

    @mutation(Referral)
    @staticmethod
    async def move_referral(
        ask: MutationContext,
        id: Annotated[ReferralId, "Referral that goes on."],
        state: Annotated[ReferralState, "State that follows the present one."],
        won_account_id: Annotated[
            AccountId | None, "Client that it became, which `WON` needs."
        ] = None,
        reason: Annotated[str | None, "Why it was lost, which `LOST` needs."] = None,
        value_cents: Annotated[
            int | None, "What it is worth in a year, in cents; null leaves it."
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> advocacy.Referral:
        """Give a referral the state that follows; one that was lost may be contacted again."""
        move = ReferralMove(state, won_account_id, reason, value_cents)
        return await advocacy.move_referral(ask.tx, id, move, expected_version=expected_version)

    @mutation(Champion)
    @staticmethod
    async def name_champion(
        ask: MutationContext,
        contact_id: Annotated[ContactId, "Contact who speaks up for the company."],
        evidence_note: Annotated[str, "What shows that the contact does so."],
        since_on: Annotated[date | None, "Day since which; null: today."] = None,
    ) -> advocacy.Champion:
        """Record that a contact speaks up for the company, with what shows it."""
        return await advocacy.name_champion(
            ask.tx, contact_id, evidence_note=evidence_note, since_on=since_on
        )

    @mutation(Champion)
    @staticmethod
    async def end_champion(
        ask: MutationContext,
        id: Annotated[ChampionId, "Champion who is one no more."],
        reason: Annotated[ChampionEnd, "Reason for which it ends."],
        note: Annotated[str | None, "What is known about it."] = None,
        expected_version: ExpectedVersion = None,
    ) -> advocacy.Champion:
        """Record that a contact speaks up for the company no more, and why."""
        return await advocacy.end_champion(
            ask.tx, id, reason=reason, note=note, expected_version=expected_version
        )


@mutation_fields
class CaseStudyMutation:
    """Mutations of case studies."""

    @mutation(CaseStudy)
    @staticmethod
    async def draft_case_study(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Client that it is about."],
        title: Annotated[str, "Line above the text."],
        words: Annotated[str, "Text of the case study."],
        language: Annotated[str, "Language of the text: `nl` or `en`."] = "nl",
    ) -> advocacy.CaseStudy:
        """Write a case study about a client, which the client does not see yet."""
        return await advocacy.draft_study(
            ask.tx, account_id, title=title, words=words, language=language
        )

    @mutation(CaseStudy)
    @staticmethod
    async def change_case_study(
        ask: MutationContext,
        id: Annotated[CaseStudyId, "Case study with another text."],
        title: Annotated[str, "Line above the text."],
        words: Annotated[str, "Text of the case study."],
        expected_version: ExpectedVersion = None,
    ) -> advocacy.CaseStudy:
        """Change the text: it is a draft again, shown nowhere, and needs a new consent."""
        return await advocacy.change_study(
            ask.tx, id, title=title, words=words, expected_version=expected_version
        )

    @mutation(CaseStudy)
    @staticmethod
    async def offer_case_study(
        ask: MutationContext,
        id: Annotated[CaseStudyId, "Draft that the client is to consent to."],
        expected_version: ExpectedVersion = None,
    ) -> advocacy.CaseStudy:
        """Ask the client to consent to a draft; refused while a crisis of the client lasts."""
        return await advocacy.offer_study(ask.tx, id, expected_version=expected_version)

    @mutation(CaseStudy)
    @staticmethod
    async def consent_to_case_study(
        ask: MutationContext,
        id: Annotated[CaseStudyId, "Case study that was offered."],
        channels: Channels,
        until_on: Annotated[date, "Last day on which it may be used, within three years."],
        contact_id: Annotated[
            ContactId | None, "Contact who consented; needed unless the client itself consents."
        ] = None,
        evidence_note: Annotated[
            str | None, "How the consent was given; needed unless the client itself consents."
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> advocacy.CaseStudy:
        """Consent to the offered text as the client, or record the client's consent with contact and evidence."""
        consent = ConsentDraft(channels, until_on, contact_id, evidence_note)
        return await advocacy.consent_to_study(
            ask.tx, id, consent, expected_version=expected_version
        )

    @mutation(CaseStudy)
    @staticmethod
    async def decline_case_study(
        ask: MutationContext,
        id: Annotated[CaseStudyId, "Case study that was offered."],
        reason: Reason = None,
        expected_version: ExpectedVersion = None,
    ) -> advocacy.CaseStudy:
        """Decline to consent to the offered text."""
        return await advocacy.decline_study(
            ask.tx, id, reason=reason, expected_version=expected_version
        )

    @mutation(CaseStudy)
    @staticmethod
    async def publish_case_study(
        ask: MutationContext,
        id: Annotated[CaseStudyId, "Case study with a consent in force."],
        expected_version: ExpectedVersion = None,
    ) -> advocacy.CaseStudy:
        """Publish a case study, word for word, within its consent."""
        return await advocacy.publish_study(ask.tx, id, expected_version=expected_version)

    @mutation(CaseStudy)
    @staticmethod
    async def withdraw_case_study(
        ask: MutationContext,
        id: Annotated[CaseStudyId, "Case study that is withdrawn."],
        reason: Reason = None,
        expected_version: ExpectedVersion = None,
    ) -> advocacy.CaseStudy:
        """Withdraw a case study, as the client or as the company: it is shown nowhere from now on."""
        return await advocacy.withdraw_study(
            ask.tx, id, reason=reason, expected_version=expected_version
        )


@mutation_fields
class ReferenceCallMutation:
    """Mutations of reference calls."""

    @mutation(ReferenceCall)
    @staticmethod
    async def request_reference_call(
        ask: MutationContext,
        account_id: Annotated[AccountId, "Client of the contact."],
        contact_id: Annotated[ContactId, "Contact who is asked."],
        prospect: Annotated[str, PROSPECT],
    ) -> advocacy.ReferenceCall:
        """Ask a contact for a reference call, within the yearly limit `advocacy.reference_calls` of the client."""
        return await advocacy.request_call(
            ask.tx, account_id, contact_id=contact_id, prospect=prospect
        )

    @mutation(ReferenceCall)
    @staticmethod
    async def agree_reference_call(
        ask: MutationContext,
        id: Annotated[ReferenceCallId, "Call that the contact agreed to."],
        planned_at: Annotated[datetime, "Time for which it is agreed."],
        expected_version: ExpectedVersion = None,
    ) -> advocacy.ReferenceCall:
        """Record that the contact agreed to the call at a time, or to another time."""
        return await advocacy.agree_call(
            ask.tx, id, planned_at=planned_at, expected_version=expected_version
        )

    @mutation(ReferenceCall)
    @staticmethod
    async def hold_reference_call(
        ask: MutationContext,
        id: Annotated[ReferenceCallId, "Agreed call that took place."],
        outcome_note: Annotated[str | None, "What came of it."] = None,
        held_at: Annotated[datetime | None, "Time at which it took place; null: now."] = None,
        expected_version: ExpectedVersion = None,
    ) -> advocacy.ReferenceCall:
        """Record that an agreed call took place."""
        return await advocacy.hold_call(
            ask.tx,
            id,
            outcome_note=outcome_note,
            held_at=held_at,
            expected_version=expected_version,
        )

    @mutation(ReferenceCall)
    @staticmethod
    async def cancel_reference_call(
        ask: MutationContext,
        id: Annotated[ReferenceCallId, "Open call that does not take place."],
        reason: Annotated[str, "Why it does not take place."],
        expected_version: ExpectedVersion = None,
    ) -> advocacy.ReferenceCall:
        """Record that a call does not take place; it counts no longer towards the limit."""
        return await advocacy.cancel_call(
            ask.tx, id, reason=reason, expected_version=expected_version
        )
