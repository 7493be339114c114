"""A partner's web server: it keeps what it is sent and answers as the test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from standardwebhooks.webhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

Answer = Callable[["Letter"], Awaitable[Response] | Response]


@dataclass(frozen=True)
class Letter:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """What a repeat is known by."""
        return self.headers["webhook-id"]

    @property
    def told(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    def verified(self, secret: str) -> Any:
        """The body, after the public library has found the signature good."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """What came, and how the next request is answered."""

    port: int = 0
    letters: list[Letter] = field(default_factory=list)
    answer: Answer = field(default=lambda _letter: Response(status_code=204))

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/hooks"

    async def take(self, request: Request) -> Response:
        """Keep a request, and answer it."""
        letter = Letter(request.url.path, dict(request.headers), await request.body())
        self.letters.append(letter)
        answer = self.answer(letter)
        return answer if isinstance(answer, Response) else await answer

    async def has(self, letters: int, *, within_s: float = 60) -> None:
        """Wait until so many letters came."""
        async with asyncio.timeout(within_s):
            while len(self.letters) < letters:  # noqa: ASYNC110 - a server's tasks bring them
                await asyncio.sleep(0.02)


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A web server on a free port, for the length of a block."""
    partner = Receiver()
    app = Starlette(routes=[Route("/{path:path}", partner.take, methods=["POST"])])
    config = uvicorn.Config(
        app, port=0, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
        assert not serving.done(), "the receiver did not start"
    partner.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield partner
    finally:
        server.should_exit = True
        await serving
