"""State of one API process between requests."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from api.execution.admission import Admission
from api.execution.executor import GraphQLExecutor
from api.execution.fair_queue import FairQueue, OperationPermits
from api.execution.scoped_reader import ScopedReader
from api.identity.authenticator import Authenticator
from api.identity.login import SignInService
from api.identity.tokens import Keys
from api.live.connections import ConnectionRegistry
from api.live.shared_subscriptions import SharedSubscriptions
from api.support.client_address import Proxies
from api.support.rate_limit import RedisWithFallback
from domain.access import Actor
from domain.access.rls import ScopedSessions
from domain.calendar_feeds import CalendarLinks
from domain.core.db import Sessions
from domain.core.read_pool import ReadPool
from domain.core.settings import Settings
from domain.replacements import OfferLinks
from domain.surveys import SurveyLinks
from domain.testimonials import TestimonialLinks
from realtime.hub import Hub
from realtime.position_ingest import PositionIngest
from realtime.positions import LivePositions
from schema.core.context import Context
from schema.webhooks import WebhookDocumentCheck

POOL_SIZE = 10
CONNECTIONS = 2 * POOL_SIZE  # a pool grows to twice its size
OPERATIONS = 48  # at once; each actor has 4 of them at most


def utc_now() -> datetime:
    """The one place where the API reads the clock."""
    return datetime.now(UTC)


@dataclass(slots=True)
class AppState:
    """Connections, keys, the schema and the hub."""

    settings: Settings
    engine: GraphQLExecutor
    gate: Admission
    database: AsyncEngine
    """Database of requests, by a login that sees one company at a time."""
    requests: Sessions
    """Sessions on `database`; they see no row until they are scoped to an actor."""
    reads: ReadPool
    """Connections for reads of whole rows, by the same login."""
    sessions: Sessions
    """Sessions that see every company: for signing in and the hub."""
    health_sessions: Sessions
    """The same on a small pool of their own, for the health endpoints."""
    redis: Redis
    hub: Hub
    live: LivePositions
    """Positions of guards on duty."""
    intake: PositionIngest
    """Ingest of positions from devices."""
    keys: Keys
    authenticator: Authenticator
    login: SignInService
    proxies: Proxies
    cursor_secret: bytes
    calendar_links: CalendarLinks
    offer_links: OfferLinks
    survey_links: SurveyLinks
    testimonial_links: TestimonialLinks
    throttle: RedisWithFallback
    """Limits of requests without a login, besides those of signing in."""
    audience: ConnectionRegistry
    desk: WebhookDocumentCheck
    revisions: tuple[str, ...]
    """Revisions that the tables must be migrated to."""
    now: Callable[[], datetime] = utc_now
    groups: SharedSubscriptions = field(init=False)
    connections: FairQueue = field(init=False)
    """Queue for connections of `database`."""
    turns: FairQueue = field(init=False)
    """Queue for parsing and executing operations."""

    def __post_init__(self) -> None:
        self.connections = FairQueue(CONNECTIONS, per_actor=6)
        self.turns = FairQueue(OPERATIONS, per_actor=4)
        self.groups = SharedSubscriptions(self.engine, self.context)

    def scoped(self, actor: Actor) -> ScopedSessions:
        """Sessions of one operation: they see the rows of this actor and queue for connections as this actor."""
        permits = OperationPermits(self.connections, actor)
        scoped = ScopedSessions(self.requests, actor, permits=permits)
        scoped.reader = ScopedReader(self.reads, actor, permits)
        return scoped

    def context(self, actor: Actor) -> Context:
        """The surroundings of one operation of this actor."""
        return Context(
            self.scoped(actor),
            actor,
            self.now,
            self.cursor_secret,
            self.hub,
            self.live,
            self.desk,
            self.settings.incidents_per_client_user,
            timedelta(hours=self.settings.invitation_hours),
            self.settings.smtp_utf8,
            self.survey_links,
            self.calendar_links,
        )
