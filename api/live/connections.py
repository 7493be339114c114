"""Everybody who is connected: how many there may be, whether their rights still hold, whether they take what they get.

One round over all of them twice a second, instead of a task for each: a token that opened a thousand sockets is
looked up once, and tokens of their own together: a thousand take 6 % of a core, one by one it was 44 %. A right that
is taken away ends its sockets within 5 s: 4 s for which an answer of the authenticator is good, and a round.
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
    """There is no room for one more; the text says of what there are too many."""


class ClientConnection(Protocol):
    """Somebody who is connected."""

    token: str | None
    """What he showed; None until he has introduced himself."""

    def look(self, now: float) -> None:
        """A round comes by, at `now` of the loop's clock."""
        ...

    def recognise(self, identity: Identity | None) -> None:
        """Who he is by now."""
        ...

    def dismiss(self) -> None:
        """The process stops: he is to come back, to another one."""
        ...


class ConnectionRegistry:
    """The guests of one process. `async with Audience(...)` makes the rounds for the length of the block."""

    def __init__(self, settings: Settings, authenticator: Authenticator) -> None:
        self._settings = settings
        self._authenticator = authenticator
        self._guests: dict[ClientConnection, object | None] = {}
        self._of: Counter[object] = Counter()
        self._subscriptions: Counter[object] = Counter()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._rounds(), name="audience")
        return self

    async def __aexit__(self, *_exc: object) -> None:
        if self._task is not None:
            await end(self._task)

    def __len__(self) -> int:
        return len(self._guests)

    def admit(self, guest: ClientConnection) -> None:
        """One more connection. Raises `Full`."""
        if len(self._guests) >= self._settings.connections:
            raise TooManyConnections("Too many connections, try another process or later")
        self._guests[guest] = None

    def seat(self, guest: ClientConnection, company: object) -> None:
        """It is known now of which company he is. Raises `Full`."""
        if self._of[company] >= self._settings.connections_per_company:
            raise TooManyConnections("Too many connections of this company")
        self._guests[guest] = company
        self._of[company] += 1

    def forget(self, guest: ClientConnection) -> None:
        """He is gone."""
        company = self._guests.pop(guest, None)
        if company is not None:
            _less(self._of, company)

    def subscribe(self, company: object) -> None:
        """One more subscription. Raises `Full`."""
        if self._subscriptions[company] >= self._settings.subscriptions_per_company:
            raise TooManyConnections("Too many subscriptions of this company")
        self._subscriptions[company] += 1

    def unsubscribe(self, company: object) -> None:
        """One less."""
        _less(self._subscriptions, company)

    def dismiss(self) -> None:
        """Send everybody away: the process stops."""
        for guest in list(self._guests):
            guest.dismiss()

    async def _rounds(self) -> None:
        now = asyncio.get_running_loop().time
        while True:
            await asyncio.sleep(ROUND_S)
            try:
                by_token: dict[str, list[ClientConnection]] = defaultdict(list)
                for guest in list(self._guests):
                    guest.look(now())
                    if guest.token is not None:
                        by_token[guest.token].append(guest)
                await self._recognise(by_token)
            except Exception as error:  # noqa: BLE001 - PostgreSQL is away, where rights are; nobody's can change either
                log.warning("audience.rights_unknown", error=repr(error))

    async def _recognise(self, by_token: dict[str, list[ClientConnection]]) -> None:
        identities = await self._authenticator.identify_all(by_token, every_s=ROUND_S)
        for token, identity in identities.items():
            for guest in by_token[token]:
                if guest.token == token:
                    guest.recognise(identity)


def _less(counts: Counter[object], company: object) -> None:
    counts[company] -= 1
    if counts[company] <= 0:
        del counts[company]
