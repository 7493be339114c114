"""An API of one's own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api import asking
from tests.api.asking import Api, Office, Server


@pytest.fixture
async def api(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The application in this process."""
    async with asking.running(asking.settings(database_url, redis_url, tmp_path)) as running:
        yield running


@pytest.fixture
async def office(api: Api) -> Office:
    """A new company with one client, and tokens."""
    return await asking.office(api)


@pytest.fixture
async def server(database_url: str, redis_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    """The application under uvicorn."""
    async with asking.serving(asking.settings(database_url, redis_url, tmp_path)) as serving:
        yield serving
