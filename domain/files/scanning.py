"""Run the virus scanner over a stored file; only what it passes can be downloaded."""

import asyncio
import shlex
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.core.deferral import Subject, in_turn, is_deferred
from domain.core.ledger import record
from domain.core.wakeups import DueColumn, WakeUp
from domain.files.blobs import BlobStore
from domain.files.events import FileScanned, about
from domain.files.model import CopyKind, File, FileCopy, FileState

WITHIN_S = 120.0
SCANS = "virus scans"
CLEAN, INFECTED = 0, 1


class ScannerFailed(Exception):
    """The scanner said neither that the file is clean nor that it is infected; the file waits."""


SCANS_DUE: tuple[WakeUp, ...] = (
    DueColumn(
        File.stored_at,
        File.state == FileState.STORED,
        ~is_deferred(SCANS, File.id),
        by_company=True,
    ),
)


async def unscanned(session: AsyncSession, *, at: datetime, limit: int) -> list[Subject]:
    """Select files that wait for the scanner: the companies alternately, the oldest of each first."""
    waiting = in_turn(
        File.tenant_id,
        File.stored_at,
        File.id,
        File.state == FileState.STORED,
        ~is_deferred(SCANS, File.id, at=at),
        at=at,
        limit=limit,
    )
    found = select(waiting.c.tenant_id, waiting.c.id).order_by(waiting.c.turn, waiting.c.lot)
    return [Subject(*row) for row in await session.execute(found)]


async def scan(
    session: AsyncSession, blobs: BlobStore, command: str, file_id: UUID, *, at: datetime
) -> None:
    """Scan one file and make it available, or reject it and drop its bytes. Raises `ScannerFailed`."""
    waiting = select(File).where(File.id == file_id, File.state == FileState.STORED)
    file: File | None = await session.scalar(waiting.with_for_update(skip_locked=True))
    if file is None:
        return
    address = await session.scalar(
        select(FileCopy.address).where(
            FileCopy.file_id == file.id, FileCopy.kind == CopyKind.ORIGINAL
        )
    )
    async with blobs.on_disk(address or "") as path:
        passed = await passes(command, path)
    file.state = FileState.AVAILABLE if passed else FileState.REJECTED
    file.checked_at = at
    if not passed:
        await session.execute(delete(FileCopy).where(FileCopy.file_id == file.id))
    fact = FileScanned(**about(file, at), passed=passed)
    record(session, Actor.system(file.tenant_id, "scanner"), fact)


async def passes(command: str, path: Path) -> bool:
    """Run the scanner on a file: exit code 0 is clean, 1 infected. Raises `ScannerFailed` for any other end."""
    try:
        child = await asyncio.create_subprocess_exec(
            *shlex.split(command),
            str(path),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise ScannerFailed(f"the scanner cannot be started: {error.strerror}") from None
    try:
        async with asyncio.timeout(WITHIN_S):
            code = await child.wait()
    except TimeoutError:
        raise ScannerFailed(f"the scanner took longer than {WITHIN_S:.0f} s") from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if code not in {CLEAN, INFECTED}:
        raise ScannerFailed(f"the scanner ended with code {code}")
    return code == CLEAN
