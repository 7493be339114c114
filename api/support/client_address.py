"""From where a request comes: the peer, or the client that a trusted proxy names; and whether nobody is between."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.types import Scope

PEER = "waarborg.peer"
"""Scope key of the peer's address, set by our HTTP protocol, so that no proxy middleware of the server changes it."""
Network = IPv4Network | IPv6Network
_BETWEEN = (b"forwarded", b"x-forwarded-", b"via", b"x-real-ip", b"x-client-ip", b"true-client-ip")
_LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]", "::1"}


class Proxies:
    """Proxies from which `X-Forwarded-For` is trusted; it is ignored from every other address."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self._networks: tuple[Network, ...] = tuple(map(ip_network, addresses))

    def client_of(self, scope: Scope) -> str:
        """The address of the client: the last one of the chain that is not a trusted proxy."""
        peer = _peer(scope)
        if not self._trusts(peer):
            return peer
        known = peer
        for address in reversed(_chain(scope)):
            if address is None:
                return known
            known = str(address)
            if not self._trusts(known):
                return known
        return known

    def _trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in each for each in self._networks)


def throttle_name(address: str) -> str:
    """Return the key by which attempts are counted: the address; for IPv6 its /64, which belongs to one customer."""
    found = _address(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, 64), strict=False))
    return address


def is_direct_loopback(scope: Scope) -> bool:
    """Whether a program of this machine asks by a loopback name, with no proxy in between.

    A page of another site that has its own name point here (DNS rebinding) asks by that name.
    """
    address = _address(_peer(scope))
    if address is None or not address.is_loopback:
        return False
    host = ""
    for name, value in scope["headers"]:
        if name.startswith(_BETWEEN):
            return False
        if name == b"host":
            host = value.decode("latin-1")
    name, separator, port = host.rpartition(":")
    bare = name if separator and port.isdigit() else host
    return bare.lower() in _LOOPBACK_NAMES


def _peer(scope: Scope) -> str:
    peer = scope.get(PEER) or scope.get("client")
    return str(peer[0]) if peer else "unknown"


def _chain(scope: Scope) -> Sequence[IPv4Address | IPv6Address | None]:
    values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
    parts = b",".join(values).decode("latin-1").split(",") if values else []
    return [_address(part.strip()) for part in parts]


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address, perhaps with a port: `203.0.113.7:4711`, `[2001:db8::1]:4711`. IPv4 inside IPv6 is IPv4."""
    bare = text.partition("]")[0].removeprefix("[") if text.startswith("[") else text
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
