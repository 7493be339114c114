"""Recognize a file by its first bytes, and refuse one that is something else, too (a polyglot) or carries markup."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from domain.media.refusals import NotAccepted

_PNG = b"\x89PNG\r\n\x1a\n"
_MARKUP = re.compile(
    rb"<script|<html|<!doctype html|<iframe|<\?php|__HALT_COMPILER|http://www\.w3\.org/2000/svg"
    rb"|<(?:svg|img|body|math|video|audio|object|embed|details)[\s/][^<>]{0,300}\bon[a-z]{3,24}\s*=",
    re.IGNORECASE,
)
"""Beginnings of what a browser or an interpreter would run; long enough to be in no compressed pixels by chance."""
_PIXELS = {b"VP8 ", b"VP8L", b"ALPH"}


def sniff(data: bytes) -> str:
    """Return the media type by the first bytes. Raises `NotAccepted` for anything that is not accepted."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(_PNG):
        return "image/png"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(b"%PDF-"):
        return "application/pdf"
    raise NotAccepted("It is no JPEG, PNG or WebP image and no PDF document.")


def must_hide_nothing(data: bytes, source: Path, media_type: str) -> None:
    """Refuse a file that is also an archive, a document or a page, in the parts that a decoder does not look at."""
    if zipfile.is_zipfile(source):
        raise NotAccepted("It is an archive, too.")
    if media_type == "application/pdf":
        if _MARKUP.search(data[:1024]):
            raise NotAccepted("It contains markup or code before the document.")
        return
    if b"%PDF-" in data[:1024]:
        raise NotAccepted("It is a PDF document, too.")
    parts = {"image/jpeg": _jpeg_parts, "image/png": _png_parts, "image/webp": _webp_parts}
    if any(_MARKUP.search(part) for part in parts[media_type](data)):
        raise NotAccepted("It contains markup or code beside the image.")


def _jpeg_parts(data: bytes) -> Iterator[bytes]:
    """Everything but compressed pixels: segments, and what follows the image, as some phones write it."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xD9:
            at += 2
            break
        if marker == 0xFF:
            at += 1
            continue
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield data[at + 4 : end]
        at = _end_of_scan(data, end) if marker == 0xDA else end
    yield data[at:]


def _end_of_scan(data: bytes, at: int) -> int:
    """Return where the next marker is: in compressed pixels FF is followed by 00 or by a restart marker."""
    while (at := data.find(b"\xff", at)) >= 0:
        after = data[at + 1] if at + 1 < len(data) else 0xD9
        if after != 0 and not 0xD0 <= after <= 0xD7:
            return at
        at += 2
    return len(data)


def _png_parts(data: bytes) -> Iterator[bytes]:
    at = len(_PNG)
    while at + 12 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        if kind != b"IDAT":
            yield data[at + 8 : at + 8 + size]
        at += 12 + size
        if kind == b"IEND":
            break
    if at != len(data):
        raise NotAccepted("Something follows the end of the image.")


def _webp_parts(data: bytes) -> Iterator[bytes]:
    said = 8 + int.from_bytes(data[4:8], "little")
    if len(data) not in {said, said + said % 2}:
        raise NotAccepted("It is longer or shorter than it says.")
    at = 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        if kind not in _PIXELS:
            yield data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
