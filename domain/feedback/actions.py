"""Correct the sentiment of a text: what a person says counts, and what was read stays visible."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.access import Right, Tx
from domain.core.errors import Code, Refused, must_be_current
from domain.feedback.events import SentimentCorrected
from domain.feedback.model import TextSentiment
from domain.feedback.rules import disagrees
from domain.sentiment import PolarityClass, Theme


async def correct_sentiment(
    tx: Tx,
    sentiment_id: UUID,
    *,
    label: PolarityClass | None = None,
    themes: Sequence[Theme] | None = None,
    expected_version: int | None = None,
) -> TextSentiment:
    """Correct the label or the themes of a text; what is left out stays."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    row = await tx.get(TextSentiment, sentiment_id, "sentiment", lock=True)
    if row.is_anonymous:
        raise Refused(Code.NOT_FOUND, "No such sentiment.", argument="id")
    must_be_current(row.version, expected_version)
    if label is None and themes is None:
        raise Refused(Code.INVALID, "Name the label or the themes.", argument="label")
    before = _values(row)
    row.label = row.label if label is None else label
    if themes is not None:
        row.themes = [str(each) for each in Theme if each in themes]
    after = _values(row)
    if after == before:
        raise Refused(Code.ALREADY_DONE, "The text has this label and these themes.", argument="id")
    row.disagrees = disagrees(row.score, row.label)
    row.corrected_at, row.corrected_by = tx.at, tx.actor.subject
    tx.record(
        SentimentCorrected(
            account_id=row.account_id,
            subject_id=row.id,
            at=tx.at,
            written_at=row.written_at,
            polarity=row.polarity,
            before=before,
            after=after,
            disagrees=row.disagrees,
        )
    )
    await tx.session.flush()
    return row


def _values(row: TextSentiment) -> dict[str, Any]:
    return {"label": str(row.label), "themes": list(row.themes)}
