"""Pure rules about secrets: what a password must be, how it is hashed, what tokens look like."""

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
)  # in which a client that lost the answer gets the same next refresh token again
IDLE = timedelta(days=14)  # a refresh token that was not used for so long is none any more
ABSOLUTE = timedelta(days=90)  # after which one signs in anew, however busy

# RFC 9106, second recommended option: 64 MiB, 3 passes, 4 lanes; 0.1 s of four cores.
_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


class Secret(NamedTuple):
    """A new token: told once, kept as hash. 256 random bits need no slow one."""

    text: str
    sha256: bytes


def new_secret(prefix: str) -> Secret:
    """`<prefix>_<43 characters>`: the prefix tells people and scanners what they have found."""
    text = f"{prefix}_{secrets.token_urlsafe(32)}"
    return Secret(text, sha256_of(text))


def new_salt() -> bytes:
    """16 random bytes."""
    return secrets.token_bytes(16)


def successor_of(presented: str, salt: bytes) -> Secret:
    """The refresh token after this one: only who has its text can compute it, again and again."""
    digest = hmac.digest(presented.encode(), b"next refresh token" + salt, "sha256")
    text = f"wr_{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
    return Secret(text, sha256_of(text))


@dataclass(frozen=True, slots=True)
class Requester:
    """From where somebody signs in: the client's address, and what it calls itself."""

    address: str = "unknown"
    user_agent: str = ""

    @property
    def fingerprint(self) -> bytes:
        """What tells one client from another although the address changes, as on a phone."""
        return sha256_of(self.user_agent)[:16]


def sha256_of(presented: str) -> bytes:
    """What a presented token is looked up by."""
    return hashlib.sha256(presented.encode()).digest()


def check_password(text: str, *, email: str) -> None:
    """Refuse what is guessed first: NIST SP 800-63B asks for length, and for nothing that people circumvent."""
    if not SHORTEST <= len(text) <= LONGEST:
        raise Refused(
            Code.INVALID, f"A password has {SHORTEST} to {LONGEST} characters.", argument="password"
        )
    if len(set(text)) < 5 or email.partition("@")[0].lower() in text.lower():
        raise Refused(Code.INVALID, "That password is too easy to guess.", argument="password")


def hash_of(password: str) -> str:
    """The Argon2id hash of a password. Takes 64 MiB and about 0.1 s: call it in a thread."""
    return _hasher.hash(password)


def fits(hash: str, password: str) -> bool:
    """Whether the password is the one. As slow as `hash_of`."""
    try:
        return _hasher.verify(hash, password)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(hash: str) -> bool:
    """Whether a hash was made with other parameters than today's, and should be made anew."""
    return _hasher.check_needs_rehash(hash)
