"""Pure rules about secrets: validity of passwords, hashing, and the form of tokens."""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from domain.core.errors import Code, Refused

SHORTEST, LONGEST = 12, 1024
INVITED = timedelta(hours=48)  # unless the settings say otherwise
RESET = timedelta(minutes=30)
GRACE = timedelta(
    seconds=30
)  # period in which a client that lost the response gets the same next refresh token again
IDLE = timedelta(days=14)  # a refresh token that was not used for this long is invalid
ABSOLUTE = timedelta(days=90)  # maximum age of a session, however often it is used

# RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes; 0.1 s of four cores.
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


class Secret(NamedTuple):
    """A new token, shown once and stored as a hash. 256 random bits need no slow hash."""

    text: str
    sha256: bytes


def new_secret(prefix: str) -> Secret:
    """Create `<prefix>_<43 characters>`: the prefix identifies the kind of token to people and secret scanners."""
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    return Secret(text, sha256_of(text))


def new_salt() -> bytes:
    """Return 16 random bytes."""
    return secrets.token_bytes(16)


def successor_of(presented: str, salt: bytes) -> Secret:
    """Return the refresh token after this one: only the holder of its text can compute it, and repeatedly."""
    digest = hmac.digest(presented.encode(), b"next refresh token" + salt, "sha256")
    text = f"wr_{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    return Secret(text, sha256_of(text))


@dataclass(frozen=True, slots=True)
class Requester:
    """Origin of a sign-in: the client's address and user agent."""

    address: str = "unknown"
    user_agent: str = ""

    @property
    def fingerprint(self) -> bytes:
        """Identify a client even when its address changes, as on a phone."""
        return sha256_of(self.user_agent)[:16]


def sha256_of(presented: str) -> bytes:
    """Hash a presented token for the lookup."""
    return hashlib.sha256(presented.encode()).digest()


def check_password(text: str, *, email: str) -> None:
    """Refuse weak passwords. NIST SP 800-63B requires length and advises against composition rules."""
    if not SHORTEST <= len(text) <= LONGEST:
        raise Refused(
            Code.INVALID,
            f"A password must have {SHORTEST} to {LONGEST} characters.",
            argument="password",
        )
    if len(set(text)) < 5 or email.partition("@")[0].lower() in text.lower():
        raise Refused(Code.INVALID, "That password is too easy to guess.", argument="password")


def hash_of(password: str) -> str:
    """Return the Argon2id hash of a password. Takes 64 MiB and about 0.1 s: call it in a thread."""
    return _hasher.hash(password)


def fits(hash: str, password: str) -> bool:
    """Return whether the password matches the hash. As slow as `hash_of`."""
    try:
        return _hasher.verify(hash, password)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(hash: str) -> bool:
    """Return whether a hash has outdated parameters and should be computed again."""
    return _hasher.check_needs_rehash(hash)
