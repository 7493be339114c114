"""Facts about testimonials. Words and names stay in the row, from which a withdrawal erases them."""

from datetime import date
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class TestimonialRequested(Fact):
    """A contact was asked for a testimonial, in a round that asks everybody alike."""

    kind: ClassVar[str] = "testimonial.requested"
    subject_type: ClassVar[str | None] = "Testimonial"
    contact_id: UUID
    batch_id: UUID


class TestimonialGiven(Fact):
    """A contact wrote a testimonial, or wrote it anew, with this consent."""

    kind: ClassVar[str] = "testimonial.given"
    subject_type: ClassVar[str | None] = "Testimonial"
    channels: list[str]
    until_on: date
    consent_version: int
    before: str
    after: str


class TestimonialDeclined(Fact):
    """A contact declined to give a testimonial."""

    kind: ClassVar[str] = "testimonial.declined"
    subject_type: ClassVar[str | None] = "Testimonial"
    before: str
    after: str


class TestimonialApproved(Fact):
    """A testimonial may be shown from now on, within its consent."""

    kind: ClassVar[str] = "testimonial.approved"
    subject_type: ClassVar[str | None] = "Testimonial"
    before: str
    after: str


class TestimonialRefused(Fact):
    """A testimonial is not shown, for one of five reasons."""

    kind: ClassVar[str] = "testimonial.refused"
    subject_type: ClassVar[str | None] = "Testimonial"
    reason: str
    before: str
    after: str


class TestimonialWithdrawn(Fact):
    """The consent was withdrawn: the testimonial is shown nowhere any more, and its text is erased."""

    kind: ClassVar[str] = "testimonial.withdrawn"
    subject_type: ClassVar[str | None] = "Testimonial"
    before: str
    after: str
