"""The key pair that signs access tokens: Ed25519, made on first use, read by every API process of an installation."""

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
    """Claims of a valid token."""

    user_id: UUID
    only: frozenset[UUID] | None
    sign_in_id: UUID | None
    expires_at: int  # seconds since 1970, as in the token


class Keys:
    """Signs tokens with one key and reads what that key or a retired one signed; also gives derived secrets."""

    def __init__(self, private: Ed25519PrivateKey, *retired: Ed25519PrivateKey) -> None:
        self._private = private
        self._oldest = (private, *retired)[-1]
        self._public = {
            kid_of(each.public_key()): each.public_key() for each in (private, *retired)
        }
        self.kid = kid_of(private.public_key())

    def jwks(self) -> dict[str, Any]:
        """The keys that tokens may be signed with, as RFC 7517 has them."""
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
        """32 bytes for this purpose, the same in every process that has the keys, and after a rotation."""
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
        if sign_in_id is not None:
            claims["sid"] = str(sign_in_id)
        return jwt.encode(claims, self._private, algorithm=ALGORITHM, headers={"kid": self.kid})

    def read(self, token: str) -> Claims | None:
        """Return the claims of a token; None when it is not ours, not valid now, or tampered with."""
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
    """The installation's key: the file named in the settings, else `DATA/signing.pem`, made when missing."""
    retired = [keyfile.read(path) for path in settings.retired_key_files]
    if settings.signing_key_file is not None:
        return Keys(keyfile.read(settings.signing_key_file), *retired)
    return Keys(keyfile.read_or_make(settings.data / "signing.pem"), *retired)


def kid_of(public: Ed25519PublicKey) -> str:
    """Return the id of a key, as the header of a token names it."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def _x(public: Ed25519PublicKey) -> str:
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
