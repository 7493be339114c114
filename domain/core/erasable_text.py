"""Erasable personal texts. A fact holds only a commitment; the text can be erased while the fact and its proofs stay.

A fact's body holds `sha256:` and SHA-256(salt || text). Salt and text are stored here. While they exist, anybody can
check that the text is the one that was recorded. After erasure, 256 random bits prevent guessing the text from the
hash.
"""

import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base

PREFIX = "sha256:"


class ErasableText(Base):
    """One personal text of one fact, with the salt of its commitment."""

    __tablename__ = "disclosure"
    __table_args__ = (Index(None, "tenant_id", "at"), Index(None, "subject_id"))

    commitment: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    subject_id: Mapped[UUID]
    at: Mapped[datetime]
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    words: Mapped[str]


def commit_to(text: str) -> tuple[str, bytes]:
    """Return a new commitment to a text, and its salt of 32 bytes."""
    salt = secrets.token_bytes(32)
    return PREFIX + hashlib.sha256(salt + text.encode()).hexdigest(), salt


def is_commitment(value: object) -> bool:
    """Return whether a value in a fact's body is a commitment to an erasable text."""
    return isinstance(value, str) and value.startswith(PREFIX)
