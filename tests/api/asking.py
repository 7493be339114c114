"""Ask the API as clients do: in this process over ASGI, or over TCP from a server of one's own."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import count
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx2
import uvicorn
from sqlalchemy import event, make_url
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect

from api.app import application
from api.live.websocket_transport import Upgrade
from api.process.http_protocol import Http
from api.state import AppState
from domain import accounts
from domain.access import Actor, Role, Tx
from domain.core.db import Sessions, transaction
from domain.core.settings import Settings
from schema.core import ids
from tests import build
from tests.build import World


def settings(database_url: str, redis_url: str, data: Path, **more: Any) -> Settings:
    """Settings of an API of one's own, on this worker's servers."""
    system = make_url(database_url).set(username="waarborg_system")
    more = {"system_database_url": system.render_as_string(hide_password=False)} | more
    more.setdefault("development", True)
    return Settings(database_url=database_url, redis_url=redis_url, data=data, **more)


@dataclass
class Api:
    """The API in this process, and a way to ask it."""

    app: Starlette
    http: httpx2.AsyncClient
    address: str = "127.0.0.1"  # as which `http` asks

    @property
    def state(self) -> AppState:
        """What the process holds."""
        state: AppState = self.app.state.waarborg
        return state

    @property
    def make(self) -> Sessions:
        """Sessions on its database."""
        return self.state.sessions

    def token(self, user_id: UUID, **more: Any) -> str:
        """A token of a user."""
        return self.state.keys.issue(user_id, at=self.state.now(), **more)

    async def ask(self, token: str | None, query: str, /, **variables: Any) -> dict[str, Any]:
        """The whole answer to a query."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        body = {"query": query, "variables": variables}
        response = await self.http.post("/graphql", json=body, headers=headers)
        answer: dict[str, Any] = response.json()
        return answer

    async def data(self, token: str, query: str, /, **variables: Any) -> Any:
        """The data of an answer that must have no errors."""
        answer = await self.ask(token, query, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]


@dataclass(frozen=True)
class Office:
    """A client under agreement, with tokens for those who work with it."""

    world: World
    manager: str
    dispatcher: str
    client: str

    @property
    def account(self) -> str:
        """The account's global id."""
        return ids.write("Account", self.world.account.id)

    @property
    def site(self) -> str:
        """The site's global id."""
        return ids.write("Site", self.world.site.id)

    @property
    def calendar(self) -> str:
        """The calendar version's global id."""
        return ids.write("CalendarVersion", self.world.calendar.id)


async def office(api: Api, **client: Any) -> Office:
    """A new company with one client, a manager, a dispatcher and the client's own user."""
    world = await build.client(api.make, **client)
    system = Actor.system(world.tenant.id, "test")
    async with transaction(api.make) as session:
        manager, dispatcher = [
            await accounts.add_user(
                Tx(session, system, build.T0), email=f"{role}@example.org", name=role, role=role
            )
            for role in (Role.MANAGEMENT, Role.DISPATCHER)
        ]
    return Office(
        world,
        manager=api.token(manager.id),
        dispatcher=api.token(dispatcher.id),
        client=api.token(world.client_user.id),
    )


_CLIENTS = count(1)


@asynccontextmanager
async def running(configured: Settings, *, address: str | None = None) -> AsyncIterator[Api]:
    """The application with its connections, asked in process, by default from a loopback address of its own.

    Attempts are counted by address in a Redis that all tests of a process share.
    """
    address = address or str(ip_address("127.1.0.0") + next(_CLIENTS))
    app = application(configured)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False, client=(address, 4711))
    async with (
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=transport, base_url="http://waarborg.test") as http,
    ):
        yield Api(app, http, address)


class SelectCounter:
    """Counts the SELECTs that an application runs."""

    def __init__(self, api: Api) -> None:
        self._engine = api.state.database.sync_engine
        self._reads = api.state.reads
        self.statements: list[str] = []

    def __enter__(self) -> Self:
        event.listen(self._engine, "before_cursor_execute", self._saw)
        self._reads.listeners.append(self.statements.append)
        return self

    def __exit__(self, *_exc: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._saw)
        self._reads.listeners.remove(self.statements.append)

    def _saw(self, _conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().startswith(("SELECT", "WITH")):
            self.statements.append(statement)


class Socket:
    """A graphql-transport-ws client that shows every frame."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **message: Any) -> None:
        """Send a message of the protocol."""
        await self.connection.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        """The next message, which must be a text frame and come within a minute."""
        async with asyncio.timeout(60):
            frame = await self.connection.recv()
        assert isinstance(frame, str), "browsers' graphql-ws takes text frames only"
        message: dict[str, Any] = json.loads(frame)
        return message

    async def init(self, token: str) -> None:
        """Introduce oneself."""
        await self.say(type="connection_init", payload={"Authorization": f"Bearer {token}"})
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, key: str, query: str, /, **variables: Any) -> None:
        """Start an operation."""
        await self.say(type="subscribe", id=key, payload={"query": query, "variables": variables})

    async def next(self) -> Any:
        """The data of the next event, which must have no errors."""
        message = await self.hear()
        assert message["type"] == "next", message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def closed(self) -> tuple[int | None, str | None]:
        """Wait for the end; its code and reason."""
        async with asyncio.timeout(60):
            await self.connection.wait_closed()
        return self.connection.close_code, self.connection.close_reason


@dataclass
class Server:
    """An API served by uvicorn on a free port of this machine."""

    api: Api
    port: int
    uvicorn: uvicorn.Server

    @asynccontextmanager
    async def socket(self, token: str | None = None, **options: Any) -> AsyncIterator[Socket]:
        """A socket, already introduced when a token is given."""
        options = {"subprotocols": ["graphql-transport-ws"]} | options
        async with connect(f"ws://127.0.0.1:{self.port}/graphql", **options) as connection:
            socket = Socket(connection)
            if token is not None:
                await socket.init(token)
            yield socket


@asynccontextmanager
async def serving(configured: Settings, *, port: int = 0) -> AsyncIterator[Server]:
    """The application under uvicorn, as in production but for the port: any free one, or this one."""
    app = application(configured)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            port=port,
            http=Http,
            ws=Upgrade,
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=2,
        )
    )
    serving_task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
        assert not serving_task.done(), "the server did not start"
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        try:
            yield Server(Api(app, http), port, server)
        finally:
            server.should_exit = True
            await serving_task
