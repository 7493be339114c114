"""Errors as the asker sees them: gates and mistakes in words, our own bugs as a trace id."""

from collections.abc import Iterable
from typing import Any

import structlog
from graphql import GraphQLError
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from strawberry.exceptions import StrawberryGraphQLError

from domain.core.db import is_unstorable
from domain.core.errors import Refused

log = structlog.get_logger()


class HttpRefusal(Exception):
    """A request that is refused with a status and headers (`retry_after="5"`); `error` is its entry of `errors`."""

    def __init__(
        self, status: int, message: str, code: str = "BAD_REQUEST", **headers: str
    ) -> None:
        super().__init__(message)
        self.status, self.error = status, plain(message, code)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def with_more(self, **more: object) -> "HttpRefusal":
        """Add members to the error's extensions, for programs."""
        self.error["extensions"] |= more
        return self


def error_payloads(errors: Iterable[GraphQLError], trace_id: str) -> list[dict[str, Any]]:
    """The `errors` of an answer."""
    return [_told(error, trace_id) for error in errors]


def plain(message: str, code: str, **more: Any) -> dict[str, Any]:
    """One error of our own making, in the same shape."""
    return {"message": message, "extensions": {"code": code, **more}}


def is_away(error: BaseException) -> bool:
    """Whether PostgreSQL cannot answer now: unreachable, stopping, or out of connections, disk or memory."""
    if isinstance(error, InterfaceError | OSError | PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or state[:2] in {"08", "53", "58"} or state[:3] == "57P"


def _told(error: GraphQLError, trace_id: str) -> dict[str, Any]:
    shape: dict[str, Any] = dict(error.formatted)
    cause = _cause(error)
    if isinstance(cause, Refused):
        refusal = cause.refusal
        extensions = {"code": str(refusal.code), "retryable": refusal.retryable}
        if refusal.argument is not None:
            extensions["argument"] = refusal.argument
        return {**shape, "message": refusal.message, "extensions": extensions}
    if cause is None:
        code = (error.extensions or {}).get("code", "BAD_REQUEST")
        return {**shape, "extensions": {**(error.extensions or {}), "code": code}}
    if is_unstorable(cause):
        message = "A text holds a NUL, or half a character: it cannot be kept."
        return {**shape, "message": message, "extensions": {"code": "INVALID", "retryable": False}}
    away = is_away(cause)
    log.error("graphql.failed", path=error.path, exc_info=cause)
    message, code = (
        ("The database is away for a moment; ask again.", "UNAVAILABLE")
        if away
        else ("Something went wrong.", "INTERNAL")
    )
    return {**shape, "message": message, "extensions": {"code": code, "traceId": trace_id}}


def _cause(error: GraphQLError) -> BaseException | None:
    """Return the error that a resolver raised; None for invalid requests, for which graphql-core has a message."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError) and not isinstance(cause, StrawberryGraphQLError):
        if cause.original_error is None or cause.original_error is cause:
            return None
        cause = cause.original_error
    return None if isinstance(cause, GraphQLError) else cause
