"""The key pair that signs access tokens: Ed25519, made on first use, read by every API process of an installation."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from domain import keyfile
from domain.settings import Settings

ISSUER = AUDIENCE = "waarborg"
ALGORITHM = "EdDSA"
LIFETIME = timedelta(hours=12)  # a shift and its handover
LEEWAY_S = 5


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid token says."""

    user_id: UUID
    only: frozenset[UUID] | None
    expires_at: int  # seconds since 1970, as in the token


class Keys:
    """Signs tokens and reads them; also gives the secrets that are derived from the key."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public = private.public_key()
        raw = self._public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.kid = hashlib.sha256(raw).hexdigest()[:16]

    def secret(self, purpose: str) -> bytes:
        """32 bytes for this purpose, the same in every process that has the key."""
        raw = self._private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return hmac.digest(raw, f"waarborg {purpose}".encode(), "sha256")

    def issue(
        self,
        user_id: UUID,
        *,
        at: datetime,
        lifetime: timedelta = LIFETIME,
        only: frozenset[UUID] | None = None,
    ) -> str:
        """A token for a user, optionally narrowed to some accounts. It carries no role: that is read anew each time."""
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "iat": at,
            "nbf": at,
            "exp": at + lifetime,
            "jti": secrets.token_hex(8),
        }
        if only is not None:
            claims["accounts"] = sorted(map(str, only))
        return jwt.encode(claims, self._private, algorithm=ALGORITHM, headers={"kid": self.kid})

    def read(self, token: str) -> Claims | None:
        """What the token says; None when it is not one of ours, not yet or no longer good, or tampered with."""
        try:
            if jwt.get_unverified_header(token).get("kid") != self.kid:
                return None
            claims = jwt.decode(
                token,
                self._public,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=LEEWAY_S,
                options={"require": ["exp", "nbf", "iat", "aud", "iss", "sub"]},
            )
            accounts = claims.get("accounts")
            only = None if accounts is None else frozenset(UUID(each) for each in accounts)
            return Claims(UUID(claims["sub"]), only, int(claims["exp"]))
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            return None


def load(settings: Settings) -> Keys:
    """The installation's key: the file named in the settings, else `DATA/signing.pem`, made when missing."""
    if settings.signing_key_file is not None:
        return Keys(keyfile.read(settings.signing_key_file))
    return Keys(keyfile.read_or_make(settings.data / "signing.pem"))
