"""Read texts: their polarity by a model, their themes by words, stored once each with method and versions."""

from collections.abc import Sequence
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Tx
from domain.core.base import among, uuid7
from domain.feedback.events import SentimentRead
from domain.feedback.model import TextSentiment
from domain.feedback.rules import FeedbackKind, disagrees
from domain.feedback.taxonomy import ThemesInForce
from domain.feedback.texts import PART, UnreadText, mark_read, unread_texts
from domain.reputation.model import Review
from domain.sentiment import Polarity, PolarityModel, SentimentMethod, Theme, themes_of

Found = tuple[UnreadText, Polarity, dict[Theme, tuple[str, ...]], Theme | None]
"""A text with its polarity, its themes with the words that decided, and the theme that is suggested."""
_KEYS: dict[FeedbackKind, Any] = {
    FeedbackKind.SURVEY_ANSWER: TextSentiment.answer_id,
    FeedbackKind.REVIEW: TextSentiment.review_id,
    FeedbackKind.INCIDENT_UPDATE: TextSentiment.update_id,
}


def read_texts(
    texts: Sequence[UnreadText], model: PolarityModel, themes: ThemesInForce
) -> list[Found]:
    """Return what a model and the words of themes say of texts; takes processor time, and no database."""
    polarities = model.polarity([each.text for each in texts])
    by_theme = [
        {each.theme: each.words for each in themes_of(text.text, themes.words)} for text in texts
    ]
    bare = [at for at, each in enumerate(by_theme) if not each]
    suggested = dict(
        zip(bare, model.suggested_themes([texts[at].text for at in bare]), strict=True)
    )
    return [
        (text, polarity, by_theme[at], suggested.get(at))
        for at, (text, polarity) in enumerate(zip(texts, polarities, strict=True))
    ]


async def store_readings(
    session: AsyncSession,
    found: Sequence[Found],
    model: tuple[SentimentMethod, str],
    themes: ThemesInForce,
    *,
    at: datetime,
) -> int:
    """Store what was read of texts of one company that did not change meanwhile; return how many."""
    stored = 0
    for kind in FeedbackKind:
        mine = {each[0].id: each for each in found if each[0].kind is kind}
        if not mine:
            continue
        now = await unread_texts(session, kind, list(mine), lock=True)
        same = [row_id for row_id, text in now.items() if text.text == mine[row_id][0].text]
        column = _KEYS[kind]
        known = {
            getattr(row, column.key): row
            for row in await session.scalars(select(TextSentiment).where(among(column, same)))
        }
        for row_id in same:
            tx = Tx(session, Actor.system(now[row_id].tenant_id, PART), at)
            _, polarity, by_theme, suggested = mine[row_id]
            read = (now[row_id], polarity, by_theme, suggested)
            _store(tx, read, known.get(row_id), model, themes)
        await session.flush()
        await mark_read(session, kind, same)
        stored += len(same)
    return stored


def _store(
    tx: Tx,
    read: Found,
    known: TextSentiment | None,
    model: tuple[SentimentMethod, str],
    themes: ThemesInForce,
) -> None:
    """Store one reading; a later one of the same text (a review that was edited) replaces a person's correction."""
    text, polarity, by_theme, suggested = read
    label = polarity.of_class
    row = known or TextSentiment(
        id=uuid4() if text.is_anonymous else uuid7(),
        tenant_id=text.tenant_id,
        kind=text.kind,
        **{_KEYS[text.kind].key: text.id},
    )
    before = None if known is None else known.label
    # An instant in the order of answering would tell whose answer it is.
    day = datetime.combine(tx.at.astimezone(UTC).date(), time(), UTC)
    row.account_id, row.is_anonymous = text.account_id, text.is_anonymous
    row.written_at, row.read_at = text.written_at, day if text.is_anonymous else tx.at
    row.polarity, row.confidence = round(1e6 * polarity.value), round(1e6 * polarity.confidence)
    row.read_label = row.label = label
    row.method, row.head = model
    row.taxonomy, row.words = themes.version, list(polarity.words)
    row.themes = [str(each) for each in by_theme]
    row.theme_words = {str(theme): list(words) for theme, words in by_theme.items()}
    row.suggested_theme, row.score = suggested, text.score
    row.disagrees = disagrees(text.score, label)
    row.corrected_at = row.corrected_by = None
    tx.session.add(row)
    if text.is_anonymous:
        return
    tx.record(
        SentimentRead(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            text_kind=row.kind,
            response_id=text.response_id,
            review_id=row.review_id,
            update_id=row.update_id,
            written_at=row.written_at,
            polarity=row.polarity,
            label=label,
            label_before=before,
            method=row.method,
            head=row.head,
            taxonomy=row.taxonomy,
            themes=row.themes,
            score=row.score,
            disagrees=row.disagrees,
        )
    )


async def follow_review(session: AsyncSession, review_id: UUID) -> None:
    """Move the sentiment of a review to the client that the review is linked to, or to none."""
    review = await session.get_one(Review, review_id)
    row = await session.scalar(
        select(TextSentiment).where(TextSentiment.review_id == review_id).with_for_update()
    )
    if row is not None:
        row.account_id = review.account_id
