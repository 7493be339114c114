"""Rows: files, the copies of each, what they are attached to, and the stored bytes."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from domain.core.base import Base, Owned, Tenanted, Versioned
from domain.evidence import EvidenceReason, Grade, PhotoVerdict, ReasonCode


class FileState(StrEnum):
    """State of a file; its bytes can be downloaded in one of them only."""

    AWAITED = "awaited"
    STORED = "stored"
    AVAILABLE = "available"
    REJECTED = "rejected"
    DELETED = "deleted"


class CopyKind(StrEnum):
    """Kind of copy of a file."""

    ORIGINAL = "original"
    CLIENT = "client"
    THUMBNAIL = "thumbnail"


class File(Base, Owned, Versioned):
    """A photo or document; the row is there before the bytes, which come by a signed address."""

    __tablename__ = "file"
    __table_args__ = (
        CheckConstraint("size_bytes > 0", name="size_positive"),
        CheckConstraint(
            "state IN ('awaited', 'deleted') OR stored_at IS NOT NULL", name="stored_has_instant"
        ),
        CheckConstraint(
            "(state = 'deleted') = (deleted_at IS NOT NULL)", name="deleted_has_instant"
        ),
        CheckConstraint("(taken_lat IS NULL) = (taken_lon IS NULL)", name="place_is_whole"),
        Index("ix_file_awaited", "expires_at", postgresql_where=text("state = 'awaited'")),
        Index(
            "ix_file_unchecked",
            "tenant_id",
            "stored_at",
            postgresql_where=text("state = 'stored'"),
        ),
        Index("ix_file_kept", "stored_at", postgresql_where=text("state <> 'deleted'")),
        Index(None, "tenant_id", "uploaded_by"),
        Index(None, "subject_id"),
        Index(None, "tenant_id", "sha256"),
    )

    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    sha256: Mapped[str | None]  # hexadecimal; what the uploader said, until the file is stored
    internal: Mapped[bool]
    state: Mapped[FileState] = mapped_column(default=FileState.AWAITED)
    uploaded_by: Mapped[str]  # as in the ledger
    subject_kind: Mapped[str]  # what it was uploaded for: a type of the API and a row of it
    subject_id: Mapped[UUID]
    started_at: Mapped[datetime]
    expires_at: Mapped[datetime]  # of the address to which it is uploaded
    stored_at: Mapped[datetime | None]
    checked_at: Mapped[datetime | None]  # by the virus scanner
    deleted_at: Mapped[datetime | None]
    width_px: Mapped[int | None]
    height_px: Mapped[int | None]
    taken_at: Mapped[datetime | None]  # this and the next three are camera data (EXIF)
    taken_lat: Mapped[float | None]
    taken_lon: Mapped[float | None]
    camera: Mapped[str | None]
    stated_at: Mapped[datetime | None]  # when it was taken, as the phone stated it
    clock_skew_s: Mapped[float | None]  # how far the phone's clock was behind when it stated that


class PhotoTrait(Base, Owned):
    """What tells a photo apart from others, and from one that was changed; nobody reads it but the grades."""

    __tablename__ = "photo_trait"
    __table_args__ = (
        UniqueConstraint("file_id"),
        Index(None, "tenant_id", "stored_at"),
        Index(None, "tenant_id", "stamp"),
    )

    file_id: Mapped[UUID] = mapped_column(ForeignKey("file.id"))
    stored_at: Mapped[datetime]
    difference_hash: Mapped[int | None] = mapped_column(BigInteger)  # as a signed number
    has_metadata: Mapped[bool]
    zone_known: Mapped[bool]
    satellite_at: Mapped[datetime | None]
    edited: Mapped[bool]
    has_thumbnail: Mapped[bool]
    thumbnail_bits: Mapped[int | None]
    stamp: Mapped[str | None]
    stamp_is_exact: Mapped[bool]


class PhotoEvidence(Base, Owned):
    """Grade of a photo as evidence of one row that it was attached to; it stays when the photo is detached."""

    __tablename__ = "photo_evidence"
    __table_args__ = (UniqueConstraint("file_id", "subject_id"), Index(None, "subject_id"))

    file_id: Mapped[UUID] = mapped_column(ForeignKey("file.id"))
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    grade: Mapped[Grade]
    verdicts: Mapped[list[str]] = mapped_column(ARRAY(Text))
    findings: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    graded_at: Mapped[datetime]

    @property
    def reasons(self) -> list[EvidenceReason]:
        """The reasons for the grade."""
        return [
            EvidenceReason(ReasonCode(each["code"]), each["figure"], Grade(each["allows"]))
            for each in self.findings
        ]

    @property
    def found(self) -> list[PhotoVerdict]:
        """The verdicts."""
        return [PhotoVerdict(each) for each in self.verdicts]


class FileCopy(Base, Owned):
    """One copy of a file: the original, what clients get, or the thumbnail."""

    __tablename__ = "file_copy"
    __table_args__ = (
        UniqueConstraint("file_id", "kind"),
        Index(None, "tenant_id", "address"),
    )

    file_id: Mapped[UUID] = mapped_column(ForeignKey("file.id"))
    kind: Mapped[CopyKind]
    address: Mapped[str]  # of the bytes in the store
    sha256: Mapped[str]
    size_bytes: Mapped[int]
    media_type: Mapped[str]


class FileAttachment(Base, Owned):
    """A file belongs to a row of another noun, such as an incident."""

    __tablename__ = "file_attachment"
    __table_args__ = (UniqueConstraint("subject_id", "file_id"),)

    file_id: Mapped[UUID] = mapped_column(ForeignKey("file.id"), index=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[UUID]
    attached_at: Mapped[datetime]
    attached_by: Mapped[str]


class Blob(Base, Tenanted):
    """Bytes in the store of one company; the row is there before the bytes, and goes after them."""

    __tablename__ = "blob"
    __table_args__ = (UniqueConstraint("tenant_id", "address"), Index(None, "reserved_at"))

    address: Mapped[str]
    reserved_at: Mapped[datetime]  # when somebody last began to put these bytes there
