"""Answers in words to a survey of a made-up client, as an import leaves them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from domain.access import Tx
from domain.core.base import uuid7
from domain.core.db import Sessions, transaction
from domain.surveys import (
    QuestionKind,
    SurveyAnswer,
    SurveyResponse,
    SurveyWave,
    published,
)
from tests.build import World
from tests.surveying import survey, system


async def answered(
    make: Sessions,
    world: World,
    texts: Sequence[tuple[int | None, str]],
    at: datetime,
    *,
    is_anonymous: bool = False,
    contact_id: UUID | None = None,
) -> list[UUID]:
    """Store a response for each number from 1 to 5 and text; return the ids of the answers in words."""
    rule = await survey(
        make, world.tenant.id, at, name=f"Survey {uuid4()}", is_anonymous=is_anonymous
    )
    own = {"tenant_id": world.tenant.id, "account_id": world.account.id}
    ids = []
    async with transaction(make) as session:
        version = await published(Tx(session, system(world.tenant.id), at), rule.questionnaire_id)
        assert version is not None
        wave = SurveyWave(**own, survey_id=rule.id, name="x", due_at=at, decided_at=at)
        session.add(wave)
        for number, text in texts:
            response = SurveyResponse(
                **own, id=uuid7(), survey_id=rule.id, version_id=version.id, language="nl",
                answered_at=at, is_anonymous=is_anonymous, contact_id=contact_id,
            )  # fmt: skip
            session.add(response)
            await session.flush()
            own_response = {**own, "response_id": response.id, "is_anonymous": is_anonymous}
            if number is not None:
                session.add(
                    SurveyAnswer(
                        **own_response,
                        question="experience",
                        kind=QuestionKind.RATING,
                        number=number,
                    )
                )
            said = SurveyAnswer(
                **own_response, id=uuid7(), question="improve", kind=QuestionKind.TEXT, words=text
            )
            session.add(said)
            ids.append(said.id)
    return ids
