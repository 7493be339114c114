"""Pure rules: time-based one-time codes (RFC 4226, RFC 6238) and recovery codes."""

import base64
import hashlib
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote

STEP_S = 30
DIGITS = 6
DRIFT = 1  # time steps that a phone's clock may be off, either way
RECOVERY_CODES = 10


def new_secret() -> bytes:
    """Return 160 random bits, as RFC 4226 recommends."""
    return secrets.token_bytes(20)


def base32(secret: bytes) -> str:
    """Encode the secret for authenticator apps."""
    return base64.b32encode(secret).decode().rstrip("=")


def code_at(secret: bytes, step: int) -> str:
    """Return the code of a time step: HMAC-SHA-1, truncated dynamically (RFC 4226, section 5.3)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(at: datetime) -> int:
    """Return the time step of a time."""
    return int(at.timestamp()) // STEP_S


def matching_step(secret: bytes, code: str, at: datetime, last_step: int | None) -> int | None:
    """Return the step of this code, near `at` and after `last_step`; None for a wrong or a used code."""
    given = code.replace(" ", "")
    if len(given) != DIGITS or not (given.isascii() and given.isdigit()):
        return None
    now = step_of(at)
    found = None
    for step in range(now - DRIFT, now + DRIFT + 1):
        fits = hmac.compare_digest(code_at(secret, step), given)
        if fits and (last_step is None or step > last_step):
            found = step
    return found


def uri_of(secret: bytes, *, email: str, company: str) -> str:
    """Return the URI that authenticator apps read from a QR code."""
    label = quote(f"{company}:{email}")
    issuer = quote(company)
    return f"otpauth://totp/{label}?secret={base32(secret)}&issuer={issuer}&digits={DIGITS}&period={STEP_S}"


def new_recovery_code() -> str:
    """Return 80 random bits in groups of four letters and digits: too many to be guessed from their hash."""
    text = base64.b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, 16, 4))


def recovery_sha256(code: str) -> bytes:
    """Hash a recovery code for the lookup, however it was typed."""
    plain = "".join(each for each in code.lower() if each.isalnum())
    return hashlib.sha256(f"recovery code {plain}".encode()).digest()
