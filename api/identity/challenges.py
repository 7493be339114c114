"""Stateless challenges: an instant and random bits, authenticated with a MAC for one purpose."""

import hmac
import secrets
from datetime import UTC, datetime, timedelta

LIFETIME = timedelta(minutes=5)
_MAC = 16
LENGTH = 8 + 16 + _MAC


class Challenges:
    """Issues and checks challenges; all API processes of an installation accept each other's."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def new(self, about: bytes, *, at: datetime) -> bytes:
        """Return a challenge that is valid for the purpose `about` for five minutes."""
        head = int(at.timestamp() * 1000).to_bytes(8, "big") + secrets.token_bytes(16)
        return head + self._mac(head, about)

    def given_at(self, challenge: bytes, about: bytes, *, at: datetime) -> datetime | None:
        """Return when a challenge was issued; None when it is forged, expired, or issued for another purpose."""
        head, mac = challenge[:-_MAC], challenge[-_MAC:]
        if len(challenge) != LENGTH or not hmac.compare_digest(mac, self._mac(head, about)):
            return None
        issued_at = datetime.fromtimestamp(int.from_bytes(head[:8], "big") / 1000, UTC)
        return (
            issued_at
            if issued_at <= at + timedelta(seconds=5) and at < issued_at + LIFETIME
            else None
        )

    def _mac(self, head: bytes, about: bytes) -> bytes:
        return hmac.digest(self._key, head + about, "sha256")[:_MAC]
