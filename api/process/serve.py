"""The API on a socket: uvicorn with bounds on everything a client can hold."""

import asyncio
import gc
import socket
import sys

from api.support.failures import CommandFailure, Exit
from domain.core.settings import Settings

SWITCH_S = 0.001
"""How long a thread keeps the interpreter from the others: documents are validated in threads, and with Python's 5 ms
each step of a request in the event loop waited that long."""
IDLE_S = 75
"""Longer than what stands in front keeps a connection: with uvicorn's 5 s one of 48,000 operations met its closing."""


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket that API processes share; port 0 takes a free one. Raises `Failure` when taken.

    It is bound before anything else starts and outlives a restarted API process: clients that connect in
    between wait in its queue instead of being refused.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sys.platform == "linux":
        # A peer that stops reading never frees its socket otherwise: 0 of 50 without, 20 of 20 within 16 s with it.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 15_000)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        other = port + 1 if port < 65535 else 8000
        raise CommandFailure(
            f"Port {port} on {host} cannot be had ({error.strerror}): "
            f"stop what listens there, or choose another: --port {other}, or make up PORT={other}.",
            Exit.SERVERS,
        ) from None
    return listener


def reachable(host: str) -> str:
    """The address at which this machine meets a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on


def serve(settings: Settings, listener: socket.socket) -> None:
    """Answer on `listener` until SIGTERM: then no new requests, sockets closed with 1012, five seconds for the rest."""
    import uvicorn

    from api.app import app
    from api.live.websocket_transport import Upgrade
    from api.process.http_protocol import Http
    from api.state import AppState

    gc.set_threshold(20_000, 20, 50)
    sys.setswitchinterval(SWITCH_S)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=Http,
        ws=Upgrade,
        lifespan="on",
        log_config=None,
        log_level="debug"
        if settings.log_level == "DEBUG"
        else "warning",  # its news are ours, said twice
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `api.support.client_address` believes the proxies of the settings, and nobody else
        ws_max_size=1 << 20,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=4,  # five stalled sockets hung it for ever
    )

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            # What was imported and built lives as long as the process. Looking through it again and again was half of
            # the CPU of a query for fifty incidents (134 ms, 65 without); garbage of requests is still collected.
            gc.collect()
            gc.freeze()
            gc.enable()  # a child starts without it

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            state: AppState = app.state.waarborg
            state.audience.shut_down()  # uvicorn waits for event streams, which would go on until it lost patience
            await super().shutdown(sockets)

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(Server(config).serve(sockets=[listener]))
