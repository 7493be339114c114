"""What a resolver is given: who asks, the way to the database, the loaders, the clock and the hub."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import strawberry

from domain.access import Actor
from domain.core.db import Sessions
from realtime.hub import Hub
from realtime.positions import LivePositions
from schema.core import access_log
from schema.core.loaders import Loaders


@dataclass(slots=True)
class Context:
    """One operation's surroundings; every event of a subscription gets fresh loaders."""

    sessions: Sessions
    actor: Actor
    now: Callable[[], datetime]
    secret: bytes
    hub: Hub
    live: LivePositions
    desk: Any = None
    """Where webhooks are registered (`schema.webhooks.WebhookDocumentCheck`); None in processes that do not."""
    client_limit: int | None = None
    """How many incidents one client user may open in ten minutes; None for no limit."""
    invited: timedelta = timedelta(hours=48)
    """How long an invitation is good."""
    smtp_utf8: bool = False
    """Whether the mail server takes addresses with a name outside ASCII."""
    at: datetime = field(init=False)
    """One instant for everything that is read: clocks of one answer agree."""
    _loaders: Loaders | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.at = self.now()

    @property
    def loaders(self) -> Loaders:
        """The relations; made when the first is asked for, which many an event never does (1.5 ms of 2)."""
        if self._loaders is None:
            self._loaders = Loaders(self.sessions, self.actor)
        return self._loaders

    @property
    def personal(self) -> set[UUID]:
        """Accounts about whose contacts something was read."""
        return set() if self._loaders is None else self._loaders.personal

    def fresh(self) -> "Context":
        """The same surroundings with nothing loaded yet."""
        return replace(self)

    async def note_reads(self) -> None:
        """Write down who was read about, before the answer leaves."""
        await self.note_reads_of((self.actor,))

    async def note_reads_of(self, actors: Iterable[Actor]) -> None:
        """The same for an answer that several are given."""
        if self.personal:
            for actor in actors:
                await access_log.note(self.sessions, actor, set(self.personal), at=self.at)


class Info(strawberry.Info[Context, None]):
    """Strawberry's info, knowing our context."""
