"""The ledger: one append-only table that serves as audit trail, job trigger, subscription feed and evaluator input.

A fact is written in the transaction of the change it describes. The relay assigns `seq` after the commit, because
values of an identity column become visible out of order. A reader that remembers `seq` therefore never misses a fact.
Within one subject the identity is in commit order too (actions lock the subject's row), so both orders agree.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol, dataclass_transform
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, func, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from domain.core import ledger_signal
from domain.core.base import JSON, Base
from domain.core.erasable_text import ErasableText, commit_to

SHARDS = 16
GENESIS = bytes(32)


class Origin(StrEnum):
    """Whether a fact is live (it triggers jobs) or history entered afterwards (it triggers none)."""

    LIVE = "live"
    HISTORY = "history"


class Recorder(Protocol):
    """Attributes of the actor that records a fact."""

    @property
    def tenant_id(self) -> UUID:
        """The company of the fact."""

    @property
    def subject(self) -> str:
        """The actor's name in the ledger: `user:<id>`, `key:<id>` or `system:<part>`."""

    @property
    def origin(self) -> Origin:
        """Whether the fact is live or history."""

    @property
    def trace_id(self) -> str | None:
        """The trace id of the request, if there is one."""


@dataclass(frozen=True, slots=True)
class SystemRecorder:
    """Recorder for facts of one company that the software itself records."""

    tenant_id: UUID
    subject: str
    origin: Origin = Origin.LIVE
    trace_id: str | None = None


class LedgerRow(Base):
    """One fact. It never changes after it is written, except that the relay adds `seq` and the hash chain once."""

    __tablename__ = "ledger"
    __table_args__ = (
        Index(None, "tenant_id", "account_id", "seq"),
        Index(None, "subject_id", "id"),
        Index("ix_ledger_unnumbered", "id", postgresql_where=text("seq IS NULL")),
        Index("ix_ledger_live", "id", postgresql_where=text("seq IS NULL AND origin = 'live'")),
        Index(
            "ix_ledger_past",
            "tenant_id",
            "account_id",
            postgresql_where=text("seq IS NULL AND origin <> 'live'"),
        ),
        Index("ix_ledger_shard_seq", "shard", "seq"),
        Index(
            "uq_ledger_once",
            "tenant_id",
            "once_key",
            unique=True,
            postgresql_where=text("once_key IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    seq: Mapped[int | None] = mapped_column(unique=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"))
    account_id: Mapped[UUID | None] = mapped_column(ForeignKey("account.id"))
    shard: Mapped[int]
    kind: Mapped[str]
    subject_id: Mapped[UUID]
    at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.clock_timestamp())
    origin: Mapped[Origin]
    actor: Mapped[str]
    body: Mapped[JSON]
    trace_id: Mapped[str | None]
    once_key: Mapped[str | None]
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)


class LedgerHead(Base):
    """End of a tenant's hash chain; the relay locks the row while it assigns sequence numbers."""

    __tablename__ = "ledger_head"

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenant.id"), primary_key=True)
    seq: Mapped[int]
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class ShardMark(Base):
    """The `seq` up to which a shard's facts have been written to its Redis stream."""

    __tablename__ = "ledger_shard"

    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    shipped_seq: Mapped[int] = mapped_column(default=0)


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(msgspec.field,))
class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all facts: the account, the subject and the time; further fields are the fact's body.

    Bodies hold ids, numbers, text and times, never copies of rows. For the fields named `personal` (free text about or
    by people) the ledger holds a commitment only; the text itself can be erased (`domain/core/erasable_text.py`).
    """

    kind: ClassVar[str]
    subject_type: ClassVar[str | None] = None
    """The type of the API that shows what it is about; None where that differs, or where no type shows it."""
    personal: ClassVar[frozenset[str]] = frozenset()
    account_id: UUID | None
    subject_id: UUID
    at: datetime

    def body(self) -> dict[str, Any]:
        """Return the fields that the particular kind adds, as plain JSON values."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return {key: plain[key] for key in plain.keys() - {"account_id", "subject_id", "at"}}


def shard_of(tenant_id: UUID, account_id: UUID | None) -> int:
    """Return the shard of an account's facts. All facts of one account share a shard, which keeps their order."""
    return (account_id or tenant_id).int % SHARDS


def record(
    session: AsyncSession, actor: Recorder, fact: Fact, *, once_key: str | None = None
) -> LedgerRow:
    """Write a fact in the caller's transaction; a second fact with the same `once_key` fails."""
    body = fact.body()
    for field in fact.personal:
        body[field] = _disclosed(session, actor, fact, body[field])
    entry = LedgerRow(
        tenant_id=actor.tenant_id,
        account_id=fact.account_id,
        shard=shard_of(actor.tenant_id, fact.account_id),
        kind=fact.kind,
        subject_id=fact.subject_id,
        at=fact.at,
        origin=actor.origin,
        actor=actor.subject,
        body=body,
        trace_id=actor.trace_id,
        once_key=once_key,
    )
    session.add(entry)
    ledger_signal.announce(session)
    return entry


def _disclosed(session: AsyncSession, actor: Recorder, fact: Fact, words: str | None) -> str | None:
    """Store a personal text and return its commitment; None stays None."""
    if words is None:
        return None
    commitment, salt = commit_to(words)
    session.add(
        ErasableText(
            commitment=commitment,
            tenant_id=actor.tenant_id,
            account_id=fact.account_id,
            subject_id=fact.subject_id,
            at=fact.at,
            salt=salt,
            words=words,
        )
    )
    return commitment


class Chained(Protocol):
    """The columns of a fact that its hash covers, besides its number."""

    tenant_id: UUID
    account_id: UUID | None
    kind: str
    subject_id: UUID
    at: datetime
    recorded_at: datetime
    origin: Any
    actor: str
    body: JSON


class CanonicalFact(msgspec.Struct, frozen=True, gc=False):
    """The content that a fact's hash covers; the fields are in the alphabetical order of canonical JSON."""

    account: UUID | None
    actor: str
    at: datetime
    body: JSON
    kind: str
    origin: str
    recorded_at: datetime
    seq: int | None
    subject: UUID
    tenant: UUID


_canonical = msgspec.json.Encoder(order="deterministic").encode


def chain(previous: bytes, seq: int | None, fact: Chained) -> bytes:
    """Return SHA-256 over the previous hash and the fact in canonical JSON (sorted keys, UTC times)."""
    content = CanonicalFact(
        fact.account_id,
        fact.actor,
        fact.at,
        fact.body,
        fact.kind,
        fact.origin,
        fact.recorded_at,
        seq,
        fact.subject_id,
        fact.tenant_id,
    )
    return hashlib.sha256(previous + _canonical(content)).digest()
