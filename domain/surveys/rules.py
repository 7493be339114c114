"""Rules of surveys: what starts one, when the wave of a period is due, and which answers are low."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from domain.surveys.fatigue import SurveyPurpose
from domain.surveys.questions import GivenAnswer, Question, QuestionKind


class Trigger(StrEnum):
    """Event or period that starts a survey."""

    INCIDENT_RESOLVED = "incident_resolved"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"


class Audience(StrEnum):
    """Contacts of an account that a survey is for."""

    EVERYBODY = "everybody"
    DECISION_MAKERS = "decision_makers"


MONTHS = {Trigger.MONTHLY: 1, Trigger.QUARTERLY: 3, Trigger.YEARLY: 12}
"""Months of a period, by trigger."""
PURPOSES = {
    Trigger.INCIDENT_RESOLVED: SurveyPurpose.TRANSACTIONAL,
    Trigger.MONTHLY: SurveyPurpose.RELATIONSHIP,
    Trigger.QUARTERLY: SurveyPurpose.RELATIONSHIP,
    Trigger.YEARLY: SurveyPurpose.RELATIONSHIP,
}
DECISION_MAKER = 4
"""Lowest decision power, of 5, of a contact whom surveys for decision makers ask."""
MORNING = time(9)
"""Local time of an account at which the wave of a period is due, before any delay."""
LOW = {
    QuestionKind.NPS: 6,
    QuestionKind.RATING: 2,
    QuestionKind.YES_NO: 0,
    QuestionKind.CES: 3,
}
"""Highest answer that asks for a follow-up, by kind of question."""


def period_of(trigger: Trigger, at: datetime, zone: str) -> tuple[str, datetime]:
    """Return the name of the period that contains `at` on an account's calendar, and when its wave is due."""
    months = MONTHS[trigger]
    here = at.astimezone(ZoneInfo(zone)).date()
    first = date(here.year, (here.month - 1) // months * months + 1, 1)
    names = {
        1: f"{first:%Y-%m}",
        3: f"{first.year}-Q{(first.month + 2) // 3}",
        12: f"{first.year}",
    }
    return names[months], datetime.combine(first, MORNING, ZoneInfo(zone))


def low_questions(questions: Sequence[Question], given: Mapping[str, GivenAnswer]) -> list[str]:
    """Return the keys of the questions whose answer is so low that somebody must follow up."""
    return [
        question.key
        for question in questions
        if (highest := LOW.get(question.kind)) is not None
        and (answer := given.get(question.key)) is not None
        and answer.number is not None
        and answer.number <= highest
    ]
