"""Facts about files. They never repeat what a camera wrote into one; those about internal files are `internal`."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.core.ledger import Fact
from domain.evidence import Grade, PhotoVerdict
from domain.files.model import File


class OfFile(Fact):
    """Base of facts about a file."""

    subject_type: ClassVar[str | None] = "File"
    internal: bool


class OfAttachment(OfFile):
    """Base of facts that say what a file belongs to: a type of the API, and the row."""

    attached_kind: str
    incident_id: UUID | None
    occurrence_entry_id: UUID | None


class UploadStarted(OfAttachment):
    """Somebody got an address to upload a file to."""

    kind: ClassVar[str] = "file.upload_started"
    size_bytes: int
    media_type: str


class UploadExpired(OfFile):
    """The address expired before a whole file came; nothing of it is kept."""

    kind: ClassVar[str] = "file.upload_expired"


class FileStored(OfFile):
    """All bytes came, were checked by decoding them, and are stored."""

    kind: ClassVar[str] = "file.stored"
    sha256: str
    size_bytes: int
    media_type: str


class FileScanned(OfFile):
    """The virus scanner passed the file, or did not; one that did not pass cannot be downloaded."""

    kind: ClassVar[str] = "file.scanned"
    passed: bool


class FileChanged(OfFile):
    """The file was hidden from clients, or shown to them."""

    kind: ClassVar[str] = "file.changed"
    internal_before: bool


class FileAttached(OfAttachment):
    """The file was attached to a row, such as an incident."""

    kind: ClassVar[str] = "file.attached"


class PhotoGraded(OfAttachment):
    """A photo was graded as evidence of the row that it was attached to; reasons without what a camera wrote."""

    kind: ClassVar[str] = "file.photo_graded"
    grade: Grade
    verdicts: list[PhotoVerdict]
    reasons: list[dict[str, Any]]


class FileDetached(OfAttachment):
    """The file is no longer attached to the row."""

    kind: ClassVar[str] = "file.detached"


class FileDeleted(OfFile):
    """The bytes were deleted: on request, after retention, or because the uploader was erased."""

    kind: ClassVar[str] = "file.deleted"
    sha256: str | None
    reason: str


class OriginErased(OfFile):
    """What tells about the uploader was erased: the name, the camera data, and the original that holds them."""

    kind: ClassVar[str] = "file.origin_erased"


def about(file: File, at: datetime) -> dict[str, Any]:
    """Return the fields that every fact about a file has."""
    return {
        "account_id": file.account_id,
        "subject_id": file.id,
        "at": at,
        "internal": file.internal,
    }
