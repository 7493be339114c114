"""Rows of surveys: questionnaires and their versions."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Tenanted
from domain.surveys.questions import Question, Wording


class Questionnaire(Base, Tenanted):
    """A list of questions that the company asks its clients; each change is a new version."""

    __tablename__ = "questionnaire"
    __table_args__ = (UniqueConstraint("tenant_id", "name"),)

    name: Mapped[str]
    created_at: Mapped[datetime]


class QuestionnaireVersion(Base, Tenanted):
    """The questions of a questionnaire as they are asked; they never change after publication."""

    __tablename__ = "questionnaire_version"
    __table_args__ = (
        UniqueConstraint("questionnaire_id", "number"),
        CheckConstraint("number > 0", name="number_positive"),
    )

    questionnaire_id: Mapped[UUID] = mapped_column(ForeignKey("questionnaire.id"))
    number: Mapped[int]
    title_nl: Mapped[str]
    title_en: Mapped[str]
    content: Mapped[list[Any]] = mapped_column(JSONB)  # the questions, as plain values
    created_at: Mapped[datetime]
    published_at: Mapped[datetime | None]

    @property
    def questions(self) -> tuple[Question, ...]:
        """The questions, in the order in which they are asked."""
        return msgspec.convert(self.content, tuple[Question, ...])

    @property
    def title(self) -> Wording:
        """The title in both languages."""
        return Wording(nl=self.title_nl, en=self.title_en)
