"""Periodic work about files: scan them, delete what is past its time, and remove what uploads left behind."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from domain import files
from domain.core.db import transaction
from domain.core.deferral import Subject
from workers.periodic import WorkContext, attempt_each


async def scan_files(work: WorkContext, limit: int) -> int:
    """Scan files that wait for the virus scanner; return how many waited."""
    command = work.settings.files_scan_command
    if not command:
        return 0
    async with work.make() as session:
        waiting = await files.unscanned(session, at=datetime.now(UTC), limit=limit)

    async def scan(session: AsyncSession, file: Subject) -> None:
        store = files.store_of(work.settings)
        await files.scan(session, store, command, file.id, at=datetime.now(UTC))

    await attempt_each(work.make, files.SCANS, waiting, scan)
    return len(waiting)


async def keep_files(work: WorkContext, limit: int) -> int:
    """Delete a batch of each kind of thing that is past its time; return the largest number of one kind."""
    at, settings = datetime.now(UTC), work.settings
    kept = timedelta(days=settings.retain_files_days)
    await asyncio.to_thread(files.remove_left_behind, files.incoming(settings))
    async with transaction(work.make) as session:
        expired = await files.expire_uploads(session, at=at, limit=limit)
    async with work.make() as session:
        old = await files.old_files(session, kept, at=at, limit=limit)
        unneeded = await files.unneeded_blobs(session, at=at, limit=limit)

    async def delete_old(session: AsyncSession, file: Subject) -> None:
        await files.expire_file(session, file.id, at=at)

    async def delete_bytes(session: AsyncSession, blob: Subject) -> None:
        await files.delete_blob(session, files.store_of(settings), blob.id, at=at)

    await attempt_each(work.make, "old files", old, delete_old)
    await attempt_each(work.make, "unneeded bytes", unneeded, delete_bytes)
    return max(expired, len(old), len(unneeded))
