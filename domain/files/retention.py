"""Remove what need not be kept: uploads that never came, files past their retention, bytes that no file has."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.core.deferral import Subject, is_deferred
from domain.core.ledger import Recorder, record
from domain.files.actions import ERASED, delete_file, forget_origin
from domain.files.blobs import BlobStore
from domain.files.events import OriginErased, UploadExpired, about
from domain.files.model import Blob, CopyKind, File, FileCopy, FileState

UNNEEDED_FOR = timedelta(hours=1)
"""How long bytes without a file are kept: an upload in progress may be about to need them."""
OVERDUE = timedelta(minutes=10)
"""How long after its expiry an upload that was begun in time may still finish."""


async def expire_uploads(session: AsyncSession, *, at: datetime, limit: int) -> int:
    """Delete the rows of uploads that were never finished; return how many."""
    due = (
        select(File)
        .where(File.state == FileState.AWAITED, File.expires_at < at - OVERDUE)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    files = (await session.scalars(due)).all()
    for file in files:
        fact = UploadExpired(**about(file, at))
        record(session, Actor.system(file.tenant_id, "retention"), fact)
        await session.delete(file)
    return len(files)


async def old_files(
    session: AsyncSession, kept: timedelta, *, at: datetime, limit: int
) -> list[Subject]:
    """Select files past their retention; one whose deletion failed waits until its next attempt."""
    due = (
        select(File.tenant_id, File.id)
        .where(
            File.stored_at < at - kept,
            File.state != FileState.DELETED,
            ~is_deferred("old files", File.id, at=at),
        )
        .order_by(File.stored_at)
        .limit(limit)
    )
    return [Subject(*row) for row in await session.execute(due)]


async def expire_file(session: AsyncSession, file_id: UUID, *, at: datetime) -> None:
    """Delete a file past its retention; nothing happens when another worker does so."""
    query = select(File).where(File.id == file_id, File.state != FileState.DELETED)
    file: File | None = await session.scalar(query.with_for_update(skip_locked=True))
    if file is not None:
        actor = Actor.system(file.tenant_id, "retention")
        await delete_file(session, actor, file, reason="retention", at=at)


async def unneeded_blobs(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select bytes that no file has, and that nobody is about to store."""
    due = (
        select(Blob.tenant_id, Blob.id)
        .where(*_unneeded(at), ~is_deferred("unneeded bytes", Blob.id, at=at))
        .limit(limit)
    )
    return [Subject(*row) for row in await session.execute(due)]


async def delete_blob(
    session: AsyncSession, blobs: BlobStore, blob_id: UUID, *, at: datetime
) -> None:
    """Delete bytes from the store, then their row; who wants to store the same bytes waits until that is done."""
    query = select(Blob).where(Blob.id == blob_id, *_unneeded(at))
    blob: Blob | None = await session.scalar(query.with_for_update(skip_locked=True))
    if blob is not None:
        await blobs.delete(blob.address)
        await session.delete(blob)


async def erase_origin(
    session: AsyncSession, recorder: Recorder, uploaded_by: str, *, at: datetime
) -> int:
    """Erase what files tell about their uploader: names, camera data, originals; return how many files had it.

    What clients get of an image stays, because it is evidence of the incident and tells nothing about the uploader.
    """
    own = select(File).where(
        File.tenant_id == recorder.tenant_id,
        File.uploaded_by == uploaded_by,
        File.name != ERASED,
        File.state != FileState.DELETED,
    )
    files = (await session.scalars(own.with_for_update())).all()
    for file in files:
        await forget_origin(session, file)
        original = (FileCopy.file_id == file.id, FileCopy.kind == CopyKind.ORIGINAL)
        await session.execute(delete(FileCopy).where(*original))
        record(session, recorder, OriginErased(**about(file, at)))
    return len(files)


def _unneeded(at: datetime) -> tuple[ColumnElement[bool], ...]:
    used = exists().where(FileCopy.tenant_id == Blob.tenant_id, FileCopy.address == Blob.address)
    return Blob.reserved_at < at - UNNEEDED_FOR, ~used
