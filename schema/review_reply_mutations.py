"""Mutations of replies to reviews, and of the rules that draft them."""

from typing import Annotated
from uuid import UUID

from strawberry.types.unset import UNSET

from domain import replies
from domain.replies import ReplyMode
from domain.sentiment import Theme
from schema.core.mutations import ExpectedVersion, GlobalIdOf, MutationContext, mutation
from schema.core.roots import mutation_fields
from schema.review_mutations import ReviewId, ReviewSourceId
from schema.review_replies import ReplyRule, ReviewReply, Templates

ReplyRuleId = Annotated[UUID, GlobalIdOf("ReplyRule")]
ReviewReplyId = Annotated[UUID, GlobalIdOf("ReviewReply")]
OfSource = Annotated[ReviewSourceId | None, "Source of the reviews; null for all."]
ShareAtLeast = Annotated[float | None, "Lowest rating of the reviews, as a share of 0 to 1."]
ShareAtMost = Annotated[float | None, "Highest rating of the reviews, as a share of 0 to 1."]
PolarityAtLeast = Annotated[float | None, "Lowest polarity of the text, from −1 to 1."]
PolarityAtMost = Annotated[float | None, "Highest polarity of the text, from −1 to 1."]
HasWords = Annotated[bool | None, "Whether the reviews have a text; null for both."]
Languages = Annotated[list[str] | None, "Languages of the reviews; empty for all."]
Themes = Annotated[list[Theme] | None, "Themes of which the reviews have one; empty for all."]
DelaySeconds = Annotated[
    int | None, "Seconds from the receipt to a reply that goes out by itself, 0 to 604,800."
]
Position = Annotated[int | None, "Place in the order; the lowest number is tried first."]


def _plain(themes: list[Theme] | None) -> list[str] | None:
    return None if themes is None else [str(each) for each in themes]


@mutation_fields
class ReviewReplyMutation:
    """Mutations of replies to reviews."""

    @mutation(ReplyRule)
    @staticmethod
    async def add_reply_rule(
        ask: MutationContext,
        name: Annotated[str, "Name; unique in the company."],
        mode: Annotated[ReplyMode, "What it does with the reviews that match."],
        position: Position = None,
        source_id: OfSource = None,
        share_at_least: ShareAtLeast = None,
        share_at_most: ShareAtMost = None,
        polarity_at_least: PolarityAtLeast = None,
        polarity_at_most: PolarityAtMost = None,
        has_words: HasWords = None,
        languages: Languages = None,
        themes: Themes = None,
        delay_seconds: DelaySeconds = None,
        templates: Templates = None,
    ) -> replies.ReplyRule:
        """Add a rule for replies; it is tried after the others unless it has a position."""
        return await replies.add_rule(
            ask.tx,
            name=name,
            mode=mode,
            position=position,
            source_id=source_id,
            share_low=share_at_least,
            share_high=share_at_most,
            polarity_low=polarity_at_least,
            polarity_high=polarity_at_most,
            has_words=has_words,
            languages=languages,
            themes=_plain(themes),
            delay_s=delay_seconds,
            templates=templates,
        )

    @mutation(ReplyRule)
    @staticmethod
    async def change_reply_rule(
        ask: MutationContext,
        id: Annotated[ReplyRuleId, "Rule that is changed or stopped."],
        is_active: Annotated[bool | None, "False stops it, true starts it again."] = None,
        name: Annotated[str | None, "Name; unique in the company."] = None,
        mode: Annotated[ReplyMode | None, "What it does with the reviews that match."] = None,
        position: Position = None,
        share_at_least: ShareAtLeast = UNSET,
        share_at_most: ShareAtMost = UNSET,
        polarity_at_least: PolarityAtLeast = UNSET,
        polarity_at_most: PolarityAtMost = UNSET,
        has_words: HasWords = UNSET,
        languages: Languages = None,
        themes: Themes = None,
        delay_seconds: DelaySeconds = None,
        templates: Templates = None,
        expected_version: ExpectedVersion = None,
    ) -> replies.ReplyRule:
        """Change a rule for replies; what is left out stays, null clears a condition, and drafts stay as they are."""
        conditions = {
            "share_low": share_at_least,
            "share_high": share_at_most,
            "polarity_low": polarity_at_least,
            "polarity_high": polarity_at_most,
            "has_words": has_words,
        }
        return await replies.change_rule(
            ask.tx,
            id,
            expected_version=expected_version,
            is_active=is_active,
            name=name,
            mode=mode,
            position=position,
            languages=languages,
            themes=_plain(themes),
            delay_s=delay_seconds,
            templates=templates,
            **{key: value for key, value in conditions.items() if value is not UNSET},
        )

    @mutation(ReviewReply)
    @staticmethod
    async def draft_review_reply(
        ask: MutationContext,
        review_id: Annotated[ReviewId, "Review that is answered."],
        words: Annotated[str, "Text of the reply."],
    ) -> replies.ReviewReply:
        """Write the reply to a review; it waits for approval."""
        return await replies.draft_by_hand(ask.tx, review_id, words=words)

    @mutation(ReviewReply)
    @staticmethod
    async def edit_review_reply(
        ask: MutationContext,
        id: Annotated[ReviewReplyId, "Reply with another text."],
        words: Annotated[str, "Text of the reply."],
        expected_version: ExpectedVersion = None,
    ) -> replies.ReviewReply:
        """Change the text of a reply, which is a draft again; one at the source is replaced after approval."""
        return await replies.edit(ask.tx, id, words=words, expected_version=expected_version)

    @mutation(ReviewReply)
    @staticmethod
    async def approve_review_reply(
        ask: MutationContext,
        id: Annotated[ReviewReplyId, "Draft that is approved."],
        expected_version: ExpectedVersion = None,
    ) -> replies.ReviewReply:
        """Approve a reply, which is sent at once. Refused when its text is confidential, or was used on the page."""
        return await replies.approve(ask.tx, id, expected_version=expected_version)

    @mutation(ReviewReply)
    @staticmethod
    async def send_review_reply(
        ask: MutationContext,
        id: Annotated[ReviewReplyId, "Approved reply that waits."],
        expected_version: ExpectedVersion = None,
    ) -> replies.ReviewReply:
        """Send an approved reply now, without its delay or the pause after a failure."""
        return await replies.send_now(ask.tx, id, expected_version=expected_version)

    @mutation(ReviewReply)
    @staticmethod
    async def withdraw_review_reply(
        ask: MutationContext,
        id: Annotated[ReviewReplyId, "Reply that is not to be shown."],
        reason: Annotated[str, "Reason for the withdrawal."],
        expected_version: ExpectedVersion = None,
    ) -> replies.ReviewReply:
        """Withdraw a reply; one that was sent is taken away at the source."""
        return await replies.withdraw(ask.tx, id, reason=reason, expected_version=expected_version)

    @mutation(ReviewReply)
    @staticmethod
    async def confirm_review_reply(
        ask: MutationContext,
        id: Annotated[ReviewReplyId, "Reply to a review that was edited since."],
        expected_version: ExpectedVersion = None,
    ) -> replies.ReviewReply:
        """Confirm that a reply still fits its review, which was edited after the reply was sent."""
        return await replies.confirm(ask.tx, id, expected_version=expected_version)
