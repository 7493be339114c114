"""What one API process holds between requests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from api.audience import Audience
from api.auth import Authenticator
from api.engine import Engine
from api.gate import Gate
from api.groups import Groups
from api.keys import Keys
from api.login import Login
from domain.actor import Actor
from domain.db import Sessions
from domain.fence import Fenced
from domain.settings import Settings
from realtime.hub import Hub
from realtime.intake import Intake
from realtime.positions import Live
from schema.context import Context
from schema.webhooks import Desk


def utc_now() -> datetime:
    """The one place where the API reads the clock."""
    return datetime.now(UTC)


@dataclass(slots=True)
class State:
    """Connections, keys, the schema and the hub."""

    settings: Settings
    engine: Engine
    gate: Gate
    database: AsyncEngine
    """Where requests are answered from, by a login that sees one company at a time."""
    requests: Sessions
    """Sessions on `database`; they see nothing until they are fenced to an actor."""
    sessions: Sessions
    """Sessions that see every company: for signing in, the hub and the process's own health."""
    redis: Redis
    hub: Hub
    live: Live
    """Where everybody on duty is."""
    intake: Intake
    """Where devices hand in positions."""
    keys: Keys
    authenticator: Authenticator
    login: Login
    cursor_secret: bytes
    audience: Audience
    desk: Desk
    revisions: tuple[str, ...]
    """What the tables must be migrated to."""
    now: Callable[[], datetime] = utc_now
    groups: Groups = field(init=False)

    def __post_init__(self) -> None:
        self.groups = Groups(self.engine, self.context)

    def context(self, actor: Actor) -> Context:
        """The surroundings of one operation of this actor."""
        return Context(
            Fenced(self.requests, actor), actor, self.now, self.cursor_secret, self.hub, self.live,
            self.desk, self.settings.incidents_per_client_user,
        )  # fmt: skip
