"""Rules: which addresses are external, how a delivery is signed, and when it is tried again."""

import base64
import hmac
import secrets
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urlsplit
from uuid import UUID

from domain.core.errors import Code, Refused

SCHEDULE_S = (5, 300, 1_800, 7_200, 18_000, 36_000, 36_000)
"""Seconds between attempts, as Standard Webhooks proposes; after the eighth attempt a delivery is dead."""
SPREAD = 0.2
"""Maximum share that a pause is extended by, so that deliveries that failed together are not retried together."""
ATTEMPTS = len(SCHEDULE_S) + 1
SECRET_BYTES = 32
EXCERPT = 500
"""Stored characters of a response."""
LONGEST_URL = 2_000
SERVICES = ("webhook.",)
"""Prefixes of facts about webhooks themselves, which are sent to none."""

# Listed in full, because `is_global` lacks some (Python 3.11.7 calls 192.0.0.192 global).
_NEVER_4 = tuple(
    IPv4Network(net)
    for net in (
        *(
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
        ),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",  # the host of an Azure machine: public by its number only
    )
)
_GLOBAL_6 = IPv6Network("2000::/3")
_NEVER_6 = tuple(IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "3fff::/20"))
_WITH_IPV4_INSIDE = tuple(  # NAT64, compatible, translated
    IPv6Network(net) for net in ("64:ff9b::/96", "::/96", "::ffff:0:0:0/96")
)


def is_outside(address: str) -> bool:
    """Return whether an IP address is on the public internet, in any notation and any IPv6 mapping."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv4Address):
        return not any(ip in net for net in _NEVER_4)
    inside = _ipv4_in(ip)
    if inside is not None:
        return is_outside(str(inside))
    return ip in _GLOBAL_6 and not any(ip in net for net in _NEVER_6)


def is_loopback(address: str) -> bool:
    """Return whether an address is this machine: 127.0.0.0/8 or ::1."""
    ip = ip_address(address.partition("%")[0])
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def _ipv4_in(ip: IPv6Address) -> IPv4Address | None:
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if any(ip in net for net in _WITH_IPV4_INSIDE):
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return None


def check_url(url: str, *, loopback: bool) -> None:
    """Refuse a URL that is not on the public internet; `loopback` allows plain http to this machine."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _no("The URL is not a web address.") from None
    if len(url) > LONGEST_URL or any(c.isspace() or not c.isprintable() for c in url) or not host:
        raise _no("The URL is not a web address.")
    if parts.scheme != "https" and not (loopback and parts.scheme == "http"):
        raise _no("The URL must begin with https://.")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise _no("The URL must not contain a user name, password or fragment.")
    if port == 0:
        raise _no("The URL must not have port 0.")
    try:
        outside = is_outside(host) or (loopback and is_loopback(host))
    except ValueError:
        return  # a name: its addresses are checked before each connection
    if not outside:
        raise _no("The URL is not on the public internet.")


def _no(why: str) -> Refused:
    return Refused(Code.INVALID, why, argument="url")


def new_secret() -> bytes:
    """Return 32 random bytes."""
    return secrets.token_bytes(SECRET_BYTES)


def secret_text(secret: bytes) -> str:
    """Format a secret for receivers: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secret).decode()


def message_id(delivery_id: UUID) -> str:
    """Return the `webhook-id` of a delivery: the same at every attempt and in every replay."""
    return f"msg_{delivery_id.hex}"


def signatures(keys: Sequence[bytes], name: str, timestamp: int, body: bytes) -> str:
    """Return the `webhook-signature` header: one `v1,…` per secret (HMAC-SHA256 over `id.timestamp.body`)."""
    signed = f"{name}.{timestamp}.".encode() + body
    return " ".join(
        f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}" for key in keys
    )


def pause_s(attempt: int, chance: float) -> float | None:
    """Return the delay after failed attempt 1, 2, …; None after the last. `chance` in [0, 1) spreads them."""
    if attempt >= ATTEMPTS:
        return None
    return SCHEDULE_S[attempt - 1] * (1 + SPREAD * chance)
