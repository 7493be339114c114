"""Receive the bytes of an upload into a directory of their own, hashing them on the way; memory stays small."""

import asyncio
import hashlib
import shutil
import time
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import IO, Any

from domain.core import private_files
from domain.files.blobs import CHUNK

LEFT_BEHIND_S = 3600
"""When a directory of an upload that was killed is removed; no upload takes as long."""


class WrongSize(Exception):
    """More or fewer bytes came than were announced."""

    def __init__(self, *, too_many: bool) -> None:
        super().__init__("more bytes" if too_many else "fewer bytes")
        self.too_many = too_many


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """Bytes on the disk of this machine, and their hash."""

    path: Path
    sha256: str
    size_bytes: int


@asynccontextmanager
async def folder_of_upload(root: Path) -> AsyncIterator[Path]:
    """Provide an empty directory, which is removed with everything in it at the end."""
    folder = root / token_hex(16)
    await asyncio.to_thread(private_files.make_missing, folder)
    try:
        yield folder
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def receive(chunks: AsyncIterable[bytes], folder: Path, *, size_bytes: int) -> ReceivedFile:
    """Write what comes to disk. Raises `WrongSize` as soon as more comes than announced, and when less came."""
    path, digest, count, waiting = folder / "original", hashlib.sha256(), 0, bytearray()
    with await asyncio.to_thread(private_files.create, path) as file:
        async for chunk in chunks:
            count += len(chunk)
            if count > size_bytes:
                raise WrongSize(too_many=True)
            waiting += chunk
            if len(waiting) >= CHUNK:
                await asyncio.to_thread(_write, file, digest, waiting)
                waiting = bytearray()
        if count < size_bytes:
            raise WrongSize(too_many=False)
        await asyncio.to_thread(_write, file, digest, waiting)
    return ReceivedFile(path, digest.hexdigest(), count)


async def hashed(path: Path) -> ReceivedFile:
    """Hash a file of this machine."""
    return await asyncio.to_thread(_hashed, path)


def remove_left_behind(root: Path) -> int:
    """Remove the directories of uploads whose process was killed; return how many."""
    old = time.time() - LEFT_BEHIND_S
    found = [each for each in root.iterdir() if each.stat().st_mtime < old] if root.exists() else []
    for folder in found:
        shutil.rmtree(folder, ignore_errors=True)
    return len(found)


def _write(file: IO[bytes], digest: Any, chunk: bytearray) -> None:
    digest.update(chunk)
    file.write(chunk)


def _hashed(path: Path) -> ReceivedFile:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ReceivedFile(path, digest, path.stat().st_size)
