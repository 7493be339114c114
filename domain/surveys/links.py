"""Signed links to answer a survey: who has one may answer one invitation, and do nothing else.

A stored letter holds `https://survey.invalid/<invitation>`; the link takes its place when the letter leaves, so whoever
reads the letter in this software cannot answer for its reader.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from typing import Self
from uuid import UUID

from domain.core.encryption import derived_key
from domain.core.settings import Settings

PATH = "/s/"
_PLACE = "https://survey.invalid/"
_PLACES = re.compile(rf"{re.escape(_PLACE)}([0-9a-f]{{32}})")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_MAC = 16  # bytes; with the 16 of the id exactly 32, so that every character of a token counts


def place_of(invitation_id: UUID) -> str:
    """Return what stands in a stored letter in place of the link."""
    return f"{_PLACE}{invitation_id.hex}"


class SurveyLinks:
    """Makes and reads tokens with a key of its own, derived from a secret that every process of an installation has."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Create the installation's links; the key is derived from the key file of webhooks."""
        return cls(derived_key(settings, "links of surveys"))

    def token(self, invitation_id: UUID) -> str:
        """Return the token of an invitation."""
        raw = invitation_id.bytes + self._mac(invitation_id.bytes)
        return urlsafe_b64encode(raw).rstrip(b"=").decode()

    def read(self, token: str) -> UUID | None:
        """Return the invitation that a token was made for; None when we did not make it.

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
        return _PLACES.sub(lambda found: f"{base}{PATH}{self.token(UUID(found[1]))}", text)

    def _mac(self, raw: bytes) -> bytes:
        return hmac.digest(self._key, raw, "sha256")[:_MAC]
