"""Rules: limits of files, names that are accepted, and the addresses of stored bytes."""

import hmac
import re
from datetime import datetime, timedelta
from uuid import UUID

from domain.core.errors import Code, Refused
from domain.core.text_rules import must_be_line
from domain.media import MEDIA_TYPES

MAX_BYTES = 25_000_000
MAX_AWAITED = 300
"""How many uploads one actor may have started and not finished."""
UPLOAD_WITHIN = timedelta(minutes=15)
DOWNLOAD_WITHIN = timedelta(minutes=15)
EXTENSIONS = dict(
    zip(MEDIA_TYPES, ((".jpg", ".jpeg"), (".png",), (".webp",), (".pdf",)), strict=True)
)
"""Endings of the names of each type; the first is usual."""

_LONGEST_NAME = 150
_FARTHEST = timedelta(days=366)
_NOT_IN_A_NAME = re.compile(
    r"[/\\:*?\"<>|\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
_HEX = re.compile(r"[0-9a-f]{64}")


def must_be_file_name(name: str, argument: str) -> None:
    """Refuse a name that is blank, too long, a path, or that shows as another name (control characters)."""
    must_be_line(name, argument)
    if len(name) > _LONGEST_NAME:
        words = f"{argument} has {len(name)} characters; at most {_LONGEST_NAME} are allowed."
        raise Refused(Code.INVALID, words, argument=argument)
    if _NOT_IN_A_NAME.search(name) or not name.strip(". "):
        words = f"{argument} must be the name of a file, without folders and special characters."
        raise Refused(Code.INVALID, words, argument=argument)


def name_of_download(name: str, media_type: str) -> str:
    """Return a name that ends as its type does, so that no program takes the file for something else."""
    endings = EXTENSIONS[media_type]
    return name if name.lower().endswith(endings) else name + endings[0]


def must_be_acceptable(media_type: str, size_bytes: int, sha256: str | None) -> None:
    """Refuse an upload whose type, size or hash cannot be accepted."""
    if media_type not in MEDIA_TYPES:
        words = f"Accepted are {', '.join(MEDIA_TYPES)}."
        raise Refused(Code.INVALID, words, argument="mediaType")
    if not 1 <= size_bytes <= MAX_BYTES:
        words = f"A file has 1 to {MAX_BYTES:,} bytes."
        raise Refused(Code.INVALID, words, argument="sizeBytes")
    if sha256 is not None and not _HEX.fullmatch(sha256):
        words = "A SHA-256 has 64 lower-case hexadecimal digits."
        raise Refused(Code.INVALID, words, argument="sha256")


def must_be_phone_times(
    stated_at: datetime | None, sent_at: datetime | None, now: datetime
) -> float | None:
    """Return how far the phone's clock is behind; refuse times of a phone that cannot be."""
    if stated_at is not None and sent_at is not None and stated_at > sent_at:
        words = "By the phone's clock the photo was taken after it was announced."
        raise Refused(Code.TIME_REVERSED, words, argument="takenAt")
    for at, argument in ((stated_at, "takenAt"), (sent_at, "sentAt")):
        if at is not None and abs(at - now) > _FARTHEST:
            words = f"{argument} is more than a year from now; check the phone's clock."
            raise Refused(Code.INVALID, words, argument=argument)
    return None if sent_at is None else (now - sent_at).total_seconds()


def signed(number: int) -> int:
    """Return 64 bits as the signed number that the database holds."""
    return number - (1 << 64) if number >> 63 else number


def address_of(tenant_id: UUID, sha256: str) -> str:
    """Return where bytes are stored: by their hash and the company, so that two companies never have one address."""
    digest = hmac.digest(tenant_id.bytes, bytes.fromhex(sha256), "sha256").hex()
    return f"{tenant_id}/{digest[:2]}/{digest}"
