"""The worker process: queue worker, relay candidate, draining, webhooks and periodic work, until SIGTERM or SIGINT."""

import asyncio
import logging
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace

import structlog

from domain.core import sequencing
from domain.core.db import Sessions, connect, sessions
from domain.core.settings import Settings
from realtime.changes import Changes, listen
from realtime.redis import connect as connect_redis
from realtime.tasks import end, first_completed
from workers.draining import drain_outbox
from workers.jobs import Runner
from workers.outbound.channels import senders_of
from workers.periodic import Periodic, WorkContext, repeat
from workers.queue import Queue
from workers.relay import Relay
from workers.routes import ROUTES, Routes, jobs
from workers.schedule import schedule
from workers.thread_loop import in_own_thread
from workers.webhooks import PayloadRenderer, keep_webhooks

log = structlog.get_logger()

CALM_S = 10.0  # a part that ran this long before it failed restarts with the shortest pause
LONGEST_S = 10.0
REDIS_S = 3.0
POOL = 20
"""Connections kept open: 14 concurrent attempts and the other parts. Opening one when needed costs 50 ms."""
Part = Callable[[], Awaitable[None]]
RendererFactory = Callable[[Settings], AbstractAsyncContextManager[PayloadRenderer | None]]
"""Opens the renderer of webhook payloads; without one, webhooks with a document wait for a worker that has it."""


@asynccontextmanager
async def _no_renderer(_settings: Settings) -> AsyncIterator[None]:
    yield None


def run(settings: Settings, voice: RendererFactory = _no_renderer) -> None:
    """Run until SIGTERM or SIGINT and finish jobs in progress. The addresses in `settings` must be filled in."""
    # the outbox logs the same failures once, with more detail
    logging.getLogger("arq").setLevel(logging.WARNING)
    asyncio.run(_until_stopped(settings, voice))


async def _until_stopped(settings: Settings, voice: RendererFactory) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    work = asyncio.create_task(serve(settings, voice=voice))
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
    await end(work, waiting)
    if not work.cancelled() and (error := work.exception()) is not None:
        raise error
    log.info("worker.stopped")


async def serve(
    settings: Settings, *, routes: Routes = ROUTES, voice: RendererFactory = _no_renderer
) -> None:
    """Run all parts of a worker in this event loop until cancelled; the loss of a server does not end it."""
    async with voice(settings) as renderer:
        await _serve(settings, routes, renderer)


async def _serve(settings: Settings, routes: Routes, voice: PayloadRenderer | None) -> None:
    engine = connect(settings.system_database_url, pool_size=POOL)
    make = sessions(engine)
    redis = connect_redis(
        settings.redis_url,
        socket_timeout=REDIS_S,
        socket_connect_timeout=REDIS_S,
        health_check_interval=15,
    )
    try:
        ledger = await _named(make)
        queue = Queue(settings.jobs_redis_url or settings.redis_url, ledger)
        runner = Runner(
            make,
            jobs(routes),
            senders_of(settings),
            attempts=settings.job_attempts,
        )
        relay = Relay(
            settings.system_database_url,
            make,
            redis,
            queue,
            ledger,
            routes=routes,
            noted_in=settings.data / "ledger.json",
        )
        changes = Changes()
        work = WorkContext(make, settings, changes)
        parts: dict[str, Part] = {
            "changes": lambda: listen(settings.system_database_url, changes),
            "relay": relay.run,
            "queue": lambda: queue.work(runner),
            "outbox": lambda: drain_outbox(runner, work),
            "webhooks": lambda: keep_webhooks(work, voice),
            **{job.name: _part(job, work) for job in schedule()},
        }
        log.info("worker.started", parts=list(parts), routes=len(routes))
        try:
            await first_completed(
                *(asyncio.create_task(for_ever(*part), name=part[0]) for part in parts.items())
            )
        finally:
            await queue.close()
    finally:
        await redis.aclose()
        await engine.dispose()


def _part(job: Periodic, work: WorkContext) -> Part:
    """Return periodic work as a part of the worker, in its event loop or in a thread of its own."""

    async def isolated(make: Sessions) -> None:
        await repeat(job, replace(work, make=make))

    if job.isolated:
        return lambda: in_own_thread(work.settings.system_database_url, isolated)
    return lambda: repeat(job, work)


async def for_ever(name: str, part: Part) -> None:
    """Restart a part whenever it ends, after a pause that doubles up to 10 s while the part keeps failing."""
    loop = asyncio.get_running_loop()
    pause = 0.25
    while True:
        began = loop.time()
        try:
            await part()
            error: Exception | None = None
        except Exception as failure:  # noqa: BLE001 - a lost server or a bug must not stop the other parts
            error = failure
        if loop.time() - began > CALM_S:
            pause = 0.25
        errors = [] if error is None else [repr(each) for each in _back_to_the_first(error)]
        log.warning("worker.part_fell", part=name, errors=errors, again_in_s=pause)
        await asyncio.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311 - spreads load, not a secret
        pause = min(LONGEST_S, pause * 2)


def _back_to_the_first(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes: the last error may come from cleaning up after the one that matters."""
    before: BaseException | None = error
    while before is not None:
        yield before
        cause, context = before.__cause__, before.__context__
        before = cause if cause is not None or before.__suppress_context__ else context


async def _named(make: Sessions) -> str:
    """Read the ledger's name, waiting for a PostgreSQL that is still starting."""
    while True:
        try:
            async with make() as session:
                return await sequencing.ledger_name(session)
        except Exception as error:  # noqa: BLE001 - PostgreSQL is away or starting: wait for it
            log.warning("worker.no_database", error=repr(error))
            await asyncio.sleep(1)
