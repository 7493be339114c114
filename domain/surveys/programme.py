"""Add and change surveys: the rules by which clients are asked."""

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from domain.access import Right, Tx
from domain.core.base import uuid7
from domain.core.changes import values_of
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line
from domain.surveys.events import SurveyAdded, SurveyChanged
from domain.surveys.model import Questionnaire, Survey
from domain.surveys.questionnaires import published
from domain.surveys.rules import Audience, Trigger

LONGEST_DELAY_S = 90 * 86_400
_SETTINGS = ("name", "trigger", "audience", "delay_s", "open_days", "one_in", "is_anonymous")
CHANGEABLE = ("audience", "delay_s", "open_days", "one_in", "is_active")


async def add_survey(
    tx: Tx, questionnaire_id: UUID, *, name: str, trigger: Trigger, **settings: Any
) -> Survey:
    """Add a survey, which asks from now on; refused for a questionnaire without a published version."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    must_be_line(name, "name")
    _check(settings)
    questionnaire = await tx.get(
        Questionnaire, questionnaire_id, "questionnaire", argument="questionnaireId"
    )
    if await published(tx, questionnaire.id) is None:
        raise Refused(
            Code.INVALID,
            "The questionnaire has no published version; publish one first.",
            argument="questionnaireId",
        )
    settings = {
        "audience": Audience.EVERYBODY,
        "one_in": 3 if trigger is Trigger.MONTHLY else 1,
    } | {key: value for key, value in settings.items() if value is not None}
    survey: Survey | None = await tx.session.scalar(
        insert(Survey)
        .values(
            id=uuid7(),
            tenant_id=tx.actor.tenant_id,
            questionnaire_id=questionnaire.id,
            name=name,
            trigger=trigger,
            created_at=tx.at,
            is_active=True,
            version=1,
            **settings,
        )
        .on_conflict_do_nothing(index_elements=[Survey.tenant_id, Survey.name])
        .returning(Survey)
    )
    if survey is None:
        raise Refused(Code.ALREADY_EXISTS, "Another survey has this name.", argument="name")
    tx.record(
        SurveyAdded(
            account_id=None,
            subject_id=survey.id,
            at=tx.at,
            questionnaire_id=questionnaire.id,
            after=values_of(survey, _SETTINGS),
        )
    )
    await tx.session.flush()
    return survey


async def change_survey(
    tx: Tx, survey_id: UUID, *, expected_version: int | None = None, **changes: Any
) -> Survey:
    """Change a survey or stop it; invitations that were sent stay as they are."""
    tx.actor.must(Right.MANAGE_ACCOUNTS)
    _check(changes)
    survey = await tx.get(Survey, survey_id, "survey", lock=True)
    must_be_current(survey.version, expected_version)
    changed = {
        name: value
        for name, value in changes.items()
        if name in CHANGEABLE and value is not None and value != getattr(survey, name)
    }
    if changed:
        before = values_of(survey, changed)
        for name, value in changed.items():
            setattr(survey, name, value)
        tx.record(
            SurveyChanged(
                account_id=None,
                subject_id=survey.id,
                at=tx.at,
                before=before,
                after=values_of(survey, changed),
            )
        )
        await tx.session.flush()
    return survey


async def running(tx: Tx, trigger: Trigger) -> list[Survey]:
    """Return the active surveys of the company with this trigger, the oldest first."""
    found = await tx.session.scalars(
        select(Survey)
        .where(
            Survey.tenant_id == tx.actor.tenant_id,
            Survey.trigger == trigger,
            Survey.is_active,
        )
        .order_by(Survey.id)
    )
    return list(found)


def _check(settings: dict[str, Any]) -> None:
    limits = {
        "delay_s": ("delaySeconds", 0, LONGEST_DELAY_S),
        "open_days": ("openDays", 1, 90),
        "one_in": ("oneIn", 1, 12),
    }
    for name, (argument, least, most) in limits.items():
        value = settings.get(name)
        if value is not None and not least <= value <= most:
            raise Refused(
                Code.INVALID, f"{argument} must be from {least:,} to {most:,}.", argument=argument
            )
