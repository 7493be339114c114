"""Cursors: sealed positions. A client can keep one, but neither read it, make one up nor lend it to another.

Sealed rather than signed only: the number of a fact counts all tenants' facts, and is nobody's business.
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
    """A token that holds `values` and is good for this tenant only."""
    payload = msgspec.msgpack.encode(list(values))
    signature = _sign(secret, tenant_id, payload)
    return _spelled(signature + _veil(secret, signature, payload))


def decode(secret: bytes, tenant_id: UUID, token: str) -> list[Value]:
    """The values in `token`; refused when it is not one that `encode` gave this tenant."""
    if len(token) > _LONGEST:
        raise _invalid()
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise _invalid() from None
    if (
        _spelled(raw) != token
    ):  # characters that decoding passes over, or another spelling of the same
        raise _invalid()
    signature = raw[:_SIGNATURE]
    payload = _veil(secret, signature, raw[_SIGNATURE:])
    if not hmac.compare_digest(signature, _sign(secret, tenant_id, payload)):
        raise _invalid()
    return msgspec.msgpack.decode(payload, type=list[Value])


class LedgerPosition(NamedTuple):
    """A place in the ledger, and what a cursor keeps of the hash of the fact there.

    `link` is None for the beginning, for places where no fact of the company stands, and in older cursors.
    """

    seq: int
    link: int | None = None


def of_seq(secret: bytes, tenant_id: UUID, seq: int, link: int | None = None) -> str:
    """The cursor of a fact: the same one in the ledger, in subscriptions and in webhooks."""
    return encode(secret, tenant_id, [_LEDGER, seq] if link is None else [_LEDGER, seq, link])


def position_of(secret: bytes, tenant_id: UUID, token: str) -> LedgerPosition:
    """The place of a cursor. `domain.core.sequencing.check_cursor` decides whether the ledger still has it."""
    match decode(secret, tenant_id, token):
        case [str(purpose), int(seq)] if purpose == _LEDGER:
            return LedgerPosition(seq)
        case [str(purpose), int(seq), int(link)] if purpose == _LEDGER:
            return LedgerPosition(seq, link)
    raise _invalid()


def seq_of(secret: bytes, tenant_id: UUID, token: str) -> int:
    """The `seq` of a cursor."""
    return position_of(secret, tenant_id, token).seq


def _spelled(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _sign(secret: bytes, tenant_id: UUID, payload: bytes) -> bytes:
    return hmac.digest(secret, tenant_id.bytes + payload, "sha256")[:_SIGNATURE]


def _veil(secret: bytes, signature: bytes, text: bytes) -> bytes:
    """Encrypt or decrypt: exclusive or with a stream that only the secret gives."""
    stream = hashlib.shake_256(b"cursor" + secret + signature).digest(len(text))
    return bytes(a ^ b for a, b in zip(text, stream, strict=True))


def _invalid() -> Refused:
    return Refused(
        Code.CURSOR_INVALID, "This cursor is not one we gave you for this.", argument="after"
    )
