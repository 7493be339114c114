"""Ending and waiting for tasks. A library can lose a cancellation: redis-py under arq swallowed 1 of about 40."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any

AGAIN_S = 0.5


async def end(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks until they are done. If the caller is cancelled meanwhile, raise that afterwards."""
    cancelled = False
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        try:
            await asyncio.wait(left, timeout=AGAIN_S)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


async def wait_at_most(event: asyncio.Event, seconds: float) -> None:
    """Wait for an event, at most so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()


async def done_within(tasks: Collection[asyncio.Task[Any]], seconds: float) -> None:
    """Wait for tasks to end by themselves, for so long; cancelling the caller does not shorten the wait."""
    until = asyncio.get_running_loop().time() + seconds
    while left := [task for task in tasks if not task.done()]:
        patience = until - asyncio.get_running_loop().time()
        if patience <= 0:
            return
        with suppress(asyncio.CancelledError):
            await asyncio.wait(left, timeout=patience)


async def first_completed(*tasks: asyncio.Task[Any]) -> None:
    """Run tasks until one of them ends, end the others, and raise the first one's error."""
    try:
        completed, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await end(*tasks)
    for task in completed:
        task.result()
