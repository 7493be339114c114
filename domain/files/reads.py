"""Find the copy of a file that a signed address names."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain.files.model import CopyKind, File, FileCopy, FileState


@dataclass(frozen=True, slots=True)
class Download:
    """A copy of a file, ready to be read from the store."""

    name: str
    copy: FileCopy


async def download_of(session: AsyncSession, file_id: UUID, kind: CopyKind) -> Download | None:
    """Return the copy of a file; None when there is none, or when the file cannot be downloaded."""
    query = (
        select(File.name, FileCopy)
        .join(FileCopy, FileCopy.file_id == File.id)
        .where(File.id == file_id, File.state == FileState.AVAILABLE, FileCopy.kind == kind)
    )
    found = (await session.execute(query)).one_or_none()
    return None if found is None else Download(*found)
