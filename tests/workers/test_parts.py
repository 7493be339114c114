"""The parts of a worker: one that falls says why, and starts again."""

import asyncio

from structlog.testing import capture_logs

from realtime.tasks import end
from tests import facts
from workers.main import for_ever


async def test_a_part_that_falls_names_the_error_before_the_one_of_tidying_up() -> None:
    async def part() -> None:
        try:
            raise ValueError("what matters")
        finally:
            raise RuntimeError("while tidying up")

    with capture_logs() as said:
        running = asyncio.create_task(for_ever("clumsy", part))
        await facts.until(lambda: len(said) >= 2)
        await end(running)
    assert {(each["event"], each["part"]) for each in said} == {("worker.part_fell", "clumsy")}
    assert said[0]["errors"] == ["RuntimeError('while tidying up')", "ValueError('what matters')"]
