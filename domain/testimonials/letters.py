"""The letter that asks a contact for a testimonial."""

from pathlib import Path
from typing import ClassVar

from domain import messages
from domain.messages.model import Urgency

TOPIC = "testimonials"
"""Topic that a contact can unsubscribe from."""


class TestimonialLetter(messages.Variables, frozen=True, kw_only=True):
    """A request for a testimonial; the same words for everybody."""

    template: ClassVar[str] = "testimonial"
    version: ClassVar[int] = 1
    folder: ClassVar[Path] = Path(__file__).parent / "templates"
    topic: ClassVar[str | None] = TOPIC
    urgency: ClassVar[Urgency] = Urgency.LOW
    email_only: ClassVar[bool] = True

    link: str
