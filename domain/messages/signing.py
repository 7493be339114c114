"""Signed message ids: a bounce or reply counts only when it carries an id that this installation signed.

The id is in the envelope sender (`desk+<id><mac>@guards.example`), in the envelope id, and in two headers. It is an
HMAC over the message's id, so nobody can forge a notice about a message that was not sent to them.
"""

import base64
import hmac
import re
from typing import Self
from uuid import UUID

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from domain.core import keyfile
from domain.core.settings import Settings

HEADER = "X-Waarborg-Message"
"""Header with the signed id, for providers that replace the Message-ID."""
LONGEST_LOCAL_PART = 64  # RFC 5321 §4.5.3.1.1
_ID, _MAC = 26, 16  # characters of base32: 16 bytes and 10 bytes

_LONG = re.compile(
    r"\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.([a-z2-7]{16})(?![a-z0-9])",
    re.IGNORECASE,
)
_SHORT = re.compile(
    rf"(?<![a-z0-9])([a-z2-7]{{{_ID}}})([a-z2-7]{{{_MAC}}})(?![a-z0-9])", re.IGNORECASE
)


class MessageSigner:
    """Creates and reads signed ids of messages."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Create the installation's signer; its key is derived from the webhook key file, which all workers share."""
        path = settings.webhook_key_file
        private = (
            keyfile.read_or_make(settings.data / "webhooks.pem")
            if path is None
            else keyfile.read(path)
        )
        raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return cls(hmac.digest(raw, b"waarborg message ids", "sha256"))

    def signed(self, message_id: UUID) -> str:
        """Return `<uuid>.<mac>`, for Message-IDs and the envelope id."""
        return f"{message_id}.{self._mac(message_id)}"

    def return_path(self, address: str, message_id: UUID, *, delimiter: str) -> str:
        """Return the envelope sender with the signed id; the plain address where the id does not fit."""
        local, _, domain = address.rpartition("@")
        named = f"{local}{delimiter}{_base32(message_id.bytes)}{self._mac(message_id)}"
        if not delimiter or not local or len(named) > LONGEST_LOCAL_PART:
            return address
        return f"{named}@{domain}"

    def find(self, text: str) -> UUID | None:
        """Return the first message whose signed id is in the text, in either form and in any letter case."""
        for match in _LONG.finditer(text):
            if self._is_ours(UUID(match[1]), match[2]):
                return UUID(match[1])
        for match in _SHORT.finditer(text):
            raw = base64.b32decode(match[1].upper() + "=" * 6)
            if self._is_ours(UUID(bytes=raw), match[2]):
                return UUID(bytes=raw)
        return None

    def _is_ours(self, message_id: UUID, mac: str) -> bool:
        return hmac.compare_digest(self._mac(message_id), mac.lower())

    def _mac(self, message_id: UUID) -> str:
        return _base32(hmac.digest(self._key, message_id.bytes, "sha256")[:10])


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()
