"""Rows: testimonials, from the request to the contact, over the consent, to what is shown."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Versioned


class TestimonialState(StrEnum):
    """How far a testimonial is, from the request to its end."""

    REQUESTED = "requested"
    GIVEN = "given"
    APPROVED = "approved"
    REFUSED = "refused"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


class TestimonialChannel(StrEnum):
    """Channel for which a contact consents to the use of a testimonial."""

    WEBSITE = "website"
    SOCIAL_MEDIA = "social_media"
    TENDERS = "tenders"
    REFERENCE_CALLS = "reference_calls"


class TestimonialRefusal(StrEnum):
    """Reason for which a testimonial is not shown. That it is unfavourable is none."""

    NOT_ABOUT_SERVICE = "not_about_service"
    NAMES_PERSONS = "names_persons"
    CONFIDENTIAL = "confidential"
    OFFENSIVE = "offensive"
    NOT_THE_AUTHOR = "not_the_author"


class Testimonial(Base, Owned, Versioned):
    """What a contact says of the company for others to read, with the consent under which it may be used."""

    __tablename__ = "testimonial"
    __table_args__ = (
        CheckConstraint(
            "state NOT IN ('given', 'approved', 'refused') OR (words IS NOT NULL AND shown_name IS NOT NULL"
            " AND consented_at IS NOT NULL AND consent_version IS NOT NULL AND until_on IS NOT NULL)",
            name="given_with_consent",
        ),
        CheckConstraint(
            "state NOT IN ('withdrawn', 'declined') OR (words IS NULL AND shown_name IS NULL)",
            name="withdrawn_without_words",
        ),
        CheckConstraint("(state = 'refused') = (refusal IS NOT NULL)", name="refused_has_reason"),
        Index(None, "contact_id", "asked_at"),
        Index(
            "ix_testimonial_shown",
            "tenant_id",
            "moderated_at",
            postgresql_where=text("state = 'approved'"),
        ),
    )

    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"))
    batch_id: Mapped[UUID]  # those who were asked at once
    state: Mapped[TestimonialState]
    asked_at: Mapped[datetime]
    language: Mapped[str]
    words: Mapped[str | None]
    shown_name: Mapped[str | None]
    shown_role: Mapped[str | None]
    channels: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'"), default=list
    )
    consent_version: Mapped[int | None]  # of the text that the contact agreed to
    consented_at: Mapped[datetime | None]
    until_on: Mapped[date | None]  # the last day on which it may be used
    moderated_at: Mapped[datetime | None]
    refusal: Mapped[TestimonialRefusal | None]
    ended_at: Mapped[datetime | None]  # declined or withdrawn
