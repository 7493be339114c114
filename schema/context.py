"""What a resolver is given: who asks, the way to the database, the loaders, the clock and the hub."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import strawberry

from domain.actor import Actor
from domain.db import Sessions
from realtime.hub import Hub
from realtime.positions import Live
from schema import personal
from schema.loaders import Loaders


@dataclass(slots=True)
class Context:
    """One operation's surroundings; every event of a subscription gets fresh loaders."""

    sessions: Sessions
    actor: Actor
    now: Callable[[], datetime]
    secret: bytes
    hub: Hub
    live: Live
    desk: Any = None
    """Where webhooks are registered (`schema.webhooks.Desk`); None in processes that do not."""
    at: datetime = field(init=False)
    """One instant for everything that is read: clocks of one answer agree."""
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.now()
        self.loaders = Loaders(self.sessions, self.actor)

    def fresh(self) -> "Context":
        """The same surroundings with nothing loaded yet."""
        return replace(self)

    async def note_reads(self) -> None:
        """Write down who was read about, before the answer leaves."""
        await self.note_reads_of((self.actor,))

    async def note_reads_of(self, actors: Iterable[Actor]) -> None:
        """The same for an answer that several are given."""
        if self.loaders.personal:
            for actor in actors:
                about = set(self.loaders.personal)
                await personal.note(self.sessions, actor, about, at=self.at)


class Info(strawberry.Info[Context, None]):
    """Strawberry's info, knowing our context."""
