"""Run the decoder in a process of its own, which a broken or hostile file can end without ending anything else."""

import asyncio
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

WITHIN_S = 40.0
"""How long decoding may take; the decoder's own limit on CPU time is shorter."""
_TOGETHER = 2
_turns = asyncio.Semaphore(_TOGETHER)
"""Decoders of one process that run at a time: each may need hundreds of megabytes."""


class Unacceptable(Exception):
    """A file is not what is accepted; the text says why."""


class DecoderBusy(Exception):
    """The decoder could not be run, through no fault of the file."""


@dataclass(frozen=True, slots=True)
class CameraData:
    """What a camera wrote into an image (EXIF); anybody can write it, so it proves nothing alone."""

    taken_local: datetime | None = None
    """By the camera's clock: without an offset when the camera wrote none."""
    lat: float | None = None
    lon: float | None = None
    camera: str | None = None
    satellite_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PhotoTraits:
    """What tells a photo apart from others, and from one that was changed; None is unknown.

    `difference_hash` are 64 bits of what it shows, `stamp` a hash of what a camera writes anew into each photo.
    """

    difference_hash: int | None = None
    has_thumbnail: bool = False
    thumbnail_bits: int | None = None
    software: str | None = None
    stamp: str | None = None
    stamp_is_exact: bool = False


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file is, by decoding it, and the copies that were made of it (images only)."""

    media_type: str
    width_px: int | None
    height_px: int | None
    camera: CameraData
    traits: PhotoTraits
    copy: Path | None
    thumbnail: Path | None


class _Report(msgspec.Struct):
    refused: str | None = None
    media_type: str = ""
    width_px: int | None = None
    height_px: int | None = None
    taken_local: datetime | None = None
    lat: float | None = None
    lon: float | None = None
    camera: str | None = None
    satellite_at: datetime | None = None
    difference_hash: int | None = None
    has_thumbnail: bool = False
    thumbnail_bits: int | None = None
    software: str | None = None
    stamp: str | None = None
    stamp_is_exact: bool = False


async def inspect(source: Path, folder: Path) -> Inspection:
    """Decode a file and write its copies into `folder`. Raises `Unacceptable`, or `DecoderBusy` when it cannot run."""
    copy, thumbnail = folder / "copy", folder / "thumbnail"
    async with _turns:
        report = await _decoded(source, copy, thumbnail)
    if report.refused is not None:
        raise Unacceptable(report.refused)
    return Inspection(
        report.media_type,
        report.width_px,
        report.height_px,
        CameraData(report.taken_local, report.lat, report.lon, report.camera, report.satellite_at),
        PhotoTraits(
            report.difference_hash,
            report.has_thumbnail,
            report.thumbnail_bits,
            report.software,
            report.stamp,
            report.stamp_is_exact,
        ),
        copy if copy.exists() else None,
        thumbnail if thumbnail.exists() else None,
    )


async def _decoded(source: Path, copy: Path, thumbnail: Path) -> _Report:
    try:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-m", "domain.media.decoder"),
            *(str(source), str(copy), str(thumbnail)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise DecoderBusy(f"the decoder cannot be started: {error}") from None
    try:
        async with asyncio.timeout(WITHIN_S):
            told, _ = await child.communicate()
    except TimeoutError:
        raise Unacceptable("It takes too long to decode.") from None
    finally:
        if child.returncode is None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode != 0:  # ended by a limit, or by the file
        raise Unacceptable("It cannot be decoded within the limits of time and memory.")
    return msgspec.json.decode(told, type=_Report)
