"""Disclosures: the personal words that a fact only commits to. They can be erased, the fact and its proofs stay.

A fact's body holds `sha256:` and SHA-256(salt || words); salt and words live here. As long as they do, anybody can
check that they are what was written down. Once they are gone, 256 random bits keep the hash from being guessed back.
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
    """One personal text of one fact, with the salt that opens its commitment."""

    __tablename__ = "disclosure"
    __table_args__ = (Index(None, "tenant_id", "at"), Index(None, "subject_id"))

    commitment: Mapped[str] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    subject_id: Mapped[UUID]
    at: Mapped[datetime]
    salt: Mapped[bytes] = mapped_column(LargeBinary)
    words: Mapped[str]


def commit_to(words: str) -> tuple[str, bytes]:
    """A new commitment to these words, and its salt of 32 bytes."""
    salt = secrets.token_bytes(32)
    return PREFIX + hashlib.sha256(salt + words.encode()).hexdigest(), salt


def is_commitment(value: object) -> bool:
    """Whether a value in a fact's body stands for words that lie apart."""
    return isinstance(value, str) and value.startswith(PREFIX)
