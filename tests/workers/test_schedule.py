"""Periodic work: one table and one loop."""

import ast
import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from domain.core.db import Sessions
from domain.core.settings import Settings
from workers.periodic import Periodic, WorkContext, repeat
from workers.schedule import schedule

pytestmark = pytest.mark.anyio

LOOPS = {"main", "periodic", "draining", "queue", "relay", "webhooks"}
"""Modules with loops of their own: they wait for notifications, or hold several attempts at once."""
PAGES = {"check_in_notices", "reports", "surveys"}
"""Modules that read page by page."""


async def test_a_step_follows_a_full_one_at_once_and_a_rest_follows_the_others(
    make: Sessions, settings: Settings
) -> None:
    found = [3, 3, 1, 3]
    rested = asyncio.Event()
    seen: list[int] = []

    async def step(work: WorkContext, limit: int) -> int:
        assert work.make is make
        assert limit == 3
        if not found:
            return 0
        seen.append(found.pop(0))
        if seen == [3, 3, 1]:
            rested.set()
        return seen[-1]

    job = Periodic("test", 3600, step, batch=3)
    running = asyncio.create_task(repeat(job, WorkContext(make, settings)))
    await asyncio.wait_for(rested.wait(), 10)
    for _ in range(10):
        await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    assert seen == [3, 3, 1]


async def test_a_part_of_half_time_rests_after_a_full_batch_as_long_as_it_worked(
    make: Sessions, settings: Settings
) -> None:
    clock = asyncio.get_running_loop().time
    times: list[tuple[float, float]] = []
    ended = asyncio.Event()

    async def step(_work: WorkContext, limit: int) -> int:
        began = clock()
        await asyncio.sleep(0.1)
        times.append((began, clock()))
        if len(times) < 4:
            return limit
        ended.set()
        return 0

    job = Periodic("test", 3600, step, batch=3, half_time=True)
    running = asyncio.create_task(repeat(job, WorkContext(make, settings)))
    await asyncio.wait_for(ended.wait(), 30)
    running.cancel()
    await asyncio.wait({running})
    for (began, done), (again, _) in pairwise(times):
        assert again - done >= 0.99 * (done - began)


def test_parts_have_names_of_their_own_and_come_no_more_often_than_five_times_a_second() -> None:
    table = schedule()
    assert len({each.name for each in table}) == len(table)
    assert min(each.every_s for each in table) >= 0.2


def test_a_part_says_what_wakes_it_or_why_it_polls() -> None:
    for part in schedule():
        assert bool(part.wakes) != bool(part.polls), part.name
        assert part.every_s >= (1 if part.polls else 0), part.name
        assert not part.wakes or part.every_s < part.backstop_s <= 60, part.name


def test_nobody_else_loops() -> None:
    home = Path(__file__).parents[2] / "workers"
    looping = {
        path.stem
        for path in home.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.While)
        and isinstance(node.test, ast.Constant)
        and node.test.value is True
    }
    assert looping <= LOOPS | PAGES, sorted(looping - LOOPS - PAGES)
