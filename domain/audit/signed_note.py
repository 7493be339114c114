"""Signed notes and checkpoints, as in https://c2sp.org/signed-note and https://c2sp.org/tlog-checkpoint."""

import hashlib
from base64 import b64encode
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ED25519 = b"\x01"


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs notes under names that begin with `origin`: one name, so one key id, for each security company."""

    private: Ed25519PrivateKey = field(repr=False)
    origin: str

    def sign(self, text: str, name: str) -> str:
        """Sign a note: `text` (which ends in a newline), a blank line and the signature line."""
        signature = self._key_id(name) + self.private.sign(text.encode())
        return f"{text}\n— {name} {b64encode(signature).decode()}\n"

    def verifier_key(self, name: str) -> str:
        """Return the public key under this name, in the form of Go's note tools and `waarborg-verify`."""
        encoded = b64encode(_ED25519 + self._public()).decode()
        return f"{name}+{self._key_id(name).hex()}+{encoded}"

    def _key_id(self, name: str) -> bytes:
        key_data = name.encode() + b"\n" + _ED25519 + self._public()
        return hashlib.sha256(key_data).digest()[:4]

    def _public(self) -> bytes:
        return self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def checkpoint_text(origin: str, size: int, root: bytes, epoch: UUID | None = None) -> str:
    """Format a checkpoint: name, number of leaves, root, and as an extension line the ledger's epoch.

    A restored backup begins an epoch, so two checkpoints of different epochs need not continue each other.
    """
    extension = "" if epoch is None else f"epoch {epoch}\n"
    return f"{origin}\n{size}\n{b64encode(root).decode()}\n{extension}"
