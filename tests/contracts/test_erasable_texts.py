"""A text that people write is searched when a person is exported or erased, or is left out for a reason."""

import re
from enum import Enum

from sqlalchemy import String

from domain.privacy.mentions import TEXTS
from schema.build import nodes

WRITTEN = re.compile(r"(^|_)(note|words|body|summary|reason|explanation|answer|reporter|text)$")
PUBLISHED = "published by its author on a platform, where it can be withdrawn; the next read takes that over"
LEFT_OUT = {
    "Message.body": "letters to a person are emptied as a whole",
    "SystemOpening.reason": "written by the system",
    "Webhook.reason": "written by the system",
    "Competitor.note": "about another company, in the account of no client",
    "Review.words": PUBLISHED,
    "Review.reply_words": PUBLISHED,
    "ReviewVersion.words": PUBLISHED,
    "ReviewVersion.reply_words": PUBLISHED,
}
"""Column → why no erasure of a person searches it."""


def written() -> set[str]:
    """The columns in which people write, by the last word of their names."""
    found = set()
    for model in nodes():
        for column in model.__table__.columns:
            kind = column.type
            plain = isinstance(kind, String) and not isinstance(kind, Enum)
            if plain and getattr(kind, "enum_class", None) is None and WRITTEN.search(column.name):
                found.add(f"{model.__name__}.{column.name}")
    return found


def test_every_text_that_people_write_is_searched() -> None:
    searched = {f"{text.class_.__name__}.{text.key}" for text in TEXTS}
    assert len(written()) > 15
    assert written() - searched == LEFT_OUT.keys()
