"""Signed addresses: who has one may upload one file, or download one copy, until it expires."""

import hmac
from base64 import urlsafe_b64encode
from datetime import datetime
from uuid import UUID

from domain.files.model import CopyKind
from domain.files.rules import DOWNLOAD_WITHIN

_ROUND_S = 60


class LinkSigner:
    """Signs addresses with a key of its own, derived from a secret that every process of an installation has."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"waarborg addresses of files", "sha256")

    def upload_path(self, file_id: UUID, expires_at: datetime) -> str:
        """Return the path to which a file is uploaded."""
        return self._signed(f"/uploads/{file_id}", expires_at)

    def download_path(self, file_id: UUID, kind: CopyKind, *, at: datetime) -> str:
        """Return the path at which a copy can be downloaded for at least `DOWNLOAD_WITHIN`.

        It is the same for a minute, so that what is shown again is found in the cache of a browser.
        """
        late = int((at + DOWNLOAD_WITHIN).timestamp()) // _ROUND_S + 1
        return self._signed(
            f"/files/{file_id}/{kind}", datetime.fromtimestamp(late * _ROUND_S, at.tzinfo)
        )

    def is_valid(self, path: str, expires: str, signature: str) -> bool:
        """Return whether we signed this path with this expiry; says nothing about whether that is over."""
        return hmac.compare_digest(self._signature(path, expires).encode(), signature.encode())

    def _signed(self, path: str, expires_at: datetime) -> str:
        expires = str(int(expires_at.timestamp()))
        return f"{path}?expires={expires}&signature={self._signature(path, expires)}"

    def _signature(self, path: str, expires: str) -> str:
        digest = hmac.digest(self._key, f"{path} {expires}".encode(), "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_over(expires: str, *, at: datetime) -> bool:
    """Return whether an expiry, as an address has it, is over; also for one that is no number."""
    return not (expires.isascii() and expires.isdigit() and len(expires) < 12) or int(
        expires
    ) <= int(at.timestamp())
