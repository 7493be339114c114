"""A thread and a loop of its own for a part whose time counts: jobs that fill the worker's loop do not hold it up."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from domain.core.db import Sessions, connect, sessions


async def in_own_thread(database_url: str, part: Callable[[Sessions], Awaitable[None]]) -> None:
    """Run a part on connections of its own until it ends or this is cancelled; it is over when this returns."""
    begun: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = Future()

    async def whole() -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine that runs is a task's
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
        with suppress(RuntimeError):  # its loop has closed: it is over already
            loop.call_soon_threadsafe(task.cancel)
        await asyncio.wait({working})
        raise
