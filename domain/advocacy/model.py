"""Rows: referrals, case studies with their consent, reference calls and champions."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned


class ReferralState(StrEnum):
    """How far the company is with an organisation that a client referred."""

    RECEIVED = "received"
    CONTACTED = "contacted"
    OFFERED = "offered"
    WON = "won"
    LOST = "lost"


class CaseStudyState(StrEnum):
    """How far a case study is, from its draft to its end."""

    DRAFT = "draft"
    OFFERED = "offered"
    CONSENTED = "consented"
    DECLINED = "declined"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class StudyChannel(StrEnum):
    """Channel for which a client consents to the use of a case study."""

    WEBSITE = "website"
    SOCIAL_MEDIA = "social_media"
    TENDERS = "tenders"


class CallState(StrEnum):
    """How far a reference call is."""

    REQUESTED = "requested"
    AGREED = "agreed"
    HELD = "held"
    CANCELLED = "cancelled"


class ChampionEnd(StrEnum):
    """Reason for which a contact is a champion no more."""

    LEFT = "left"
    OTHER_ROLE = "other_role"
    CHANGED_MIND = "changed_mind"
    NAMED_WRONGLY = "named_wrongly"
    ERASED = "erased"


class Referral(Base, Owned, Versioned):
    """An organisation to which a client recommended the company."""

    __tablename__ = "referral"
    __table_args__ = (
        CheckConstraint("(state = 'won') = (won_account_id IS NOT NULL)", name="won_has_account"),
        CheckConstraint("(state = 'lost') = (reason IS NOT NULL)", name="lost_has_reason"),
        CheckConstraint("value_cents >= 0", name="value_not_negative"),
        Index(None, "account_id", "referred_at"),
    )

    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"))
    prospect: Mapped[str]
    note: Mapped[str | None]
    state: Mapped[ReferralState]
    value_cents: Mapped[int | None]  # what it is worth in a year
    referred_at: Mapped[datetime]
    moved_at: Mapped[datetime]
    reason: Mapped[str | None]  # why it was lost
    won_account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"), unique=True)


class CaseStudy(Base, Owned, Versioned):
    """A text about what the company did for a client, shown under the client's consent to that very text."""

    __tablename__ = "case_study"
    __table_args__ = (
        CheckConstraint(
            "state NOT IN ('consented', 'published') OR (consented_at IS NOT NULL AND until_on IS NOT NULL"
            " AND consented_text = text_number)",
            name="shown_with_consent",
        ),
        Index(
            "ix_case_study_published",
            "tenant_id",
            "published_at",
            postgresql_where=text("state = 'published'"),
        ),
    )

    title: Mapped[str]
    words: Mapped[str]
    text_number: Mapped[int] = mapped_column(default=1)  # raised by each change of title or words
    language: Mapped[str]
    state: Mapped[CaseStudyState]
    drafted_at: Mapped[datetime]
    offered_at: Mapped[datetime | None]
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"))
    channels: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), default=list
    )
    until_on: Mapped[date | None]  # the last day on which it may be used
    consented_at: Mapped[datetime | None]
    consented_text: Mapped[int | None]  # the number of the text that the client agreed to
    evidence_note: Mapped[str | None]  # how the consent was given, where the company recorded it
    published_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]  # declined or withdrawn
    end_reason: Mapped[str | None]


class ReferenceCall(Base, Owned, Versioned):
    """A call in which a contact of a client tells a prospect about the company."""

    __tablename__ = "reference_call"
    __table_args__ = (
        CheckConstraint("state <> 'held' OR held_at IS NOT NULL", name="held_has_time"),
        Index(None, "account_id", "requested_at"),
    )

    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"), index=True)
    prospect: Mapped[str]
    state: Mapped[CallState]
    requested_at: Mapped[datetime]
    planned_at: Mapped[datetime | None]
    held_at: Mapped[datetime | None]
    outcome_note: Mapped[str | None]
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]


class Champion(Base, Owned, Versioned):
    """A contact of a client who speaks up for the company, from when until when."""

    __tablename__ = "champion"
    __table_args__ = (
        CheckConstraint("(ended_at IS NULL) = (end_reason IS NULL)", name="ended_has_reason"),
        Index(
            "uq_champion_open", "contact_id", unique=True, postgresql_where=text("ended_at IS NULL")
        ),
    )

    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"), index=True)
    since_on: Mapped[date]
    evidence_note: Mapped[str]
    named_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_reason: Mapped[ChampionEnd | None]
    end_note: Mapped[str | None]
