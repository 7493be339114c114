"""Errors in API responses: refusals and client errors with a message, internal errors with a trace id."""

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
    """Raised to refuse a request with a status and headers (`retry_after="5"`); `error` is the entry for `errors`."""

    def __init__(
        self, status: int, message: str, code: str = "BAD_REQUEST", **headers: str
    ) -> None:
        super().__init__(message)
        self.status, self.error = status, plain(message, code)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def with_more(self, **more: object) -> "HttpRefusal":
        """Add fields to the error's extensions."""
        self.error["extensions"] |= more
        return self


def formatted_errors(errors: Iterable[GraphQLError], trace_id: str) -> list[dict[str, Any]]:
    """Format the `errors` of a response."""
    return [_formatted(error, trace_id) for error in errors]


def plain(message: str, code: str, **more: Any) -> dict[str, Any]:
    """Format an error that has no GraphQL error, in the same shape."""
    return {"message": message, "extensions": {"code": code, **more}}


def is_away(error: BaseException) -> bool:
    """Return whether PostgreSQL is unavailable: unreachable, stopping, or out of connections, disk or memory."""
    if isinstance(error, InterfaceError | OSError | PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "sqlstate", None) or ""
    return error.connection_invalidated or state[:2] in {"08", "53", "58"} or state[:3] == "57P"


def _formatted(error: GraphQLError, trace_id: str) -> dict[str, Any]:
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
        message = "A text contains a NUL or an incomplete character and cannot be stored."
        return {**shape, "message": message, "extensions": {"code": "INVALID", "retryable": False}}
    away = is_away(cause)
    log.error("graphql.failed", path=error.path, exc_info=cause)
    message, code = (
        ("The database is temporarily unavailable; try again.", "UNAVAILABLE")
        if away
        else ("Something went wrong.", "INTERNAL")
    )
    return {**shape, "message": message, "extensions": {"code": code, "traceId": trace_id}}


def _cause(error: GraphQLError) -> BaseException | None:
    """Return the exception of a resolver; None for client errors, for which graphql-core has the message."""
    cause: BaseException | None = error
    while isinstance(cause, GraphQLError) and not isinstance(cause, StrawberryGraphQLError):
        if cause.original_error is None or cause.original_error is cause:
            return None
        cause = cause.original_error
    return None if isinstance(cause, GraphQLError) else cause
