"""Intake without a database: said in the log, and told to whoever reports, for as long as it lasts."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from domain.core.db import connect, sessions
from domain.positions import LivePosition
from realtime.position_ingest import WRITERS, PositionIngest


def _tell(_moved: Sequence[LivePosition]) -> None:
    raise AssertionError("nobody moved")


async def test_intake_begins_without_a_database_and_says_so() -> None:
    engine = connect("postgresql://nobody@127.0.0.1:1/nowhere")
    with capture_logs() as said:
        async with PositionIngest(
            sessions(engine), lambda: datetime.now(UTC), _tell, keep=timedelta(days=1)
        ) as intake:
            async with asyncio.timeout(60):
                while len(said) < WRITERS:  # noqa: ASYNC110 - a log has no event
                    await asyncio.sleep(0.01)
            with pytest.raises((OSError, DBAPIError)):
                await intake.take(uuid4(), [], source=0)
    await engine.dispose()
    assert [each["event"] for each in said] == ["intake.no_days"] * WRITERS
    assert all("Connect" in each["error"] for each in said)
