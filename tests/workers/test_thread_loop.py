"""A part in a thread of its own: not held up by the worker's loop, and over when it is told."""

import asyncio
import time

import pytest
from sqlalchemy import text

from domain.core.db import Sessions
from workers.thread_loop import in_own_thread

pytestmark = pytest.mark.anyio


async def test_a_busy_loop_does_not_hold_it_up_and_cancelling_ends_it(system_url: str) -> None:
    looked: list[float] = []
    ended: list[bool] = []

    async def look(make: Sessions) -> None:
        try:
            while True:
                async with make() as session:
                    await session.execute(text("SELECT 1"))
                looked.append(time.monotonic())
                await asyncio.sleep(0.01)
        finally:
            ended.append(True)

    part = asyncio.create_task(in_own_thread(system_url, look))
    async with asyncio.timeout(60):
        while not looked:  # noqa: ASYNC110 - another thread's list
            await asyncio.sleep(0.01)
    began = time.monotonic()
    time.sleep(1.0)  # noqa: ASYNC251 - the loop is busy, which is the point
    assert sum(began < at < began + 1.0 for at in looked) > 3
    part.cancel()
    with pytest.raises(asyncio.CancelledError):
        await part
    assert ended == [True]


async def test_what_befalls_it_is_told_to_who_runs_it(system_url: str) -> None:
    async def fall(_make: Sessions) -> None:
        raise ValueError("fell")

    with pytest.raises(ValueError, match="fell"):
        await in_own_thread(system_url, fall)
