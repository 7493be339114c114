"""Encryption of secrets in the database (AES-256-GCM) with a key from a file."""

import hmac
import os
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from domain.core import keyfile
from domain.core.settings import Settings

_NONCE = 12


def derived_key(settings: Settings, purpose: str) -> bytes:
    """Return a key for a purpose, derived from the key file that every process of an installation has."""
    path = settings.webhook_key_file
    private = (
        keyfile.read_or_make(settings.data / "webhooks.pem") if path is None else keyfile.read(path)
    )
    raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return hmac.digest(raw, f"waarborg {purpose}".encode(), "sha256")


class SecretCipher:
    """Encrypts secrets, each bound to one row: a ciphertext that is moved to another row cannot be decrypted."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def of(cls, settings: Settings, purpose: str = "webhook secrets") -> Self:
        """Create the cipher for a purpose; the key file is the one named in the settings, else `DATA/webhooks.pem`."""
        return cls(derived_key(settings, purpose))

    def seal(self, row_id: UUID, secret: bytes) -> bytes:
        """Encrypt a secret."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, row_id.bytes)

    def open(self, row_id: UUID, sealed: bytes) -> bytes:
        """Decrypt a secret. Raises `ValueError` when it was encrypted with another key or for another row."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], row_id.bytes)
        except InvalidTag:
            raise ValueError(
                "a secret was encrypted with another key, or for another row"
            ) from None
