"""A whole worker in the test's own loop, on this run's PostgreSQL and Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from domain.core.settings import Settings
from workers.main import serve
from workers.routes import ROUTES, Routes

Working = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
def settings(system_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Real servers; letters are laid down in a folder."""
    return Settings(database_url=system_url, redis_url=redis_url, data=tmp_path)


@pytest.fixture
def working(settings: Settings) -> Working:
    """A whole worker, at work for the length of a block."""

    @asynccontextmanager
    async def work(routes: Routes = ROUTES, **changes: object) -> AsyncIterator[None]:
        task = asyncio.create_task(serve(settings.model_copy(update=changes), routes=routes))
        try:
            yield
        finally:
            task.cancel()  # once: a worker that does not stop is a failure
            _, lingering = await asyncio.wait({task}, timeout=45)
            assert not lingering, "the worker does not stop"

    return work
