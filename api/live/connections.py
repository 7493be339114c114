"""Registry of open connections: limits, periodic re-authorization, detection of stalled clients.

One task checks all connections twice a second, instead of one task per connection. Each token is looked up once per
round, however many connections it opened, and different tokens are looked up in one batch: 1,000 tokens take 6 % of a
core, against 44 % one by one. Connections close within 5 s after their right ends: the authenticator caches an
identity for 4 s, and the next round follows within 0.5 s.
"""

import asyncio
from collections import Counter, defaultdict
from typing import Protocol, Self

import structlog

from api.identity.authenticator import Authenticator, Identity
from domain.core.settings import Settings
from realtime.tasks import end

ROUND_S = 0.5

log = structlog.get_logger()


class TooManyConnections(Exception):
    """Raised when a limit of connections or subscriptions is reached; the message names the limit."""


class ClientConnection(Protocol):
    """An open WebSocket or event stream."""

    token: str | None
    """The token or key that authenticated the connection; None before authentication."""

    def check(self, now: float) -> None:
        """Check timeouts; `now` is the time of the event loop's clock."""
        ...

    def reauthorize(self, identity: Identity | None) -> None:
        """Close the connection unless its token still has the same identity; None means the token is invalid now."""
        ...

    def shut_down(self) -> None:
        """Close the connection because the process stops; the client should reconnect to another process."""
        ...


class ConnectionRegistry:
    """The open connections of one process. `async with ConnectionRegistry(...)` checks them while the block runs."""

    def __init__(self, settings: Settings, authenticator: Authenticator) -> None:
        self._settings = settings
        self._authenticator = authenticator
        self._connections: dict[ClientConnection, object | None] = {}
        self._per_company: Counter[object] = Counter()
        self._subscriptions: Counter[object] = Counter()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._check_periodically(), name="audience")
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._task is not None:
            await end(self._task)

    def __len__(self) -> int:
        return len(self._connections)

    def admit(self, connection: ClientConnection) -> None:
        """Register a new connection. Raises `TooManyConnections`."""
        if len(self._connections) >= self._settings.connections:
            raise TooManyConnections("Too many connections, try another process or later")
        self._connections[connection] = None

    def bind_tenant(self, connection: ClientConnection, company: object) -> None:
        """Count an authenticated connection towards its company's limit. Raises `TooManyConnections`."""
        if self._per_company[company] >= self._settings.connections_per_company:
            raise TooManyConnections("Too many connections of this company")
        self._connections[connection] = company
        self._per_company[company] += 1

    def forget(self, connection: ClientConnection) -> None:
        """Remove a closed connection."""
        company = self._connections.pop(connection, None)
        if company is not None:
            _decrement(self._per_company, company)

    def subscribe(self, company: object) -> None:
        """Count a new subscription towards its company's limit. Raises `TooManyConnections`."""
        if self._subscriptions[company] >= self._settings.subscriptions_per_company:
            raise TooManyConnections("Too many subscriptions of this company")
        self._subscriptions[company] += 1

    def unsubscribe(self, company: object) -> None:
        """Count a subscription that ended."""
        _decrement(self._subscriptions, company)

    def shut_down(self) -> None:
        """Close all connections, because the process stops."""
        for connection in list(self._connections):
            connection.shut_down()

    async def _check_periodically(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(ROUND_S)
            try:
                by_token: dict[str, list[ClientConnection]] = defaultdict(list)
                for connection in list(self._connections):
                    connection.check(now())
                    if connection.token is not None:
                        by_token[connection.token].append(connection)
                await self._reauthorize(by_token)
            except Exception as error:  # noqa: BLE001 - without PostgreSQL no right can change; the next round retries
                log.warning("audience.rights_unknown", error=repr(error))

    async def _reauthorize(self, by_token: dict[str, list[ClientConnection]]) -> None:
        identities = await self._authenticator.identify_all(by_token, every_s=ROUND_S)
        for token, identity in identities.items():
            for connection in by_token[token]:
                if connection.token == token:
                    connection.reauthorize(identity)


def _decrement(counts: Counter[object], company: object) -> None:
    counts[company] -= 1
    if counts[company] <= 0:
        del counts[company]
