"""Reads of one operation: in the scope of its actor, and with its permits."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.engine import Dialect

from api.execution.fair_queue import OperationPermits
from domain.access import Actor
from domain.access.rls import connection_scope, scope_settings
from domain.core.read_pool import ReadPool, ReadScope


class ScopedReader:
    """A pool of connections, as one actor sees the database."""

    def __init__(self, pool: ReadPool, actor: Actor, permits: OperationPermits) -> None:
        self._pool = pool
        self._actor = actor
        self._permits = permits
        self._scope: ReadScope | None = None

    @property
    def dialect(self) -> Dialect:
        """The dialect that statements are compiled for."""
        return self._pool.dialect

    async def fetch(self, sql: str, arguments: Sequence[Any]) -> list[Any] | None:
        """Return the records of a statement; None when the connection failed, so that another way is taken."""
        if self._scope is None:
            self._scope = ReadScope(connection_scope(self._actor), scope_settings(self._actor))
        async with self._permits.held():
            return await self._pool.fetch(self._scope, sql, arguments)
