"""The ASGI application: routes, and the connections that live as long as the process."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta

import structlog
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from api.endpoints import (
    alarm_intake,
    auth,
    calendars,
    console,
    downloads,
    files,
    graphql_http,
    graphql_ws,
    health,
    ingest,
    offer_page,
    password_pages,
    review_notifications,
    showcase,
    survey_page,
    testimonial_page,
    unsubscribe,
)
from api.execution.admission import Admission
from api.execution.cost_budget import Budget
from api.execution.executor import GraphQLExecutor
from api.execution.fair_queue import QueuedSession
from api.execution.persisted import Persisted, read_manifest
from api.execution.webhook_documents import WebhookDocumentValidator
from api.identity import tokens
from api.identity.authenticator import Authenticator
from api.identity.login import SignInService
from api.identity.oidc import Oidc
from api.live.connections import ConnectionRegistry
from api.older_verdicts import ADVICE, OlderVerdicts
from api.state import POOL_SIZE, AppState, utc_now
from api.support import migrate
from api.support.client_address import Proxies
from api.support.rate_limit import RedisWithFallback
from api.support.telemetry import RequestTelemetry
from domain import promises
from domain.calendar_feeds import CalendarLinks
from domain.core.db import connect, sessions
from domain.core.read_pool import ReadPool
from domain.core.settings import Settings
from domain.files import incoming, remove_left_behind
from domain.replacements import OfferLinks
from domain.surveys import SurveyLinks
from domain.testimonials import TestimonialLinks
from domain.webhooks import SecretCipher
from realtime.changes import Changes, keep_listening
from realtime.hub import Hub
from realtime.position_ingest import PositionIngest
from realtime.positions import LivePositions
from realtime.redis import connect as connect_redis
from realtime.tasks import end
from schema.build import build, sdl

STATEMENT_TIMEOUT_MS = "35000"

log = structlog.get_logger()


def application(settings: Settings | None = None) -> Starlette:
    """The application; without `settings` they are read from the environment when the process starts up."""
    allowed = settings.allowed_origins if settings is not None else Settings().allowed_origins
    return Starlette(
        routes=[
            Route("/", console.first),
            Route("/sign-in", console.sign_in),
            Route("/access", console.access),
            Route("/demo/tokens", console.tokens),
            Route("/graphql", graphql_http.respond, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", graphql_ws.connect),
            Route("/schema.graphql", _sdl),
            *auth.routes(),
            *password_pages.routes(),
            *unsubscribe.routes(),
            *survey_page.routes(),
            *offer_page.routes(),
            *calendars.routes(),
            *review_notifications.routes(),
            *testimonial_page.routes(),
            *showcase.routes(),
            *downloads.routes(),
            *files.routes(),
            *ingest.routes(),
            *alarm_intake.routes(),
            Route("/livez", health.livez),
            Route("/readyz", health.readyz),
            Route("/metrics", health.metrics),
            Mount("/console", StaticFiles(directory=console.console(), check_dir=False)),
        ],
        middleware=[
            Middleware(RequestTelemetry),
            Middleware(
                CORSMiddleware,
                allow_origins=list(allowed),
                allow_methods=["GET", "POST", "PUT"],
                allow_headers=["authorization", "content-type", "last-event-id", "traceparent"],
                expose_headers=["retry-after", "x-trace-id"],
                max_age=600,
            ),
        ],
        lifespan=_lifespan(settings),
    )


async def _sdl(request: Request) -> Response:
    """The schema in words; a secret where introspection is one."""
    state: AppState = request.app.state.waarborg
    if not state.settings.development:
        return Response(status_code=404)
    return Response(sdl(), media_type="text/plain; charset=utf-8")


def _lifespan(
    given: Settings | None,
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        settings = given if given is not None else Settings()
        signing = tokens.load(settings)
        documents = read_manifest(settings.trusted_documents)
        engine = GraphQLExecutor(
            build(suggestions=settings.development), development=settings.development
        )
        async with AsyncExitStack() as ends:
            # Longer than an operation may take: what a cancelled request left behind ends too.
            database = connect(
                settings.database_url, pool_size=POOL_SIZE, statement_timeout=STATEMENT_TIMEOUT_MS
            )
            ends.push_async_callback(database.dispose)
            reads = ReadPool(
                settings.database_url,
                database.dialect,
                size=POOL_SIZE,
                statement_timeout=STATEMENT_TIMEOUT_MS,
            )
            await reads.open()
            ends.push_async_callback(reads.close)
            system = connect(settings.system_database_url, pool_size=5)
            ends.push_async_callback(system.dispose)
            make = sessions(system)
            health_pool = connect(settings.system_database_url, pool_size=1)
            ends.push_async_callback(health_pool.dispose)
            # A stalled connection is noticed, and a restarted Redis is not an error of the next request.
            redis = connect_redis(
                settings.redis_url,
                health_check_interval=15,
                socket_connect_timeout=2,
                retry=Retry(ExponentialBackoff(cap=0.5, base=0.02), 2),
            )
            ends.push_async_callback(redis.aclose)
            oidc = await ends.enter_async_context(Oidc(settings.oidc))
            changes = Changes()
            listening = asyncio.create_task(
                keep_listening(settings.system_database_url, changes), name="changes"
            )
            ends.push_async_callback(end, listening)
            hub = await ends.enter_async_context(Hub(make, redis, changes))
            keep = timedelta(days=settings.retain_positions_days)
            live = await ends.enter_async_context(LivePositions(make, redis, utc_now))
            intake = await ends.enter_async_context(
                PositionIngest(make, utc_now, live.offer, keep=keep)
            )
            await asyncio.to_thread(promises.warm)
            await asyncio.to_thread(remove_left_behind, incoming(settings))
            authenticator = Authenticator(make, signing, utc_now, oidc, settings)
            audience = await ends.enter_async_context(ConnectionRegistry(settings, authenticator))
            gate = Admission(engine, Persisted(documents, redis), Budget(redis, settings))
            vault = await asyncio.to_thread(SecretCipher.of, settings)
            app.state.waarborg = AppState(
                settings=settings,
                engine=engine,
                gate=gate,
                database=database,
                requests=sessions(database, QueuedSession),
                reads=reads,
                sessions=make,
                health_sessions=sessions(health_pool),
                redis=redis,
                hub=hub,
                live=live,
                intake=intake,
                keys=signing,
                authenticator=authenticator,
                login=SignInService(make, signing, redis, settings),
                proxies=Proxies(settings.trusted_proxies),
                cursor_secret=signing.secret("cursor"),
                calendar_links=await asyncio.to_thread(CalendarLinks.of, settings),
                offer_links=await asyncio.to_thread(OfferLinks.of, settings),
                survey_links=await asyncio.to_thread(SurveyLinks.of, settings),
                testimonial_links=await asyncio.to_thread(TestimonialLinks.of, settings),
                throttle=RedisWithFallback(redis),
                audience=audience,
                desk=WebhookDocumentValidator(engine, gate, vault, settings.webhook_loopback),
                revisions=migrate.heads(),
            )
            app.state.health = health.Health(app.state.waarborg)
            ends.push_async_callback(app.state.waarborg.groups.close)
            log.info("api.started", kid=signing.kid)
            app.state.older_verdicts = OlderVerdicts(app.state.waarborg.health_sessions)
            if await app.state.older_verdicts.there():
                log.warning("verdicts.older_evaluator", advice=ADVICE)
            yield
            log.info("api.stopping", listeners=hub.listeners)

    return lifespan


app = application()
