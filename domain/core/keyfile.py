"""Private key files: Ed25519 in PEM, created on first use, readable by the owner only."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from domain.core import private_files


class KeyFileError(Exception):
    """A key file cannot be used; the text names the file and what to do."""


def read_or_make(path: Path) -> Ed25519PrivateKey:
    """Read the key in the file; create it when missing. Two processes that create it at once get the same key."""
    if not path.exists():
        _make(path)
    return read(path)


def read(path: Path) -> Ed25519PrivateKey:
    """Read the key in a file that must exist."""
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(
            f"The signing key {path} cannot be read ({error}): give an Ed25519 private key in PEM, "
            "readable by this user, or remove the file to have a new one made."
        ) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFileError(f"The signing key {path} is not Ed25519.")
    return private


def _make(path: Path) -> None:
    """Write a new key atomically; when two processes do so at once, the first key stays."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    private_files.make_missing(path.parent)
    with private_files.replacing(path, keep_first=True, durable=True) as file:
        file.write(pem)
