"""GraphQL over HTTP: one POST, one operation; every mistake has a status and words, and no mistake is a 500."""

import time
from typing import Any

import msgspec
from graphql import OperationType
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from api.auth import bearer, traced
from api.documents import Invalid, Operation
from api.engine import Ask, Done
from api.errors import plain, told
from api.state import State
from api.telemetry import OPERATIONS, SECONDS

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
MOST_BYTES = 256 * 1024

_decode = msgspec.json.Decoder(Ask).decode


class Unanswerable(Exception):
    """A request that is not one: the status and what to say."""

    def __init__(
        self, status: int, message: str, code: str = "BAD_REQUEST", **headers: str
    ) -> None:
        super().__init__(message)
        self.status = status
        self.error = plain(message, code)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


async def post(request: Request) -> Response:
    """Answer a query or a mutation."""
    state: State = request.app.state.waarborg
    trace_id: str = request.scope["trace_id"]
    kind, began, operation = JSON, time.perf_counter(), None
    try:
        kind = _media_type(request.headers.get("accept"))
        ask = await _read(request)
        operation = _look(state, ask)
        done = await _answer(state, request, operation, ask, trace_id)
        # The specification wants 200 for whatever is told as plain JSON, and 400 where the media type is GraphQL's.
        status = 400 if done.refused and kind == GRAPHQL_JSON else 200
        response = _response(done.answer, status, kind)
    except Invalid as invalid:
        status = 400 if kind == GRAPHQL_JSON else 200
        response = _response({"errors": told(invalid.errors, trace_id)}, status, kind)
    except Unanswerable as failed:
        response = _response({"errors": [failed.error]}, failed.status, kind)
        response.headers.update(failed.headers)
    label = operation.type.value if operation is not None else "none"
    OPERATIONS.labels(label, "ok" if response.status_code == 200 else "refused").inc()
    SECONDS.labels(label).observe(time.perf_counter() - began)
    request.scope["log"] |= {"operation": label, "name": operation.name if operation else None}
    return response


def _look(state: State, ask: Ask) -> Operation:
    operation = state.engine.operation(ask)
    if operation.type is OperationType.SUBSCRIPTION:
        raise Unanswerable(400, "Subscriptions are served over graphql-transport-ws.")
    return operation


async def _answer(
    state: State, request: Request, operation: Operation, ask: Ask, trace_id: str
) -> Done:
    presented = bearer(request.headers.get("authorization"))
    identity = await state.authenticator.identify(presented) if presented else None
    if identity is None:
        # The schema is no secret where introspection is on at all; a bad token is told in any case.
        if operation.about_schema and presented is None:
            return await state.engine.answer(operation, ask, None, trace_id)
        raise Unanswerable(
            401,
            "Who are you? Send Authorization: Bearer with a token or an API key."
            if presented is None
            else "This token or key is not good (any more).",
            "UNAUTHENTICATED",
            www_authenticate='Bearer realm="waarborg"',
        )
    request.scope["log"]["actor"] = identity.actor.subject
    ctx = state.context(traced(identity.actor, trace_id))
    done = await state.engine.answer(operation, ask, ctx, trace_id)
    done.answer["extensions"] = {"cost": operation.weight.cost}
    return done


def _media_type(accept: str | None) -> str:
    """What to answer with: the GraphQL media type unless plain JSON is all that is taken."""
    if accept is None:
        return GRAPHQL_JSON
    taken = {part.split(";")[0].strip().lower() for part in accept.split(",")}
    if GRAPHQL_JSON in taken:
        return GRAPHQL_JSON
    if JSON in taken:
        return JSON
    if taken & {"*/*", "application/*"}:
        return GRAPHQL_JSON
    raise Unanswerable(406, f"Answers come as {GRAPHQL_JSON} or {JSON}.")


async def _read(request: Request) -> Ask:
    content_type = request.headers.get("content-type", "")
    if content_type.split(";")[0].strip().lower() != JSON:
        raise Unanswerable(415, f"Send {JSON}.", "UNSUPPORTED_MEDIA_TYPE")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise Unanswerable(
                    413, f"A request has at most {MOST_BYTES} bytes.", connection="close"
                )
    except ClientDisconnect:
        raise Unanswerable(400, "The request was cut off.") from None
    return decoded(bytes(body))


def decoded(body: bytes | str) -> Ask:
    """The request in a body or a payload. Raises `Unanswerable` on anything that is not one."""
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else str(error)
        raise Unanswerable(
            400,
            "The body is a JSON object with `query`, and perhaps `variables`, `operationName` and "
            f"`extensions`; one at a time. ({reason})",
        ) from None


def _response(answer: dict[str, Any], status: int, kind: str) -> Response:
    return Response(
        msgspec.json.encode(answer), status, media_type=f"{kind}; charset=utf-8",
        headers={"cache-control": "no-store"},
    )  # fmt: skip
