"""Start uploads, attach files, hide them from clients, and delete them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Right, Tx, visible_to
from domain.core.base import uuid7
from domain.core.errors import Code, Refused, must_be_current
from domain.core.ledger import Recorder, record
from domain.files.events import (
    FileAttached,
    FileChanged,
    FileDeleted,
    FileDetached,
    UploadStarted,
    about,
)
from domain.files.model import File, FileAttachment, FileCopy, FileState, PhotoTrait
from domain.files.rules import (
    MAX_AWAITED,
    UPLOAD_WITHIN,
    must_be_acceptable,
    must_be_file_name,
    must_be_phone_times,
)
from domain.files.subjects import FileSubject, subject_of

ERASED = "erased"


@dataclass(frozen=True, slots=True)
class PhoneTimes:
    """Times by the clock of the phone that announces a photo: when it was taken, and when that was sent."""

    taken_at: datetime | None = None
    sent_at: datetime | None = None


NOT_STATED = PhoneTimes()
_HAS_BYTES = (FileState.STORED, FileState.AVAILABLE)


async def start_upload(
    tx: Tx,
    subject_kind: str,
    subject_id: UUID,
    *,
    name: str,
    media_type: str,
    size_bytes: int,
    sha256: str | None = None,
    internal: bool = False,
    phone: PhoneTimes = NOT_STATED,
) -> File:
    """Announce a file for a row, such as an incident; its bytes are awaited for a quarter of an hour."""
    tx.actor.must(Right.UPLOAD_FILES)
    must_be_file_name(name, "name")
    must_be_acceptable(media_type, size_bytes, sha256)
    skew_s = must_be_phone_times(phone.taken_at, phone.sent_at, tx.at)
    if internal:
        tx.actor.must(Right.READ_EVIDENCE)
    subject = await subject_of(tx, subject_kind, subject_id, argument="subjectId")
    await _must_finish_some(tx)
    internal = internal or subject.internal  # what belongs to an internal row is internal too
    file = File(
        id=uuid7(),
        tenant_id=tx.actor.tenant_id,
        account_id=subject.account_id,
        name=name,
        media_type=media_type,
        size_bytes=size_bytes,
        sha256=sha256,
        internal=internal,
        state=FileState.AWAITED,
        uploaded_by=tx.actor.subject,
        subject_kind=subject.kind,
        subject_id=subject.id,
        started_at=tx.at,
        expires_at=tx.at + UPLOAD_WITHIN,
        stated_at=phone.taken_at,
        clock_skew_s=skew_s,
    )
    tx.session.add(file)
    tx.record(
        UploadStarted(
            **about(file, tx.at),
            **subject.in_facts(),
            size_bytes=size_bytes,
            media_type=media_type,
        )
    )
    return file


async def attach(tx: Tx, file_id: UUID, subject_kind: str, subject_id: UUID) -> File:
    """Attach a stored file to another row of the same client."""
    file = await _file(tx, file_id)
    _must_have_bytes(file)
    subject = await subject_of(tx, subject_kind, subject_id, argument="subjectId")
    if subject.account_id != file.account_id:
        raise Refused(Code.INVALID, "The file is another client's.", argument="subjectId")
    if await _attachment(tx, file, subject) is not None:
        raise Refused(Code.ALREADY_DONE, "The file is attached there.", argument="subjectId")
    tx.session.add(
        FileAttachment(
            tenant_id=file.tenant_id,
            account_id=file.account_id,
            file_id=file.id,
            subject_kind=subject.kind,
            subject_id=subject.id,
            attached_at=tx.at,
            attached_by=tx.actor.subject,
        )
    )
    tx.record(FileAttached(**about(file, tx.at), **subject.in_facts()))
    return file


async def detach(tx: Tx, file_id: UUID, subject_kind: str, subject_id: UUID) -> File:
    """Detach a file from a row; the file stays until it is deleted."""
    file = await _file(tx, file_id)
    _must_be_own(tx, file)
    subject = await subject_of(tx, subject_kind, subject_id, argument="subjectId")
    attachment = await _attachment(tx, file, subject)
    if attachment is None:
        raise Refused(Code.ALREADY_DONE, "The file is not attached there.", argument="subjectId")
    await tx.session.delete(attachment)
    tx.record(FileDetached(**about(file, tx.at), **subject.in_facts()))
    return file


async def change(
    tx: Tx, file_id: UUID, *, internal: bool, expected_version: int | None = None
) -> File:
    """Hide a file from clients, or show it to them."""
    file = await _file(tx, file_id, right=Right.HANDLE)
    must_be_current(file.version, expected_version)
    if file.internal is internal:
        raise Refused(
            Code.ALREADY_DONE, "The file already has that visibility.", argument="internal"
        )
    before, file.internal = file.internal, internal
    tx.record(FileChanged(**about(file, tx.at), internal_before=before))
    return file


async def delete(tx: Tx, file_id: UUID) -> File:
    """Delete a file: its bytes, its name and the camera data; the row and the facts stay."""
    file = await _file(tx, file_id)
    if file.state is FileState.DELETED:
        raise Refused(Code.ALREADY_DONE, "The file was deleted.", argument="id")
    _must_be_own(tx, file)
    await delete_file(tx.session, tx.actor, file, reason="requested", at=tx.at)
    return file


async def delete_file(
    session: AsyncSession, recorder: Recorder, file: File, *, reason: str, at: datetime
) -> None:
    """Delete a file, whoever asks for it; bytes that no other file has are removed from the store within the hour."""
    await session.execute(delete_rows(FileCopy).where(FileCopy.file_id == file.id))
    await session.execute(delete_rows(FileAttachment).where(FileAttachment.file_id == file.id))
    file.state, file.deleted_at = FileState.DELETED, at
    await forget_origin(session, file)
    record(session, recorder, FileDeleted(**about(file, at), sha256=file.sha256, reason=reason))


async def forget_origin(session: AsyncSession, file: File) -> None:
    """Remove what tells about the uploader: the name and the camera data; a hash of what a photo shows stays."""
    file.name = ERASED
    file.taken_at = file.taken_lat = file.taken_lon = file.camera = None
    file.stated_at = file.clock_skew_s = None
    of_photo = update(PhotoTrait).where(PhotoTrait.file_id == file.id)
    await session.execute(of_photo.values(stamp=None, satellite_at=None))


async def _file(tx: Tx, file_id: UUID, *, right: Right = Right.UPLOAD_FILES) -> File:
    """Lock a file that the actor sees."""
    tx.actor.must(right)
    query = select(File).where(File.id == file_id, visible_to(tx.actor, File))
    file: File | None = await tx.session.scalar(query.with_for_update(key_share=True, of=File))
    if file is None:
        raise Refused(Code.NOT_FOUND, "No such file.", argument="id")
    return file


async def _attachment(tx: Tx, file: File, subject: FileSubject) -> FileAttachment | None:
    query = select(FileAttachment).where(
        FileAttachment.file_id == file.id, FileAttachment.subject_id == subject.id
    )
    found: FileAttachment | None = await tx.session.scalar(query)
    return found


async def _must_finish_some(tx: Tx) -> None:
    waiting = select(func.count()).where(
        File.tenant_id == tx.actor.tenant_id,
        File.uploaded_by == tx.actor.subject,
        File.state == FileState.AWAITED,
        File.expires_at > tx.at,
    )
    if (await tx.session.scalar(waiting) or 0) >= MAX_AWAITED:
        words = (
            f"You have {MAX_AWAITED} unfinished uploads; finish them, or wait until they expire."
        )
        raise Refused(Code.TOO_MANY, words, retryable=True)


def _must_have_bytes(file: File) -> None:
    if file.state not in _HAS_BYTES:
        raise Refused(Code.INVALID, f"The file is {file.state}.", argument="id")


def _must_be_own(tx: Tx, file: File) -> None:
    """Refuse what only the uploader may do, and who handles incidents."""
    if file.uploaded_by != tx.actor.subject and not tx.actor.may(Right.HANDLE):
        raise Refused(Code.NOT_ALLOWED, "Somebody else uploaded this file.", argument="id")
