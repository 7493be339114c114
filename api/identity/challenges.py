"""Challenges that nobody has to remember: an instant and random bits, sealed for what they are about."""

import hmac
import secrets
from datetime import UTC, datetime, timedelta

LIFETIME = timedelta(minutes=5)
_MAC = 16
LENGTH = 8 + 16 + _MAC


class Challenges:
    """Gives and checks challenges; every API process of the installation knows the same ones."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def new(self, about: bytes, *, at: datetime) -> bytes:
        """A challenge that is good for this purpose, for five minutes."""
        head = int(at.timestamp() * 1000).to_bytes(8, "big") + secrets.token_bytes(16)
        return head + self._mac(head, about)

    def given_at(self, challenge: bytes, about: bytes, *, at: datetime) -> datetime | None:
        """Return when this challenge was issued; None for another purpose, an expired one, or a forged one."""
        head, mac = challenge[:-_MAC], challenge[-_MAC:]
        if len(challenge) != LENGTH or not hmac.compare_digest(mac, self._mac(head, about)):
            return None
        given = datetime.fromtimestamp(int.from_bytes(head[:8], "big") / 1000, UTC)
        return given if given <= at + timedelta(seconds=5) and at < given + LIFETIME else None

    def _mac(self, head: bytes, about: bytes) -> bytes:
        return hmac.digest(self._key, head + about, "sha256")[:_MAC]
