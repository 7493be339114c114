"""The queue: arq carries the ids of new outbox rows to whichever worker is free. It may lose them all.

The id of an arq job is that of its outbox row, and the relay queues a row once, when it is new: so there is one entry a
row at most. What arq does with ids that it has seen does no harm here:

- The key `arq:in-progress` of a killed worker keeps others from its entry for the timeout and 10 s more. The row is
  claimed from PostgreSQL long before (`workers/draining.py`); the entry that is left finds nothing to do.
- Results are not kept, so that no id is refused for having one.
- An entry that expires, or is lost with Redis, is a row that PostgreSQL still has.

The queue is kept short. A row that finds no room, or is not begun within its lease, is claimed from PostgreSQL too, so
the pace of Redis is never the pace of the work.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import msgspec
import structlog
from arq.connections import ArqRedis
from arq.constants import job_key_prefix
from arq.jobs import serialize_job
from arq.utils import timestamp_ms
from arq.worker import Worker, func
from redis.exceptions import ResponseError

from realtime.redis import pool
from realtime.tasks import done_within, end
from workers.jobs import LIMIT_S, Runner

log = structlog.get_logger()

JOBS_AT_ONCE = 6
ROOM = 200  # entries in the queue: a second or two of work, so that one company's burst delays no other's
TRIES = 1_000  # by arq's count; attempts are counted in the outbox
POLL_S = 0.05  # arq's own 0.5 s would be most of the time between a breach and its credit
REDIS_S = 3.0  # after which a silent Redis counts as away
EXPIRES_MS = (
    3_600_000  # a row that nobody took from here in an hour was claimed from PostgreSQL long before
)

_encode = msgspec.msgpack.Encoder(
    enc_hook=repr
).encode  # not arq's pickle: what is read from Redis is never code
_decode = msgspec.msgpack.Decoder().decode


async def consequence(ctx: dict[str, Any], outbox_id: str) -> None:
    """The one arq function: make the first attempt of one outbox row."""
    await ctx["runner"].run_new(UUID(outbox_id))


class Queue:
    """The arq queue of one ledger on one Redis."""

    def __init__(self, url: str, ledger: str) -> None:
        self._name = f"waarborg:{ledger}:jobs"
        self._url = url
        self._redis = self._connect()

    def _connect(self) -> ArqRedis:
        return ArqRedis(
            pool(
                self._url,
                socket_timeout=REDIS_S,
                socket_connect_timeout=REDIS_S,
                health_check_interval=15,
            ),
            job_serializer=_encode,
            job_deserializer=_decode,
            default_queue_name=self._name,
        )

    async def close(self) -> None:
        """Let the connections go."""
        await self._redis.aclose(close_connection_pool=True)

    async def put(self, outbox_ids: Sequence[UUID]) -> Sequence[UUID]:
        """Queue ids as far as there is room; return those that found none. Raises redis-py's errors."""
        if not outbox_ids:
            return ()
        async with asyncio.timeout(REDIS_S):
            room = max(0, ROOM - await self._redis.zcard(self._name))
            taken = outbox_ids[:room]
            if taken:
                await self._add(taken)
        return outbox_ids[room:]

    async def _add(self, outbox_ids: Sequence[UUID]) -> None:
        """Queue ids in one round trip; an id that is queued already keeps its place."""
        now_ms = timestamp_ms()
        pipe = self._redis.pipeline(transaction=True)
        for outbox_id in outbox_ids:
            job_id = str(outbox_id)
            job = serialize_job("consequence", (job_id,), {}, None, now_ms, serializer=_encode)
            pipe.psetex(job_key_prefix + job_id, EXPIRES_MS, job)
            pipe.zadd(self._name, {job_id: now_ms}, nx=True)
        await pipe.execute()

    async def work(self, runner: Runner) -> None:
        """Execute what comes until cancelled, or until Redis goes away; what was begun is finished first."""
        redis = self._connect()
        worker = Worker(
            functions=[func(consequence, name="consequence")],
            queue_name=self._name,
            redis_pool=redis,
            handle_signals=False,
            job_timeout=LIMIT_S + 10,
            keep_result=0,
            max_tries=TRIES,
            max_jobs=JOBS_AT_ONCE,
            poll_delay=POLL_S,
            ctx={"runner": runner},
            job_serializer=_encode,
            job_deserializer=_decode,
        )
        async with AsyncExitStack() as ends:
            ends.push_async_callback(redis.aclose, close_connection_pool=True)
            await _refuse_cluster(redis)
            ends.push_async_callback(_finish, worker)
            running = asyncio.create_task(worker.async_run(), name="arq")
            ends.push_async_callback(end, running)
            await asyncio.wait({running})
            running.result()


async def _refuse_cluster(redis: ArqRedis) -> None:
    """Raise `ConnectionError` for a node of a Redis Cluster: each of arq's commands would fail there, one by one."""
    try:
        mode = (await redis.info("server")).get("redis_mode")
    except ResponseError:  # a managed server that does not tell
        return
    if mode == "cluster":
        raise ConnectionError(
            "the job queue's Redis is a node of a Cluster: see WAARBORG_JOBS_REDIS_URL"
        )


async def _finish(worker: Worker) -> None:
    """Let begun jobs come to their end; arq itself would cancel them."""
    begun = list(worker.tasks.values())
    await done_within(begun, LIMIT_S)
    await end(*begun)
