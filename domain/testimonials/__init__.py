"""Testimonials: what contacts say for others to read, asked of all alike, shown under consent, withdrawn at once."""

from domain.testimonials.actions import (
    approve,
    ask_everybody,
    decline,
    forget_contact,
    give,
    latest_day,
    refuse,
    usual_day,
    withdraw,
)
from domain.testimonials.letters import TestimonialLetter
from domain.testimonials.links import TestimonialLinks
from domain.testimonials.model import (
    Testimonial,
    TestimonialChannel,
    TestimonialRefusal,
    TestimonialState,
)
from domain.testimonials.rules import (
    CONSENT,
    CONSENT_VERSION,
    STATEMENT,
    ShownTestimonial,
    structured_data,
)
from domain.testimonials.showing import by_link, is_shown, showcase

__all__ = [
    "CONSENT",
    "CONSENT_VERSION",
    "STATEMENT",
    "ShownTestimonial",
    "Testimonial",
    "TestimonialChannel",
    "TestimonialLetter",
    "TestimonialLinks",
    "TestimonialRefusal",
    "TestimonialState",
    "approve",
    "ask_everybody",
    "by_link",
    "decline",
    "forget_contact",
    "give",
    "is_shown",
    "latest_day",
    "refuse",
    "showcase",
    "structured_data",
    "usual_day",
    "withdraw",
]
