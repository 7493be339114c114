"""A separate thread and event loop for latency-critical work, isolated from the jobs in the worker's loop."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from domain.core.db import Sessions, connect, sessions


async def in_own_thread(database_url: str, part: Callable[[Sessions], Awaitable[None]]) -> None:
    """Run a part in its own thread on its own connections; return when it has ended, also when cancelled."""
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()

    async def whole() -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a running coroutine belongs to a task
        begun.set_result((asyncio.get_running_loop(), task))
        engine = connect(database_url, pool_size=2)
        try:
            await part(sessions(engine))
        finally:
            await engine.dispose()

    def work() -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(whole())

    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        loop, task = await asyncio.wrap_future(begun)
        with suppress(RuntimeError):  # the thread's loop is closed: the part has ended
            loop.call_soon_threadsafe(task.cancel)
        await asyncio.wait({working})
        raise
