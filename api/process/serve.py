"""The API server: uvicorn with limits on the resources that a client can hold."""

import asyncio
import gc
import socket
import sys

import uvicorn

from api.support.failures import CommandFailure, Exit
from domain.core.settings import Settings

SWITCH_S = 0.001
"""Switch interval of the interpreter: documents are validated in threads, and with Python's default of 5 ms each step
of a request in the event loop waited that long."""
IDLE_S = 75
"""Longer than reverse proxies keep idle connections: with uvicorn's 5 s, one of 48,000 operations hit a closing one."""


def listen(host: str, port: int) -> socket.socket:
    """Open a listening TCP socket for all API processes; port 0 selects a free one. Raises `CommandFailure`.

    The socket is bound before anything else starts and stays open when an API process restarts: clients that connect
    in the meantime wait in its queue instead of being refused.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if sys.platform == "linux":
        # Frees sockets of peers that stop reading: 20 of 20 within 16 s, against 0 of 50 without it.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 15_000)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        other = port + 1 if port < 65535 else 8000
        raise CommandFailure(
            f"Cannot listen on port {port} of {host} ({error.strerror}): stop the process that uses it, "
            f"or choose another port: --port {other}, or make up PORT={other}.",
            Exit.SERVERS,
        ) from None
    return listener


def reachable(host: str) -> str:
    """Return the address at which this machine reaches a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on


def serve(settings: Settings, listener: socket.socket) -> None:
    """Serve on `listener` until SIGTERM; then close sockets with 1012 and finish requests for up to five seconds."""
    from api.app import app
    from api.live.websocket_transport import Upgrade
    from api.process.http_protocol import Http
    from api.state import AppState

    # Imported objects live as long as the process. Scanning them again and again took half of the CPU time of a query
    # for fifty incidents (134 ms, 65 ms without); garbage of requests is still collected.
    gc.collect()
    gc.freeze()
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
        else "warning",  # its messages repeat our own
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `api.support.client_address` evaluates them, for trusted proxies only
        ws_max_size=1 << 20,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=4,  # without it, five stalled sockets blocked the shutdown for ever
    )

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            state: AppState = app.state.waarborg
            state.audience.shut_down()  # otherwise uvicorn waits for event streams until its timeout
            await super().shutdown(sockets)

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(Server(config).serve(sockets=[listener]))
