"""Access tokens and the Ed25519 key pair that signs them, created on first use and shared by all API processes."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from domain.core import keyfile
from domain.core.settings import Settings

ISSUER = AUDIENCE = "waarborg"
ALGORITHM = "EdDSA"
LIFETIME = timedelta(hours=12)  # a shift and its handover
LEEWAY_S = 5


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a valid access token."""

    user_id: UUID
    only: frozenset[UUID] | None
    sign_in_id: UUID | None
    expires_at: int  # seconds since 1970, as in the token


class Keys:
    """Signs tokens with the current key, verifies tokens of current and retired keys, and derives secrets."""

    def __init__(self, private: Ed25519PrivateKey, *retired: Ed25519PrivateKey) -> None:
        self._private = private
        self._oldest = (private, *retired)[-1]
        self._public = {
            kid_of(each.public_key()): each.public_key() for each in (private, *retired)
        }
        self.kid = kid_of(private.public_key())

    def jwks(self) -> dict[str, Any]:
        """Return the public keys of current and retired signing keys as a JWK set (RFC 7517)."""
        return {
            "keys": [
                {
                    "kty": "OKP",
                    "crv": "Ed25519",
                    "use": "sig",
                    "alg": ALGORITHM,
                    "kid": kid,
                    "x": _x(key),
                }
                for kid, key in self._public.items()
            ]
        }

    def secret(self, purpose: str) -> bytes:
        """Return 32 bytes for a purpose; they are equal in all processes with these keys, also after a rotation."""
        raw = self._oldest.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return hmac.digest(raw, f"waarborg {purpose}".encode(), "sha256")

    def issue(
        self,
        user_id: UUID,
        *,
        at: datetime,
        lifetime: timedelta = LIFETIME,
        only: frozenset[UUID] | None = None,
        sign_in_id: UUID | None = None,
    ) -> str:
        """Sign a token for a user, optionally restricted to accounts. It has no role: roles come from the database."""
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
        if sign_in_id is not None:
            claims["sid"] = str(sign_in_id)
        return jwt.encode(claims, self._private, algorithm=ALGORITHM, headers={"kid": self.kid})

    def read(self, token: str) -> Claims | None:
        """Return the claims of a token, or None when its signature, issuer or period of validity is wrong."""
        try:
            public = self._public.get(jwt.get_unverified_header(token).get("kid", ""))
            if public is None:
                return None
            claims = jwt.decode(
                token,
                public,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=LEEWAY_S,
                options={"require": ["exp", "nbf", "iat", "aud", "iss", "sub"]},
            )
            accounts = claims.get("accounts")
            only = None if accounts is None else frozenset(UUID(each) for each in accounts)
            sign_in_id = UUID(claims["sid"]) if "sid" in claims else None
            return Claims(UUID(claims["sub"]), only, sign_in_id, int(claims["exp"]))
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
            return None


def load(settings: Settings) -> Keys:
    """Load the signing key from the file in the settings, else from `DATA/signing.pem`, which is created if missing."""
    retired = [keyfile.read(path) for path in settings.retired_key_files]
    if settings.signing_key_file is not None:
        return Keys(keyfile.read(settings.signing_key_file), *retired)
    return Keys(keyfile.read_or_make(settings.data / "signing.pem"), *retired)


def kid_of(public: Ed25519PublicKey) -> str:
    """Return the key id that token headers use for a public key."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def _x(public: Ed25519PublicKey) -> str:
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
