"""What a store of bytes does, and the store in a directory."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

from domain.core import private_files
from domain.core.settings import Settings

CHUNK = 256 * 1024


class BlobStore(Protocol):
    """Where bytes are kept, by their address. Raises `OSError` when it cannot be reached."""

    async def put(self, address: str, source: Path) -> None:
        """Store the bytes of a file, completely or not at all; the same bytes may be there already."""

    def read(self, address: str, first: int, last: int) -> AsyncIterator[bytes]:
        """Read the bytes from `first` to `last`, both included, in chunks."""

    def on_disk(self, address: str) -> AbstractAsyncContextManager[Path]:
        """Provide the bytes as a file on this machine, which must not be changed."""

    async def delete(self, address: str) -> None:
        """Delete the bytes; nothing happens when there are none."""


class DirectoryStore:
    """Bytes in a directory: written under another name, flushed to disk, then renamed."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, address: str, source: Path) -> None:
        """Store the bytes of a file, completely or not at all; the same bytes may be there already."""
        await asyncio.to_thread(_copy_durably, source, self._root / address)

    async def read(self, address: str, first: int, last: int) -> AsyncIterator[bytes]:
        """Read the bytes from `first` to `last`, both included, in chunks."""
        file = await asyncio.to_thread((self._root / address).open, "rb")
        try:
            await asyncio.to_thread(file.seek, first)
            left = last - first + 1
            while left > 0 and (chunk := await asyncio.to_thread(file.read, min(CHUNK, left))):
                left -= len(chunk)
                yield chunk
        finally:
            file.close()

    @asynccontextmanager
    async def on_disk(self, address: str) -> AsyncIterator[Path]:
        """Provide the bytes as a file on this machine, which must not be changed."""
        yield self._root / address

    async def delete(self, address: str) -> None:
        """Delete the bytes; nothing happens when there are none."""
        await asyncio.to_thread((self._root / address).unlink, missing_ok=True)


def _copy_durably(source: Path, target: Path) -> None:
    """Link a file that is on disk to its address; the new name is on disk, too, when this returns."""
    private_files.make_missing(target.parent)
    with source.open("rb") as file:
        os.fsync(file.fileno())
    with suppress(FileExistsError):  # the address says what the bytes are
        target.hardlink_to(source)
    for folder in (target.parent, target.parent.parent, target.parent.parent.parent):
        _flush(folder)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def incoming(settings: Settings) -> Path:
    """Return the directory of this machine in which uploads are received."""
    return settings.data / "files" / "incoming"
