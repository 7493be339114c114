"""Rows: a Merkle tree for each security company over its ledger, and its signed checkpoints.

None of them refers to the ledger by a foreign key: evidence against a truncated ledger must not be deleted with it.
"""

import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Tenanted


class Tree(Base):
    """Size of a company's tree and of its last checkpoint; locked while either changes."""

    __tablename__ = "audit_tree"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    size: Mapped[int] = mapped_column(default=0)  # leaves
    seq: Mapped[int] = mapped_column(default=0)  # sequence number of the last leaf's fact
    signed_size: Mapped[int] = mapped_column(default=0)
    signed_seq: Mapped[int] = mapped_column(default=0)
    signed_at: Mapped[datetime | None]
    is_wanted: Mapped[bool] = mapped_column(default=False)  # a checkpoint was requested
    secret: Mapped[bytes] = mapped_column(LargeBinary, default=lambda: secrets.token_bytes(32))
    """Secret from which the salts are derived that hide the actors in leaves."""
    hidden_from: Mapped[int] = mapped_column(default=0)
    """From this position on leaves commit to their actors; earlier leaves were signed with the actors themselves."""
    week: Mapped[
        str | None
    ]  # the last week whose checkpoint was sent to everybody: ISO 8601, 2026-W48


class Leaf(Base):
    """Position of a fact in its company's tree, and among the facts that its account's clients see."""

    __tablename__ = "audit_leaf"
    __table_args__ = (
        UniqueConstraint("account_id", "nth"),
        Index(None, "tenant_id", "account_id", "position"),
    )

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(unique=True)
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    nth: Mapped[int | None]


class Tile(Base):
    """Up to 256 neighbouring hashes of a tree, 32 bytes each (see `merkle`)."""

    __tablename__ = "audit_tile"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hashes: Mapped[bytes] = mapped_column(LargeBinary)


class Checkpoint(Base, Tenanted):
    """A signed statement that a company's tree has this size and root; never changed, never removed."""

    __tablename__ = "audit_checkpoint"
    __table_args__ = (UniqueConstraint("tenant_id", "size"),)

    size: Mapped[int]
    root: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str]
    verifier_key: Mapped[str]
    signed_at: Mapped[datetime]
