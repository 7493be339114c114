"""Encrypted, tamper-proof cursors. A client cannot read, forge or transfer a cursor to another company.

Cursors are encrypted and not just signed, because the sequence number of a fact reveals the activity of all tenants.
"""

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from domain.core.errors import Code, Refused

_SIGNATURE = (
    16  # bytes; also the nonce of the cipher (synthetic IV): equal positions give equal cursors
)
_LEDGER = "ledger"
_LONGEST = 512

Value = str | int | None


def encode(secret: bytes, tenant_id: UUID, values: Sequence[Value]) -> str:
    """Encrypt `values` into a token that is valid for this tenant only."""
    payload = msgspec.msgpack.encode(list(values))
    signature = _sign(secret, tenant_id, payload)
    return _spelled(signature + _xor_cipher(secret, signature, payload))


def decode(secret: bytes, tenant_id: UUID, token: str) -> list[Value]:
    """Decrypt the values in `token`; refuse a token that `encode` did not make for this tenant."""
    if len(token) > _LONGEST:
        raise _invalid()
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise _invalid() from None
    if (
        _spelled(raw) != token
    ):  # characters that base64 decoding ignores, or another encoding of the same bytes
        raise _invalid()
    signature = raw[:_SIGNATURE]
    payload = _xor_cipher(secret, signature, raw[_SIGNATURE:])
    if not hmac.compare_digest(signature, _sign(secret, tenant_id, payload)):
        raise _invalid()
    return msgspec.msgpack.decode(payload, type=list[Value])


class LedgerPosition(NamedTuple):
    """Position in the ledger, with the part of the hash of the fact there that a cursor keeps.

    `link` is None at the beginning, for positions without a fact of the company, and in older cursors.
    """

    seq: int
    link: int | None = None


def of_seq(secret: bytes, tenant_id: UUID, seq: int, link: int | None = None) -> str:
    """Return the cursor of a fact; the ledger, subscriptions and webhooks give the same one."""
    return encode(secret, tenant_id, [_LEDGER, seq] if link is None else [_LEDGER, seq, link])


def position_of(secret: bytes, tenant_id: UUID, token: str) -> LedgerPosition:
    """Decode the position of a cursor; `check_cursor` (`core.sequencing`) checks that the ledger still has it."""
    match decode(secret, tenant_id, token):
        case [str(purpose), int(seq)] if purpose == _LEDGER:
            return LedgerPosition(seq)
        case [str(purpose), int(seq), int(link)] if purpose == _LEDGER:
            return LedgerPosition(seq, link)
    raise _invalid()


def seq_of(secret: bytes, tenant_id: UUID, token: str) -> int:
    """Decode the `seq` of a cursor."""
    return position_of(secret, tenant_id, token).seq


def _spelled(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _sign(secret: bytes, tenant_id: UUID, payload: bytes) -> bytes:
    return hmac.digest(secret, tenant_id.bytes + payload, "sha256")[:_SIGNATURE]


def _xor_cipher(secret: bytes, signature: bytes, text: bytes) -> bytes:
    """Encrypt or decrypt by XOR with a key stream derived from the secret and the signature."""
    stream = hashlib.shake_256(b"cursor" + secret + signature).digest(len(text))
    return bytes(a ^ b for a, b in zip(text, stream, strict=True))


def _invalid() -> Refused:
    return Refused(
        Code.CURSOR_INVALID,
        "This cursor was not issued for this list. Use one that the same list returned.",
        argument="after",
    )
