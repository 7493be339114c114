"""Signed links: who has one may do one thing with one row, and nothing else.

A stored letter holds `https://<name>.invalid/<row>`; the link takes its place when the letter leaves, so whoever reads
the letter in this software cannot act for its reader.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from typing import ClassVar, Self
from uuid import UUID

from domain.core.encryption import derived_key
from domain.core.settings import Settings

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_MAC = 16  # bytes; with the 16 of the id exactly 32, so that every character of a token counts


class SignedLinks:
    """Makes and reads tokens with a key of its own, derived from a secret that every process of an installation has."""

    path: ClassVar[str]
    """Path of the page that reads the token."""
    name: ClassVar[str]
    """Name that stands for the link in a stored letter."""
    purpose: ClassVar[str]
    """Purpose of the key: a token of one purpose is unknown to all others."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Create the installation's links; the key is derived from the key file of webhooks."""
        return cls(derived_key(settings, cls.purpose))

    @classmethod
    def place_of(cls, row_id: UUID) -> str:
        """Return what stands in a stored letter in place of the link."""
        return f"https://{cls.name}.invalid/{row_id.hex}"

    def token(self, row_id: UUID) -> str:
        """Return the token of a row."""
        raw = row_id.bytes + self._mac(row_id.bytes)
        return urlsafe_b64encode(raw).rstrip(b"=").decode()

    def read(self, token: str) -> UUID | None:
        """Return the row that a token was made for; None when we did not make it.

        Compares in constant time, before anything is looked up. A token has one spelling only.
        """
        if not _TOKEN.fullmatch(token):
            return None
        try:
            raw = urlsafe_b64decode(token + "=")
        except (Error, ValueError):
            return None
        is_ours = hmac.compare_digest(self._mac(raw[:16]), raw[16:])
        return (
            UUID(bytes=raw[:16]) if is_ours and self.token(UUID(bytes=raw[:16])) == token else None
        )

    def put_into(self, text: str, base_url: str) -> str:
        """Put the links into a letter that leaves."""
        base = base_url.rstrip("/")
        return re.sub(
            rf"https://{self.name}\.invalid/([0-9a-f]{{32}})",
            lambda found: f"{base}{self.path}{self.token(UUID(found[1]))}",
            text,
        )

    def _mac(self, raw: bytes) -> bytes:
        return hmac.digest(self._key, raw, "sha256")[:_MAC]
