"""Finish an upload: check what came, store its bytes and copies, and only then say that it is stored."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from domain.accounts.model import Account, User
from domain.core.base import uuid7
from domain.core.bounds import FIRST_INSTANT
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import SystemRecorder, record
from domain.core.text_rules import cleaned
from domain.evidence import is_editor
from domain.files.blobs import BlobStore
from domain.files.decoding import CameraData, Inspection, Unacceptable, inspect
from domain.files.events import FileAttached, FileStored, about
from domain.files.model import (
    Blob,
    CopyKind,
    File,
    FileAttachment,
    FileCopy,
    FileState,
    PhotoTrait,
)
from domain.files.receiving import ReceivedFile, hashed
from domain.files.rules import address_of, signed
from domain.files.subjects import FileSubject


@dataclass(frozen=True, slots=True)
class _Copy:
    kind: CopyKind
    of: ReceivedFile
    media_type: str


async def awaited(session: AsyncSession, file_id: UUID, *, lock: bool = False) -> File:
    """Return a file whose bytes are awaited; refused when they came, or when the uploader's access ended."""
    query = select(File).where(File.id == file_id)
    file: File | None = await session.scalar(query.with_for_update() if lock else query)
    if file is None or await _is_disabled(session, file.uploaded_by):
        raise Refused(Code.NOT_FOUND, "There is no such upload.")
    if file.state is not FileState.AWAITED:
        raise Refused(Code.ALREADY_DONE, "This address was used; start another upload.")
    return file


async def _is_disabled(session: AsyncSession, subject: str) -> bool:
    kind, _, user_id = subject.partition(":")
    if kind != "user":
        return False
    try:
        query = select(User.disabled_at).where(User.id == UUID(user_id))
    except ValueError:
        return False
    return await session.scalar(query) is not None


async def store(
    make: Sessions,
    blobs: BlobStore,
    file: File,
    received: ReceivedFile,
    *,
    scan: bool,
    at: datetime,
) -> File:
    """Check the received bytes and store them. Raises `Unacceptable`, `DecoderBusy` or `Refused`; then nothing is kept.

    With `scan` the file waits for the virus scanner before it can be downloaded.
    """
    if file.sha256 is not None and file.sha256 != received.sha256:
        raise Unacceptable("Its SHA-256 is not the one that was announced.")
    found = await inspect(received.path, received.path.parent)
    if found.media_type != file.media_type:
        raise Unacceptable(f"It is {found.media_type}; {file.media_type} was announced.")
    copies = await _copies(received, found)
    async with transaction(make) as session:
        await _reserve(session, file.tenant_id, copies, at)
    for each in copies:
        await blobs.put(address_of(file.tenant_id, each.of.sha256), each.of.path)
    async with transaction(make) as session:
        row = await awaited(session, file.id, lock=True)
        await _describe(session, row, received, found)
        row.state = FileState.STORED if scan else FileState.AVAILABLE
        row.stored_at = at
        await session.flush()
        _add_copies(session, row, copies)
        _add_traits(session, row, found, at)
        _attach(session, row, at)
    return row


async def _copies(received: ReceivedFile, found: Inspection) -> list[_Copy]:
    """List the copies to keep; of a document clients get the original."""
    copies = [_Copy(CopyKind.ORIGINAL, received, found.media_type)]
    client = received if found.copy is None else await hashed(found.copy)
    copies.append(_Copy(CopyKind.CLIENT, client, found.media_type))
    if found.thumbnail is not None:
        copies.append(_Copy(CopyKind.THUMBNAIL, await hashed(found.thumbnail), "image/jpeg"))
    return copies


async def _reserve(
    session: AsyncSession, tenant_id: UUID, copies: list[_Copy], at: datetime
) -> None:
    """Announce bytes before they are put into the store, so that those that nobody needs are found later."""
    addresses = sorted({address_of(tenant_id, each.of.sha256) for each in copies})
    rows = [
        {"id": uuid7(), "tenant_id": tenant_id, "address": each, "reserved_at": at}
        for each in addresses
    ]
    fresh = insert(Blob).values(rows)
    await session.execute(
        fresh.on_conflict_do_update(
            index_elements=["tenant_id", "address"], set_={"reserved_at": at}
        )
    )


async def _describe(
    session: AsyncSession, row: File, received: ReceivedFile, found: Inspection
) -> None:
    zone = await session.scalar(select(Account.time_zone).where(Account.id == row.account_id))
    row.sha256 = received.sha256
    row.width_px, row.height_px = found.width_px, found.height_px
    row.taken_at = _taken_at(found.camera, zone or "UTC", row.started_at)
    row.taken_lat, row.taken_lon = found.camera.lat, found.camera.lon
    row.camera = cleaned(found.camera.camera, 100) if found.camera.camera else None


def _taken_at(camera: CameraData, zone: str, now: datetime) -> datetime | None:
    """Return when the image was taken; a clock without an offset shows the client's time. None for an absurd year."""
    local = camera.taken_local
    if local is None:
        return None
    at = local if local.tzinfo is not None else local.replace(tzinfo=ZoneInfo(zone))
    return _within_reach(at, now)


def _within_reach(at: datetime | None, now: datetime) -> datetime | None:
    """Return an instant that a camera wrote; None for an absurd year."""
    return at if at is not None and FIRST_INSTANT.year <= at.year <= now.year + 1 else None


def _add_copies(session: AsyncSession, row: File, copies: list[_Copy]) -> None:
    session.add_all(
        FileCopy(
            tenant_id=row.tenant_id,
            account_id=row.account_id,
            file_id=row.id,
            kind=each.kind,
            address=address_of(row.tenant_id, each.of.sha256),
            sha256=each.of.sha256,
            size_bytes=each.of.size_bytes,
            media_type=each.media_type,
        )
        for each in copies
    )


def _add_traits(session: AsyncSession, row: File, found: Inspection, at: datetime) -> None:
    """Keep what tells a photo apart; documents have nothing of it."""
    if found.width_px is None:
        return
    traits, camera = found.traits, found.camera
    seen = traits.difference_hash
    session.add(
        PhotoTrait(
            tenant_id=row.tenant_id,
            account_id=row.account_id,
            file_id=row.id,
            stored_at=at,
            difference_hash=None if seen is None else signed(seen),
            has_metadata=camera.camera is not None or camera.taken_local is not None,
            zone_known=camera.taken_local is not None and camera.taken_local.tzinfo is not None,
            satellite_at=_within_reach(camera.satellite_at, row.started_at),
            edited=is_editor(traits.software),
            has_thumbnail=traits.has_thumbnail,
            thumbnail_bits=traits.thumbnail_bits,
            stamp=traits.stamp,
            stamp_is_exact=traits.stamp_is_exact,
        )
    )


def _attach(session: AsyncSession, row: File, at: datetime) -> None:
    """Attach the stored file to what it was uploaded for, and record both facts as the uploader's."""
    recorder = SystemRecorder(row.tenant_id, row.uploaded_by)
    subject = FileSubject(row.subject_kind, row.subject_id, row.account_id)
    session.add(
        FileAttachment(
            tenant_id=row.tenant_id,
            account_id=row.account_id,
            file_id=row.id,
            subject_kind=subject.kind,
            subject_id=subject.id,
            attached_at=at,
            attached_by=row.uploaded_by,
        )
    )
    stored = FileStored(
        **about(row, at),
        sha256=row.sha256 or "",
        size_bytes=row.size_bytes,
        media_type=row.media_type,
    )
    record(session, recorder, stored)
    record(session, recorder, FileAttached(**about(row, at), **subject.in_facts()))
