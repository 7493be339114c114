"""A year of the demo company's surveys: each contact is asked every quarter, and two of three answer."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from dateutil.relativedelta import relativedelta
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.demo.billing import Books
from domain import surveys
from domain.access import Actor, Tx
from domain.accounts import Contact
from domain.core.base import uuid7
from domain.surveys import GivenAnswer, Survey, SurveyInvitation, SurveyWave, Trigger

WORDS = {
    "nl": (
        "De meldkamer belt altijd terug.",
        "Vaker dezelfde beveiliger op onze locatie, alstublieft.",
        "De rapportage kan korter.",
    ),
    "en": (
        "The night shift knows our building well.",
        "Please tell us sooner when a guard is replaced.",
        "Very content, keep it up.",
    ),
}


async def year(
    session: AsyncSession, actor: Actor, everyone: Sequence[Books], *, at: datetime
) -> None:
    """Enter a survey for each quarter with its answers up to `at`; the next one is decided by the workers."""
    chance = random.Random(20_260_102)  # noqa: S311 - a story, not a secret; the same one every time
    began = at - relativedelta(months=12)
    tx = Tx(session, actor, began)
    standard = await surveys.add_standard(tx)
    survey = await surveys.add_survey(
        tx, standard.id, name="Kwartaalonderzoek", trigger=Trigger.QUARTERLY
    )
    await surveys.add_survey(
        tx,
        standard.id,
        name="Na een melding",
        trigger=Trigger.INCIDENT_RESOLVED,
        delay_s=2 * 3600,
    )
    contacts = (
        await session.scalars(
            select(Contact)
            .where(Contact.account_id.in_([each.account_id for each in everyone]))
            .order_by(Contact.id)
        )
    ).all()
    for quarter in range(4):
        asked_at = began + relativedelta(months=3 * quarter, days=3)
        for account_id in dict.fromkeys(each.account_id for each in contacts):
            own = [each for each in contacts if each.account_id == account_id]
            wave = SurveyWave(
                id=uuid7(),
                tenant_id=actor.tenant_id,
                account_id=account_id,
                survey_id=survey.id,
                name=f"{asked_at.year}-Q{(asked_at.month + 2) // 3}",
                due_at=asked_at,
                decided_at=asked_at,
                contacts=len(own),
                asked=len(own),
            )
            session.add(wave)
            await session.flush()
            for contact in own:
                await _asked(session, actor, survey, wave, contact, quarter, chance)
    await session.flush()


async def _asked(
    session: AsyncSession,
    actor: Actor,
    survey: Survey,
    wave: SurveyWave,
    contact: Contact,
    quarter: int,
    chance: random.Random,
) -> None:
    """Ask one contact in one quarter; two of three answer within a week, a little happier each time."""
    version = await surveys.published(Tx(session, actor, wave.due_at), survey.questionnaire_id)
    if version is None:
        return
    row = SurveyInvitation(
        id=uuid7(),
        tenant_id=wave.tenant_id,
        account_id=wave.account_id,
        survey_id=survey.id,
        wave_id=wave.id,
        version_id=version.id,
        contact_id=contact.id,
        person=surveys.person_of(wave.tenant_id, contact.email),
        purpose=survey.purpose,
        decided_at=wave.due_at,
        closes_at=wave.due_at + timedelta(days=14),
    )
    session.add(row)
    await session.flush()
    if chance.random() > 0.67:
        return
    happy = min(10, 7 + chance.randint(0, 2) + (quarter + chance.randint(0, 2)) // 2)
    given = {
        "experience": GivenAnswer(number=5 if happy > 8 else chance.choice((3, 4))),
        "resolved": GivenAnswer(number=1),
        "recommend": GivenAnswer(number=happy),
    }
    if chance.random() < 0.4:
        given["improve"] = GivenAnswer(words=chance.choice(WORDS[contact.language]))
    when = wave.due_at + timedelta(hours=chance.randint(1, 150))
    await surveys.answer(session, row.id, given, at=when, origin=actor.origin)
