"""Job queue: arq carries the ids of new outbox rows to an idle worker. Losing the whole queue loses no job.

The id of an arq job is that of its outbox row, and the relay queues a row once, when it is new, so a row has
at most one entry. arq's handling of known ids does no harm here:

- The key `arq:in-progress` of a killed worker blocks its entry for the timeout and 10 s more. The row is claimed from
  PostgreSQL long before (`workers/draining.py`); the remaining entry finds nothing to do.
- Results are not stored, so no id is refused because it has one.
- An entry that expires, or is lost with Redis, is a row that PostgreSQL still has.

The queue is kept short. A row for which it has no room, or that is not started within its lease, is claimed
from PostgreSQL, so the speed of Redis never limits the work.
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
# entries in the queue: a second or two of work, so one company's burst does not delay others
ROOM = 200
TRIES = 1_000  # counted by arq; the real attempts are counted in the outbox
POLL_S = 0.05  # while jobs are in progress: a place becomes free when one of them ends
WAKE_S = 2.0  # longest wait for news of the queue, shorter than `REDIS_S`
REDIS_S = 3.0  # after which an unresponsive Redis counts as away
# a row not taken from here within an hour was claimed from PostgreSQL long before
EXPIRES_MS = 3_600_000

# instead of arq's pickle: data read from Redis must never be executed
_encode = msgspec.msgpack.Encoder(enc_hook=repr).encode
_decode = msgspec.msgpack.Decoder().decode


async def consequence(ctx: dict[str, Any], outbox_id: str) -> None:
    """Make the first attempt of one outbox row; the only arq function."""
    await ctx["runner"].run_new(UUID(outbox_id))


class _WokenWorker(Worker):
    """An arq worker that waits for news of the queue while it is idle, where arq itself would poll."""

    _news_id = "0-0"

    async def _poll_iteration(self) -> None:
        if not self.tasks:
            # news since the last read comes at once, so none is missed between a look and the wait
            news = await self.pool.xread(
                {_news_of(self.queue_name): self._news_id}, block=int(WAKE_S * 1000)
            )
            for _stream, entries in news:
                self._news_id = entries[-1][0]
        await super()._poll_iteration()


def _news_of(queue_name: str) -> str:
    """Return the key of the stream whose one entry says that something was queued."""
    return f"{queue_name}:news"


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
        """Close the connections."""
        await self._redis.aclose(close_connection_pool=True)

    async def put(self, outbox_ids: Sequence[UUID]) -> Sequence[UUID]:
        """Queue ids while there is room; return those that did not fit. Raises redis-py's errors."""
        if not outbox_ids:
            return ()
        async with asyncio.timeout(REDIS_S):
            room = max(0, ROOM - await self._redis.zcard(self._name))
            taken = outbox_ids[:room]
            if taken:
                await self._add(taken)
        return outbox_ids[room:]

    async def _add(self, outbox_ids: Sequence[UUID]) -> None:
        """Queue ids in one round trip; an id that is queued already keeps its position."""
        now_ms = timestamp_ms()
        pipe = self._redis.pipeline(transaction=True)
        for outbox_id in outbox_ids:
            job_id = str(outbox_id)
            job = serialize_job("consequence", (job_id,), {}, None, now_ms, serializer=_encode)
            pipe.psetex(job_key_prefix + job_id, EXPIRES_MS, job)
            pipe.zadd(self._name, {job_id: now_ms}, nx=True)
        pipe.xadd(_news_of(self._name), {"queued": len(outbox_ids)}, maxlen=1, approximate=False)
        await pipe.execute()

    async def work(self, runner: Runner) -> None:
        """Execute queued jobs until cancelled or until Redis is lost; jobs in progress are finished first."""
        redis = self._connect()
        worker = _WokenWorker(
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
    """Raise `ConnectionError` for a node of a Redis Cluster, where arq's commands would fail one by one."""
    try:
        mode = (await redis.info("server")).get("redis_mode")
    except ResponseError:  # a managed server that does not answer INFO
        return
    if mode == "cluster":
        raise ConnectionError(
            "the job queue's Redis is a node of a Cluster: see WAARBORG_JOBS_REDIS_URL"
        )


async def _finish(worker: Worker) -> None:
    """Wait for the jobs in progress, which arq itself would cancel."""
    begun = list(worker.tasks.values())
    await done_within(begun, LIMIT_S)
    await end(*begun)
