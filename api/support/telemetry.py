"""Telemetry of the API: JSON logs with a trace id, and Prometheus metrics with fixed label sets."""

import os
import re
import secrets
import time
from pathlib import Path
from typing import Any

import msgspec
import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.values import ValueClass
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.core.db import is_unstorable

OPERATIONS = Counter(
    "waarborg_graphql_operations", "GraphQL operations answered.", ["type", "outcome"]
)
PLANS = Counter(
    "waarborg_graphql_executions",
    "Executions of queries and mutations, by a compiled plan or by graphql-core.",
    ["by"],
)
SECONDS = Histogram(
    "waarborg_graphql_seconds",
    "Time to answer a GraphQL operation over HTTP.",
    ["type"],
    buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30),
)
SOCKETS = Gauge("waarborg_sockets", "Open sockets.", multiprocess_mode="livesum")
STREAMS = Gauge("waarborg_event_streams", "Open event streams (SSE).", multiprocess_mode="livesum")
SUBSCRIPTIONS = Gauge(
    "waarborg_subscriptions", "Running subscriptions.", multiprocess_mode="livesum"
)
GROUPS = Gauge(
    "waarborg_subscription_groups",
    "Executions that subscriptions share.",
    multiprocess_mode="livesum",
)
EXECUTIONS = Counter("waarborg_subscription_executions", "Events executed for subscriptions.")
EVENTS = Counter("waarborg_subscription_events", "Events sent to subscribers.")
LET_GO = Counter(
    "waarborg_subscriptions_too_slow", "Subscriptions ended because they were too slow."
)
CLOSED = Counter("waarborg_sockets_closed", "Sockets that the server closed.", ["code"])

_TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")
_QUIET = {"/livez", "/readyz", "/metrics"}

log = structlog.get_logger()


def exposition(extra: CollectorRegistry) -> bytes:
    """All metrics of the installation's API processes, and `extra` ones that are asked for now.

    Several processes share the port: with PROMETHEUS_MULTIPROC_DIR set, any of them answers for all.
    """
    if getattr(ValueClass, "_multiprocess", False):
        registry = CollectorRegistry()
        collector: Any = multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        _forget_the_dead(Path(collector._path))
        return generate_latest(registry) + generate_latest(extra)
    return generate_latest() + generate_latest(extra)


def _forget_the_dead(directory: Path) -> None:
    """Drop the gauges of processes that were killed: their sockets are closed, whatever their files say."""
    for file in directory.glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            multiprocess.mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
        except PermissionError:
            pass  # somebody else's process has the number by now


class RequestTelemetry:
    """The outermost layer: a trace id for everything, one log line a request, headers that browsers obey.

    Neither bodies nor tokens nor query strings are logged.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wrap one request or socket."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        trace_id = _trace_id(scope)
        scope["trace_id"], scope["log"] = trace_id, {}
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(trace_id=trace_id)
        began, status = time.perf_counter(), 0

        async def outward(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message.get("headers", ()),
                    (b"x-trace-id", trace_id.encode()),
                    (b"x-content-type-options", b"nosniff"),
                    (b"referrer-policy", b"no-referrer"),
                    (b"x-frame-options", b"DENY"),
                ]
            elif message["type"] == "websocket.close":
                status = message.get("code", 1000)
            await send(message)

        refused = unreadable(scope)
        try:
            if refused is not None and scope["type"] == "http":
                await _answer(outward, *refused)
            else:
                await self._app(scope, receive, outward)
        except Exception as error:
            if scope["type"] == "http" and not status and is_unstorable(error):
                await _answer(
                    outward, 400, "A text holds a NUL, or half a character.", "BAD_REQUEST"
                )
                return
            log.exception("request.failed", path=_shown(scope["path"]))
            if scope["type"] == "websocket" or status:
                raise
            await _answer(outward, 500, "Something went wrong.", "INTERNAL", trace_id)
        finally:
            if scope["path"] not in _QUIET and not scope["log"].get("handed_over"):
                log.info(
                    "socket" if scope["type"] == "websocket" else "request",
                    method=scope.get("method"),
                    path=_shown(scope["path"]),
                    status=status,
                    ms=round((time.perf_counter() - began) * 1000, 1),
                    **scope["log"],
                )


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_CONTROL_IN_HEADER = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def unreadable(scope: Scope) -> tuple[int, str, str] | None:
    """Return the refusal of a request with control characters; None when there are none."""
    if _CONTROL.search(scope["path"]):
        return 404, "There is nothing there.", "NOT_FOUND"
    if b"%00" in scope["query_string"] or b"\0" in scope["query_string"]:
        return 400, "The address holds a NUL character.", "BAD_REQUEST"
    if any(_CONTROL_IN_HEADER.search(value) for _, value in scope["headers"]):
        return 400, "A header holds a control character.", "BAD_REQUEST"
    return None


async def _answer(
    send: Send, status: int, message: str, code: str, trace_id: str | None = None
) -> None:
    extensions = {"code": code} if trace_id is None else {"code": code, "traceId": trace_id}
    body = msgspec.json.encode({"errors": [{"message": message, "extensions": extensions}]})
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _shown(path: str) -> str:
    """The path as it is logged: a link's text is a secret."""
    for folder in ("/password/", "/u/", "/s/"):
        if path.startswith(folder):
            return f"{folder}…"
    return path


def _trace_id(scope: Scope) -> str:
    """The caller's W3C trace id, or a new one."""
    for name, value in scope["headers"]:
        if name == b"traceparent":
            found = _TRACEPARENT.fullmatch(value.decode("latin-1"))
            if found is not None and found[1] != "0" * 32:
                return found[1]
    return secrets.token_hex(16)
