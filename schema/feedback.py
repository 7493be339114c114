"""Feedback: the sentiment of texts that clients wrote, corrections, words of themes, the trend and the feed."""

from collections.abc import AsyncIterable
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import accounts, feedback, incidents, reputation, surveys
from domain.core.ledger import LedgerRow
from domain.feedback import FeedbackKind
from domain.sentiment import PolarityClass, SentimentMethod, Theme
from schema.accounts import Account
from schema.core import ids
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import AccountFilter, Rows, lists, visible
from schema.core.mutations import ExpectedVersion, GlobalIdOf, MutationContext, mutation
from schema.core.roots import mutation_fields, query_fields, subscription_fields
from schema.core.types import RESTRICTED, enum, from_row, relation, resolver, subscription
from schema.subscriptions import After, FeedEvent, Item, facts_of
from schema.survey_answers import SurveyResponse
from schema.survey_scores import SurveyEstimate
from schema.theme_words import TextTheme

enum(
    FeedbackKind,
    "FeedbackKind",
    survey_answer="Answer in words to a survey.",
    review="Public review of the company.",
    incident_update="Update of an incident by the client.",
)
enum(
    PolarityClass,
    "SentimentLabel",
    negative="Negative: a polarity of -0.25 or less.",
    neutral="Neutral: a polarity nearer to zero than 0.25.",
    positive="Positive: a polarity of 0.25 or more.",
)
enum(
    SentimentMethod,
    "SentimentMethod",
    plain="Weighted words, pairs of words and parts of words.",
    e5="Linear weights over a multilingual sentence encoder.",
)

SentimentId = Annotated[UUID, GlobalIdOf("TextSentiment")]
Row = strawberry.Parent[feedback.TextSentiment]
HeadRow = strawberry.Parent[feedback.SentimentHead]
MonthRow = strawberry.Parent[feedback.SentimentMonth]
_MILLION = 1_000_000
_KINDS = ("sentiment.read", "sentiment.corrected")


@from_row(feedback.TextSentiment)
class TextSentiment(Node):
    """Sentiment and themes of one text of a client, as a method read it, and as a person corrected it."""

    kind: Annotated[FeedbackKind, "Kind of text that was read."]
    written_at: Annotated[datetime, "Time at which the text was written."]
    read_at: Annotated[datetime, "Time at which it was read."]
    label: Annotated[PolarityClass, "Label that counts: the one of a person, else as read."]
    read_label: Annotated[PolarityClass, "Label as the method read it."]
    method: Annotated[SentimentMethod, "Method that read it."]
    words: Annotated[list[str], "Words of the text that decided; empty where erased."]
    suggested_theme: Annotated[
        Theme | None, "Theme that the encoder proposes for a text without words of a theme."
    ]
    corrected_at: Annotated[datetime | None, "Time of the correction; null without one."]
    corrected_by: Annotated[
        str | None, "Person who corrected it, as named in the ledger.", RESTRICTED
    ]

    @resolver(float)
    @staticmethod
    def polarity(row: Row) -> float:
        """Polarity from -1, negative, to 1, positive, in steps of a millionth."""
        return row.polarity / _MILLION

    @resolver(float)
    @staticmethod
    def confidence(row: Row) -> float:
        """Probability that the sign of the polarity is right, 0.5 to 1."""
        return row.confidence / _MILLION

    @resolver(float | None)
    @staticmethod
    def score(row: Row) -> float | None:
        """What the author answered or rated beside the text, as a share of the scale, 0 to 1."""
        return None if row.score is None else row.score / _MILLION

    @resolver(bool)
    @staticmethod
    def score_disagrees(row: Row) -> bool:
        """Whether score and text say the opposite: a negative text beside 0.75 or more, or a positive one up to 0.4."""
        return row.disagrees

    @resolver(str)
    @staticmethod
    def version(row: Row) -> str:
        """Version of the weights that read it: the encoder and a checksum."""
        return row.head

    @resolver(str)
    @staticmethod
    def taxonomy_version(row: Row) -> str:
        """Version of the words of themes: of the program and, after a dot, of the company."""
        return row.taxonomy

    @resolver(int)
    @staticmethod
    def row_version(row: Row) -> int:
        """Version of the row, raised by every change."""
        return row.version

    @resolver(list[TextTheme])
    @staticmethod
    def themes(row: Row) -> list[feedback.TextTheme]:
        """Themes that count: those of a person, else those with words in the text."""
        return feedback.text_themes(row.themes, row.theme_words)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> accounts.Account | None:
        """Account of the client; null for a review that is linked to none."""
        return await info.context.get(accounts.Account, row.account_id)

    @relation("Review")
    @staticmethod
    async def review(row: Row, info: Info) -> Any:
        """Review that was read; null for other texts."""
        return await info.context.get(reputation.Review, row.review_id)

    @relation("IncidentUpdate")
    @staticmethod
    async def incident_update(row: Row, info: Info) -> Any:
        """Update of an incident that was read; null for other texts."""
        return await info.context.get(incidents.IncidentUpdate, row.update_id)

    @resolver(SurveyResponse | None)
    @staticmethod
    async def response(row: Row, info: Info) -> surveys.SurveyResponse | None:
        """Response with the answer that was read; null for other texts."""
        answer = await info.context.get(surveys.SurveyAnswer, row.answer_id)
        response_id = None if answer is None else answer.response_id
        return await info.context.get(surveys.SurveyResponse, response_id)


@from_row(feedback.SentimentHead)
class SentimentHead(Node):
    """Weights trained on the company's own scored texts; texts are read with them when they are better."""

    number: Annotated[int, "Number of the training, by method."]
    method: Annotated[SentimentMethod, "Method that the weights are for."]
    texts: Annotated[int, "Number of own texts with a score, at least 50."]
    trained_at: Annotated[datetime, "Time of the training."]
    error_before: Annotated[
        float, "Mean squared error of the weights of the program on these texts."
    ]
    error_after: Annotated[float, "Mean squared error of these weights, by cross-validation."]
    is_used: Annotated[bool, "Whether the error is smaller, so that texts are read with them."]

    @resolver(str)
    @staticmethod
    def base_version(row: HeadRow) -> str:
        """Version of the weights of the program that the training began with."""
        return row.base

    @resolver(str)
    @staticmethod
    def version(row: HeadRow) -> str:
        """Version of the trained weights: the encoder and a checksum."""
        return row.head


@from_row(feedback.SentimentMonth)
class SentimentMonth:
    """Texts of one month, and the share of them that is negative."""

    month_on: Annotated[date, "First day of the month, on the company's calendar."]
    n: Annotated[int, "Number of texts that were written in the month."]
    negative: Annotated[int | None, "Number of negative ones; null below five texts."]
    share: Annotated[
        SurveyEstimate | None, "Share of negative ones in percent; null below five texts."
    ]

    @resolver(bool)
    @staticmethod
    def too_few(row: MonthRow) -> bool:
        """Whether there are too few texts for a share."""
        return row.share is None


@query_fields
class FeedbackQuery:
    """Queries about feedback."""

    @lists(
        TextSentiment,
        feedback.TextSentiment.written_at,
        feedback.TextSentiment.id,
        descending=True,
    )
    @staticmethod
    def text_sentiments(
        info: Info,
        account_id: AccountFilter = None,
        label: Annotated[PolarityClass | None, "Only texts with this label."] = None,
        theme: Annotated[Theme | None, "Only texts with this theme."] = None,
        disagreeing: Annotated[
            bool, "Only texts that say the opposite of the score beside them."
        ] = False,
    ) -> Rows:
        """Sentiment of texts, the newest first, without anonymous answers."""
        row = feedback.TextSentiment
        query = visible(info, row, account_id)
        if label is not None:
            query = query.where(row.label == label)
        if theme is not None:
            query = query.where(row.themes.contains([str(theme)]))
        return query.where(row.disagrees) if disagreeing else query

    @lists(
        SentimentHead,
        feedback.SentimentHead.trained_at,
        feedback.SentimentHead.id,
        descending=True,
    )
    @staticmethod
    def sentiment_heads(info: Info) -> Rows:
        """Weights that were trained on the company's own texts, the newest first."""
        return visible(info, feedback.SentimentHead)

    @resolver(list[SentimentMonth], work=200)
    @staticmethod
    async def sentiment_trend(
        info: Info,
        account_id: Annotated[strawberry.ID | None, "Only texts of this account."] = None,
        theme: Annotated[Theme | None, "Only texts with this theme."] = None,
    ) -> list[feedback.SentimentMonth]:
        """Share of negative texts by month, the oldest first, at most five years; it counts anonymous answers too."""
        wanted = None if account_id is None else ids.known(account_id, "Account") or UUID(int=0)
        async with info.context.sessions() as session:
            return await feedback.sentiment_trend(
                session, info.context.actor, account_id=wanted, theme=theme
            )


@mutation_fields
class FeedbackMutation:
    """Mutations about feedback."""

    @mutation(TextSentiment)
    @staticmethod
    async def correct_sentiment(
        ask: MutationContext,
        id: Annotated[SentimentId, "Sentiment that is corrected."],
        label: Annotated[PolarityClass | None, "Label of the text; null leaves it."] = None,
        themes: Annotated[list[Theme] | None, "All themes of the text; null leaves them."] = None,
        expected_version: ExpectedVersion = None,
    ) -> feedback.TextSentiment:
        """Correct the label or the themes of a text; the label as read stays visible."""
        return await feedback.correct_sentiment(
            ask.tx, id, label=label, themes=themes, expected_version=expected_version
        )


@subscription_fields
class FeedbackSubscription:
    """Subscriptions about feedback."""

    @subscription(FeedEvent)
    def sentiment_events(
        self,
        info: Info,
        account_id: Annotated[
            strawberry.ID | None, "Account to follow; null for all accounts that you can access."
        ] = None,
        disagreeing: Annotated[
            bool, "Only texts that say the opposite of the score beside them."
        ] = False,
        after: After = None,
    ) -> AsyncIterable[Item]:
        """Texts as they are read and corrected."""
        return facts_of(
            info.context,
            info.context.actor,
            after,
            account_id=None
            if account_id is None
            else ids.wanted(account_id, "Account", "accountId"),
            where=LedgerRow.kind.in_(_KINDS),
            only=lambda fact: (
                fact.kind in _KINDS and (not disagreeing or bool(fact.body["disagrees"]))
            ),
        )
