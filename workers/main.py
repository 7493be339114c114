"""The worker process: a queue worker, a candidate relay and the sweepers, until it is told to stop."""

import asyncio
import logging
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog

from domain.core import sequencing
from domain.core.db import Sessions, connect, sessions
from domain.core.settings import Settings
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

CALM_S = 10.0  # a part that ran this long and then fell starts again with the shortest pause
LONGEST_S = 10.0
REDIS_S = 3.0
POOL = 20
"""Connections kept open: for 14 attempts at once and the other parts. One that is opened for a moment costs 50 ms."""
Part = Callable[[], Awaitable[None]]
Voices = Callable[[Settings], AbstractAsyncContextManager[PayloadRenderer | None]]
"""Opens what says facts in GraphQL; without one, webhooks with a document wait for a worker that has it."""


@asynccontextmanager
async def _mute(_settings: Settings) -> AsyncIterator[None]:
    yield None


def run(settings: Settings, voice: Voices = _mute) -> None:
    """Work until SIGTERM or SIGINT; begun jobs are finished first. The addresses in `settings` must be filled in."""
    logging.getLogger("arq").setLevel(logging.WARNING)  # the outbox tells more, once
    asyncio.run(_until_stopped(settings, voice))


async def _until_stopped(settings: Settings, voice: Voices) -> None:
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


async def serve(settings: Settings, *, routes: Routes = ROUTES, voice: Voices = _mute) -> None:
    """All parts of a worker in this event loop, until cancelled. No lost server ends it."""
    async with voice(settings) as speaker:
        await _serve(settings, routes, speaker)


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
        work = WorkContext(make, settings)
        parts: dict[str, Part] = {
            "relay": relay.run,
            "queue": lambda: queue.work(runner),
            "outbox": lambda: drain_outbox(runner),
            "webhooks": lambda: keep_webhooks(make, settings, voice),
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
    """Periodic work as a part of the worker: in its loop, or isolated from it."""

    async def isolated(make: Sessions) -> None:
        await repeat(job, WorkContext(make, work.settings))

    if job.isolated:
        return lambda: in_own_thread(work.settings.system_database_url, isolated)
    return lambda: repeat(job, work)


async def for_ever(name: str, part: Part) -> None:
    """Run a part again whenever it ends, after a pause that doubles up to 10 s while it keeps falling."""
    loop = asyncio.get_running_loop()
    pause = 0.25
    while True:
        began = loop.time()
        try:
            await part()
            error: Exception | None = None
        except Exception as failure:  # noqa: BLE001 - a lost server, or a bug: neither may stop the other parts
            error = failure
        if loop.time() - began > CALM_S:
            pause = 0.25
        errors = [] if error is None else [repr(each) for each in _back_to_the_first(error)]
        log.warning("worker.part_fell", part=name, errors=errors, again_in_s=pause)
        await asyncio.sleep(pause * (0.5 + random.random() / 2))  # noqa: S311 - spreads load, guards nothing
        pause = min(LONGEST_S, pause * 2)


def _back_to_the_first(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came of: the last may be that of tidying up after the one that matters."""
    before: BaseException | None = error
    while before is not None:
        yield before
        cause, context = before.__cause__, before.__context__
        before = cause if cause is not None or before.__suppress_context__ else context


async def _named(make: Sessions) -> str:
    """The ledger's name, from a PostgreSQL that may still be starting."""
    while True:
        try:
            async with make() as session:
                return await sequencing.ledger_name(session)
        except Exception as error:  # noqa: BLE001 - away or starting: wait for it
            log.warning("worker.no_database", error=repr(error))
            await asyncio.sleep(1)
