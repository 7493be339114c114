"""Web push channel: browser notifications (RFC 8030), encrypted for the browser (RFC 8291), signed by us (RFC 8292)."""

import os
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from domain.core.settings import Settings
from domain.messages import Urgency
from workers.outbound.post import PostClient
from workers.outbound.senders import HandingOver, OutboundMessage, Undeliverable

LASTS_S = {
    Urgency.LOW: 86_400,
    Urgency.NORMAL: 86_400,
    Urgency.HIGH: 14_400,
    Urgency.CRITICAL: 3_600,
}
"""How long a push service keeps a notification for an offline browser."""
_NAMES = {
    Urgency.LOW: "low",
    Urgency.NORMAL: "normal",
    Urgency.HIGH: "high",
    Urgency.CRITICAL: "high",
}
_RECORD = 4096  # the largest body that every push service accepts, so the only record
_MOST = _RECORD - 86 - 17  # of plain text: without header, padding delimiter and tag


class Push:
    """Push services of browsers. A repeat has the same topic, so it replaces one that was not shown yet."""

    settles_in = timedelta()

    def __init__(
        self, settings: Settings, key: ec.EllipticCurvePrivateKey, posting: PostClient
    ) -> None:
        self._key = key
        self._subject = settings.public_url or f"mailto:{settings.smtp_from}"
        self._posting = posting

    async def send(self, outgoing: OutboundMessage, handing_over: HandingOver) -> None:
        """Encrypt the message for the subscription's browser and post it to its push service."""
        message, address = outgoing.message, outgoing.address
        if address is None or address.p256dh is None or address.auth is None:
            raise Undeliverable("the subscription has no keys")
        try:
            body = encrypted(notice_of(outgoing), _bytes(address.p256dh), _bytes(address.auth))
        except ValueError as error:
            raise Undeliverable(f"the subscription's keys: {error}") from error
        headers = {
            "content-encoding": "aes128gcm",
            "ttl": str(LASTS_S[message.urgency]),
            "urgency": _NAMES[message.urgency],
            "topic": message.id.hex,
            "authorization": self._signed(address.url),
        }
        await self._posting.post(address.url, body, headers, handing_over)

    async def accepted(self, _outgoing: OutboundMessage) -> None:
        """Return None: a push service cannot be asked, and the topic makes a repeat replace the first."""
        return

    def _signed(self, url: str) -> str:
        """Sign a VAPID token that identifies us to this push service for an hour."""
        parts = urlsplit(url)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(time.time()) + 3600,
            "sub": self._subject,
        }
        token = jwt.encode(claims, self._key, algorithm="ES256")
        return f"vapid t={token},k={_text(point_of(self._key.public_key()))}"


def notice_of(outgoing: OutboundMessage) -> bytes:
    """Build the notification as JSON: title, as much text as fits, and a tag that replaces a repeat."""
    message = outgoing.message
    content = {
        "title": message.subject,
        "body": "",
        "company": outgoing.company,
        "tag": message.id.hex,
    }
    room = _MOST - len(msgspec.json.encode(content))
    text = message.body.strip()
    while len(msgspec.json.encode(text)) - 2 > room:
        text = text[: len(text) * 3 // 4].rstrip() + "…"
    return msgspec.json.encode(content | {"body": text})


def encrypted(plain: bytes, p256dh: bytes, auth: bytes) -> bytes:
    """Encrypt by RFC 8291 §3.4 in the coding of RFC 8188 with one record; returns at most 4,096 bytes."""
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), p256dh)
    own = ec.generate_private_key(ec.SECP256R1())
    point, salt = point_of(own.public_key()), os.urandom(16)
    shared = own.exchange(ec.ECDH(), theirs)
    secret = _derived(shared, auth, b"WebPush: info\0" + p256dh + point, 32)
    key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
    header = salt + _RECORD.to_bytes(4) + bytes([len(point)]) + point
    return header + AESGCM(key).encrypt(nonce, plain + b"\x02", None)


def _derived(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(secret)


def point_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key as 65 bytes: what browsers call `applicationServerKey`."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def key_in(path: Path) -> ec.EllipticCurvePrivateKey:
    """Load the P-256 private key from a PEM file; raises `ValueError` for another kind, `OSError` without the file."""
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError(f"{path} holds no P-256 private key")  # noqa: TRY004 - wrong file content, not a wrong type
    return key


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
