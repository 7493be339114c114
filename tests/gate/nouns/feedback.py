"""Feedback for the probes of the gate: texts that were read, words of a company, weights of its own."""

from typing import Any
from uuid import uuid4

from sqlalchemy import select

from domain import feedback
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.feedback import FeedbackKind, SentimentHead, TextSentiment
from domain.sentiment import PolarityClass, SentimentMethod, Theme
from domain.surveys.model import SurveyAnswer
from schema.core import ids
from tests.answering import answered
from tests.api.asking import Api, Office
from tests.build import T0


async def _read(api: Api, office: Office) -> TextSentiment:
    """The sentiment of an answer in words of its own."""
    [answer_id] = await answered(api.make, office.world, [(5, "Probe words, te laat")], T0)
    async with transaction(api.make) as session:
        answer = await session.get_one(SurveyAnswer, answer_id)
        answer.words_unread = False
        row = TextSentiment(
            tenant_id=answer.tenant_id, account_id=answer.account_id, answer_id=answer.id,
            kind=FeedbackKind.SURVEY_ANSWER, written_at=T0, read_at=T0, polarity=-400_000, confidence=700_000,
            read_label=PolarityClass.NEGATIVE, label=PolarityClass.NEGATIVE, method=SentimentMethod.PLAIN,
            head="plain-1:0", taxonomy="2", words=["te laat"], themes=["punctuality"],
            theme_words={"punctuality": ["te laat"]}, suggested_theme=None, score=1_000_000, disagrees=True,
        )  # fmt: skip
        session.add(row)
        await session.flush()
        return row


async def furnish(api: Api, office: Office) -> None:
    """Store a sentiment that was corrected, a version of words, and weights."""
    row = await _read(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(row.tenant_id, "test"), T0)
        await feedback.correct_sentiment(tx, row.id, label=PolarityClass.NEUTRAL)
        await feedback.revise_theme_words(tx, Theme.BILLING, add=[f"probe {uuid4().hex[:8]}x"])
        number = len(
            (
                await session.scalars(
                    select(SentimentHead).where(SentimentHead.tenant_id == row.tenant_id)
                )
            ).all()
        )
        session.add(
            SentimentHead(
                tenant_id=row.tenant_id,
                number=number + 1,
                method=SentimentMethod.PLAIN,
                base="plain-1:0",
                head="plain-1:1",
                texts=50,
                trained_at=T0,
                error_before=0.5,
                error_after=0.6,
                is_used=False,
                content=b"{}",
            )
        )


async def _to_correct(api: Api, office: Office) -> dict[str, Any]:
    row = await _read(api, office)
    return {"id": ids.write("TextSentiment", row.id), "label": "POSITIVE", "themes": ["BILLING"]}


async def _to_revise(_api: Api, _office: Office) -> dict[str, Any]:
    return {
        "theme": "BILLING",
        "add": [f"probe {uuid4().hex[:8]}x"],
        "remove": [],
        "effectiveAt": None,
    }


DOABLE = {"correctSentiment": _to_correct, "reviseThemeWords": _to_revise}
LAST_FACTS = {"sentimentEvents": "sentiment.corrected"}
