"""Facts about surveys. Those without an account are about the company's questionnaires."""

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
