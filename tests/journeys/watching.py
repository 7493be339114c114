"""Worker processes that a journey may kill, and a client that watches over a socket and comes back when it is cut."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

from websockets.exceptions import ConnectionClosed

from domain.core.settings import Settings
from realtime.tasks import end
from tests.api.asking import Server

WORKER = "from domain.core.settings import Settings; from workers.main import run; run(Settings())"
ALONE, CHILD = ("-c", WORKER), ("-m", "api.process.child", "worker")
"""A worker that knows no GraphQL, and one as `waarborg up` starts it."""
HOME = Path(__file__).parents[2]


@dataclass
class Workers:
    """Worker processes of one journey."""

    settings: Settings
    command: Sequence[str] = ALONE
    running: list[Popen[bytes]] = field(default_factory=list)

    def start(self) -> Popen[bytes]:
        """One more worker process."""
        told = {
            f"WAARBORG_{name.upper()}": str(getattr(self.settings, name))
            for name in (
                "database_url",
                "system_database_url",
                "redis_url",
                "data",
                "smtp_host",
                "smtp_port",
                "sentiment",
            )
        }
        process = Popen(
            [sys.executable, *self.command],
            cwd=HOME,
            env=os.environ | told,
            stdin=PIPE,  # a child ends when it closes
        )
        self.running.append(process)
        return process

    def kill(self) -> None:
        """End all of them without a word, as the kernel does when memory runs out."""
        for process in self.running:
            process.kill()
            process.communicate()
        self.running.clear()


EVENTS = """
subscription ($account: ID!, $after: String) {
  accountEvents(accountId: $account, after: $after) { kind cursor gap incident { id status } credit { amountCents } }
}
"""


@dataclass
class Watcher:
    """A client that keeps the cursor of the last event it has, and nothing else, over its reconnects."""

    server: Server
    token: str
    account: str
    cursor: str
    heard: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0
    _cut: asyncio.Event = field(default_factory=asyncio.Event)

    def cut(self) -> None:
        """Drop the connection, without a closing handshake."""
        self._cut.set()

    def kinds(self) -> list[str]:
        """What has been heard, in order."""
        return [event["kind"] for event in self.heard]

    async def run(self) -> None:
        """Listen, and come back with the cursor whenever the connection is gone."""
        while True:
            with suppress(ConnectionClosed, OSError):
                await self._connect()

    async def _connect(self) -> None:
        async with self.server.socket(self.token) as socket:
            self.connections += 1
            await socket.subscribe("1", EVENTS, account=self.account, after=self.cursor)
            self._cut.clear()
            cut = asyncio.create_task(self._cut.wait())
            listening = asyncio.create_task(self._listen(socket.connection.recv))
            try:
                await asyncio.wait({cut, listening}, return_when=asyncio.FIRST_COMPLETED)
                if not listening.done():
                    socket.connection.transport.abort()
            finally:
                for task in (cut, listening):
                    task.cancel()
                await asyncio.gather(cut, listening, return_exceptions=True)

    async def _listen(self, receive: Callable[[], Any]) -> None:
        while True:
            message = json.loads(await receive())
            assert message["type"] == "next", message
            event = message["payload"]["data"]["accountEvents"]
            assert event["gap"] is None
            self.heard.append(event)
            self.cursor = event["cursor"]


@asynccontextmanager
async def watching(
    server: Server, token: str, *, account: str, cursor: str
) -> AsyncIterator[Watcher]:
    """A client watches one account for the length of a block."""
    watcher = Watcher(server, token, account, cursor)
    task = asyncio.create_task(watcher.run())
    try:
        yield watcher
    finally:
        await end(task)
