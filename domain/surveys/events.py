"""Facts about surveys. Those without an account are about the company's questionnaires."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class QuestionnaireVersionAdded(Fact):
    """A questionnaire has a new version, which is not asked before it is published; `before` is the one before it."""

    kind: ClassVar[str] = "questionnaire.version_added"
    subject_type: ClassVar[str | None] = "Questionnaire"
    version_id: UUID
    number: int
    name: str
    before: dict[str, Any] | None
    after: dict[str, Any]


class QuestionnairePublished(Fact):
    """A version of a questionnaire is asked from now on; `before` is the number of the version until now."""

    kind: ClassVar[str] = "questionnaire.published"
    subject_type: ClassVar[str | None] = "Questionnaire"
    version_id: UUID
    before: int | None
    after: int


class SurveyAdded(Fact):
    """A survey asks clients from now on."""

    kind: ClassVar[str] = "survey.added"
    subject_type: ClassVar[str | None] = "Survey"
    questionnaire_id: UUID
    after: dict[str, Any]


class SurveyChanged(Fact):
    """A survey was changed or stopped."""

    kind: ClassVar[str] = "survey.changed"
    subject_type: ClassVar[str | None] = "Survey"
    before: dict[str, Any]
    after: dict[str, Any]


class SurveyAsked(Fact):
    """A contact was asked to answer a survey until `closes_at`. Internal to the company."""

    kind: ClassVar[str] = "survey.asked"
    subject_type: ClassVar[str | None] = "SurveyInvitation"
    survey_id: UUID
    contact_id: UUID
    wave: str
    closes_at: datetime
    internal: bool = True


class SurveySkipped(Fact):
    """A contact was not asked, for this reason; the contact's answers play no part. Internal to the company."""

    kind: ClassVar[str] = "survey.skipped"
    subject_type: ClassVar[str | None] = "SurveyInvitation"
    survey_id: UUID
    contact_id: UUID
    wave: str
    reason: str
    internal: bool = True


class SurveyWithdrawn(Fact):
    """An invitation can no longer be answered, because a relationship survey took precedence. Internal."""

    kind: ClassVar[str] = "survey.withdrawn"
    subject_type: ClassVar[str | None] = "SurveyInvitation"
    contact_id: UUID
    internal: bool = True


class SurveyAnswered(Fact):
    """Somebody answered a survey; `numbers` by question, and the words apart.

    For an anonymous survey it says no more than that: neither who answered nor what.
    """

    kind: ClassVar[str] = "survey.answered"
    subject_type: ClassVar[str | None] = "SurveyResponse"
    personal: ClassVar[frozenset[str]] = frozenset({"words"})
    survey_id: UUID
    contact_id: UUID | None
    incident_id: UUID | None
    numbers: dict[str, int]
    chosen: dict[str, list[str]]
    words: str | None
    internal: bool = True


class SurveyRated(Fact):
    """A rating stands, because its survey has closed; it names no contact. Internal to the company."""

    kind: ClassVar[str] = "survey.rated"
    subject_type: ClassVar[str | None] = "SurveyResponse"
    question: str
    value: int
    internal: bool = True


class SurveyAnswerCorrected(Fact):
    """A respondent corrected the answers; `before` and `after` are numbers by question, the words apart."""

    kind: ClassVar[str] = "survey.corrected"
    subject_type: ClassVar[str | None] = "SurveyResponse"
    personal: ClassVar[frozenset[str]] = frozenset({"words"})
    survey_id: UUID
    before: dict[str, int]
    after: dict[str, int]
    chosen: dict[str, list[str]]
    words: str | None
    internal: bool = True
