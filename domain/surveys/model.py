"""Rows of surveys: questionnaires, rules by which clients are asked, invitations and answers."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    CheckConstraint,
    Double,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Tenanted, Versioned
from domain.surveys.fatigue import SkipReason, SurveyPurpose
from domain.surveys.questions import Question, QuestionKind, Wording
from domain.surveys.rules import PURPOSES, Audience, Trigger


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


class Survey(Base, Tenanted, Versioned):
    """A rule by which clients are asked: a questionnaire, what starts it, for whom, and for how long it is open."""

    __tablename__ = "survey"
    __table_args__ = (
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("delay_s >= 0", name="delay_not_negative"),
        CheckConstraint("open_days BETWEEN 1 AND 90", name="open_1_to_90_days"),
        CheckConstraint("one_in BETWEEN 1 AND 12", name="one_in_1_to_12"),
    )

    questionnaire_id: Mapped[UUID] = mapped_column(ForeignKey("questionnaire.id"))
    name: Mapped[str]
    trigger: Mapped[Trigger]
    audience: Mapped[Audience] = mapped_column(default=Audience.EVERYBODY)
    delay_s: Mapped[int] = mapped_column(default=0)
    open_days: Mapped[int] = mapped_column(default=14)
    one_in: Mapped[int] = mapped_column(
        default=1
    )  # share of an account's contacts that a wave asks
    is_anonymous: Mapped[bool] = mapped_column(default=False)
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]

    @property
    def purpose(self) -> SurveyPurpose:
        """The purpose, which decides how often a person may be asked."""
        return PURPOSES[self.trigger]


class SurveyWave(Base, Owned):
    """One round of a survey at an account: of a period, or about an incident."""

    __tablename__ = "survey_wave"
    __table_args__ = (
        UniqueConstraint("survey_id", "account_id", "name"),
        Index(
            "ix_survey_wave_undecided",
            "due_at",
            postgresql_where=text("decided_at IS NULL"),
        ),
    )

    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"))
    name: Mapped[str]  # "2026-11", "2026-Q4", "2026", "incident:<id>"
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"))
    due_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    contacts: Mapped[int] = mapped_column(default=0)
    asked: Mapped[int] = mapped_column(default=0)


class SurveyInvitation(Base, Owned):
    """The decision about one contact in a wave: asked, or skipped with the reason."""

    __tablename__ = "survey_invitation"
    __table_args__ = (
        UniqueConstraint("wave_id", "contact_id"),
        CheckConstraint(
            "(skipped IS NULL) = (closes_at IS NOT NULL)", name="asked_ones_have_an_end"
        ),
        CheckConstraint("weight > 0", name="weight_positive"),
        Index("ix_survey_invitation_person", "tenant_id", "person", "decided_at"),
        Index(None, "survey_id", "decided_at"),
    )

    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"))
    wave_id: Mapped[UUID] = mapped_column(ForeignKey("survey_wave.id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("questionnaire_version.id"))
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    person: Mapped[str | None]  # the mailbox as a hash: one person at several accounts
    purpose: Mapped[SurveyPurpose]
    decided_at: Mapped[datetime]
    skipped: Mapped[SkipReason | None]
    closes_at: Mapped[datetime | None]
    weight: Mapped[float] = mapped_column(Double, default=1.0)
    reminded_at: Mapped[datetime | None]
    is_answered: Mapped[bool] = mapped_column(default=False)


class SurveyResponse(Base, Owned):
    """The answers of one respondent; an anonymous one names neither invitation nor contact, and only its day."""

    __tablename__ = "survey_response"
    __table_args__ = (
        UniqueConstraint("invitation_id"),
        CheckConstraint(
            "NOT is_anonymous OR (invitation_id IS NULL AND contact_id IS NULL)",
            name="anonymous_names_nobody",
        ),
        Index(None, "survey_id", "answered_at"),
        Index(None, "tenant_id", "answered_at"),
        Index(
            "ix_survey_response_uncounted",
            "invitation_id",
            postgresql_where=text("counted_at IS NULL AND NOT is_anonymous"),
        ),
    )

    survey_id: Mapped[UUID] = mapped_column(ForeignKey("survey.id"))
    version_id: Mapped[UUID] = mapped_column(ForeignKey("questionnaire_version.id"))
    invitation_id: Mapped[UUID | None] = mapped_column(ForeignKey("survey_invitation.id"))
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"))
    incident_id: Mapped[UUID | None] = mapped_column(ForeignKey("incident.id"))
    site_id: Mapped[UUID | None] = mapped_column(ForeignKey("site.id"))
    is_anonymous: Mapped[bool] = mapped_column(default=False)
    weight: Mapped[float] = mapped_column(Double, default=1.0)
    language: Mapped[str]
    answered_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]
    counted_at: Mapped[datetime | None]  # when its ratings began to stand, once they are recorded


class SurveyAnswer(Base, Owned):
    """The answer to one question."""

    __tablename__ = "survey_answer"
    __table_args__ = (
        UniqueConstraint("response_id", "question"),
        CheckConstraint(
            "num_nonnulls(number, chosen, words) <= 1", name="a_number_or_choices_or_words"
        ),
        Index(
            "ix_survey_answer_unread",
            "tenant_id",
            "id",
            postgresql_where=text("words_unread AND words IS NOT NULL"),
        ),
    )

    response_id: Mapped[UUID] = mapped_column(ForeignKey("survey_response.id"))
    question: Mapped[str]
    kind: Mapped[QuestionKind]
    number: Mapped[int | None]
    chosen: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    words: Mapped[str | None]
    words_unread: Mapped[bool] = mapped_column(default=True)  # no sentiment of them yet
    is_anonymous: Mapped[bool] = mapped_column(default=False)
