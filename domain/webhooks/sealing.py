"""Sealing: secrets lie in the database encrypted (AES-256-GCM), with a key that lies in a file."""

import hmac
import os
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from domain import keyfile
from domain.settings import Settings

_NONCE = 12


class Vault:
    """Encrypts secrets for one webhook each: a sealed secret that is moved to another row does not open."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The installation's vault: the key file named in the settings, else `DATA/webhooks.pem`, made when missing."""
        path = settings.webhook_key_file
        private = (
            keyfile.read_or_make(settings.data / "webhooks.pem")
            if path is None
            else keyfile.read(path)
        )
        raw = private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return cls(hmac.digest(raw, b"waarborg webhook secrets", "sha256"))

    def seal(self, webhook_id: UUID, secret: bytes) -> bytes:
        """Encrypt."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, secret, webhook_id.bytes)

    def open(self, webhook_id: UUID, sealed: bytes) -> bytes:
        """Decrypt. Raises `ValueError` when it was sealed with another key, or for another webhook."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], webhook_id.bytes)
        except InvalidTag:
            raise ValueError("a webhook's secret was sealed with another key") from None
