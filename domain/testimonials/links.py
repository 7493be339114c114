"""Signed links to a testimonial: who has one may write, decline and withdraw one testimonial, and do nothing else."""

from typing import ClassVar
from uuid import UUID

from domain.core.signed_links import SignedLinks


class TestimonialLinks(SignedLinks):
    """Links of testimonials."""

    path: ClassVar[str] = "/t/"
    name: ClassVar[str] = "testimonial"
    purpose: ClassVar[str] = "links of testimonials"


def place_of(testimonial_id: UUID) -> str:
    """Return what stands in a stored letter in place of the link."""
    return TestimonialLinks.place_of(testimonial_id)
