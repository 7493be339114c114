"""GraphQL over HTTP: one operation per request; every invalid request gets a status and a message, never 500."""

import time
from collections.abc import Collection
from typing import Any

import msgspec
import structlog
from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response

from api.endpoints import console, graphql_sse, request_body
from api.endpoints.caller import Caller, caller_if_any, no_token
from api.endpoints.resume import resumed
from api.execution.admission import TooMuch
from api.execution.document_cache import Invalid, Operation
from api.execution.executor import GraphQLRequest, Result
from api.identity.authenticator import traced
from api.live.connections import TooManyConnections
from api.state import AppState
from api.support.accept import accepted
from api.support.errors import HttpRefusal, error_payloads, is_away, plain
from api.support.telemetry import OPERATIONS, SECONDS
from domain.access import Actor

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
PLAIN = frozenset({GRAPHQL_JSON, JSON, "*/*", "application/*"})  # what is answered with JSON
MOST_BYTES = 256 * 1024
READ_S = 10.0

PARAMETERS = {"query", "documentId", "extensions", "variables", "operationName"}

log = structlog.get_logger()

_decode = msgspec.json.Decoder(GraphQLRequest).decode
_json = msgspec.json.Decoder().decode


async def respond(request: Request) -> Response:
    """Respond to an operation; in development, a browser that sends none with GET receives the IDE."""
    if request.method != "GET" or request.query_params.keys() & PARAMETERS:
        return await _operate(request)
    state: AppState = request.app.state.waarborg
    browser = "text/html" in accepted(request.headers.get("accept"))
    return console.ide() if browser and state.settings.development else await _operate(request)


async def _operate(request: Request) -> Response:
    """Execute a query or a mutation; GET executes queries only."""
    state: AppState = request.app.state.waarborg
    trace_id: str = request.scope["trace_id"]
    kind, began, operation = JSON, time.perf_counter(), None
    kinds = accepted(request.headers.get("accept") or "*/*")
    # A client that lists every type (urql does) is better served with JSON.
    streamed = graphql_sse.MEDIA_TYPE in kinds and PLAIN.isdisjoint(kinds)
    response: Response
    try:
        kind = JSON if streamed else _media_type(kinds)
        ask = await _read(request) if request.method == "POST" else _asked(request)
        caller = await _identify(state, request, streamed=streamed)
        actor = None if caller is None else traced(caller.identity.actor, trace_id)
        async with state.turns.turn(actor):
            operation = await _look(state, request, ask, actor)
            streamed = streamed or operation.type is OperationType.SUBSCRIPTION
            done = None if streamed else await _answer(state, operation, ask, actor, trace_id)
        if done is None:
            return await _stream(state, request, operation, ask, caller, trace_id)
        # The specification requires 200 for responses in plain JSON, and 400 for GraphQL's own media type.
        status = 400 if done.refused and kind == GRAPHQL_JSON else 200
        response = _response(done.answer, status, kind)
    except TooMuch as much:
        response = _response({"errors": error_payloads(much.errors, trace_id)}, 429, kind)
        response.headers["retry-after"] = str(much.retry_after_s)
    except TooManyConnections as full:
        response = _response({"errors": [plain(f"{full}.", "TOO_MANY")]}, 503, kind)
        response.headers["retry-after"] = "5"
    except Invalid as invalid:
        if streamed:
            return graphql_sse.once({"errors": error_payloads(invalid.errors, trace_id)})
        status = 400 if kind == GRAPHQL_JSON else 200
        response = _response({"errors": error_payloads(invalid.errors, trace_id)}, status, kind)
    except HttpRefusal as failed:
        response = _response({"errors": [failed.error]}, failed.status, kind)
        response.headers.update(failed.headers)
    except Exception as error:
        if not is_away(error):
            raise
        log.warning("graphql.database_away", error=repr(error))
        message = "The database is away for a moment; ask again."
        response = _response({"errors": [plain(message, "UNAVAILABLE")]}, 503, kind)
        response.headers["retry-after"] = "5"
    label = operation.type.value if operation is not None else "none"
    OPERATIONS.labels(label, "ok" if response.status_code == 200 else "refused").inc()
    SECONDS.labels(label).observe(time.perf_counter() - began)
    request.scope["log"] |= {"operation": label, "name": operation.name if operation else None}
    return response


async def _look(
    state: AppState, request: Request, ask: GraphQLRequest, actor: Actor | None
) -> Operation:
    operation = await state.gate.look(ask, actor)
    if request.method != "POST" and operation.type is OperationType.MUTATION:
        raise HttpRefusal(405, "GET changes nothing.", "METHOD_NOT_ALLOWED", allow="POST")
    kinds = accepted(request.headers.get("accept"))
    if operation.type is OperationType.SUBSCRIPTION and graphql_sse.MEDIA_TYPE not in kinds:
        words = (
            f"Subscriptions are served over graphql-transport-ws, or as {graphql_sse.MEDIA_TYPE}."
        )
        raise HttpRefusal(400, words)
    return operation


async def _stream(
    state: AppState,
    request: Request,
    operation: Operation,
    ask: GraphQLRequest,
    caller: Caller | None,
    trace_id: str,
) -> Response:
    if caller is None:
        raise no_token()
    identity, token = caller
    await state.gate.admit(ask, operation, identity.actor)
    request.scope["log"] |= {"operation": operation.type.value, "name": operation.name}
    last = request.headers.get("last-event-id")
    operation, ask = resumed(operation, ask, state.engine.documents.schema, last)
    return await graphql_sse.stream(state, operation, ask, identity, trace_id, token)


async def _answer(
    state: AppState, operation: Operation, ask: GraphQLRequest, actor: Actor | None, trace_id: str
) -> Result:
    if actor is None:
        if operation.about_schema:  # the schema is no secret where introspection is on at all
            return await state.engine.answer(operation, ask, None, trace_id)
        raise no_token()
    await state.gate.admit(ask, operation, actor)
    ctx = state.context(actor)
    done = await state.engine.answer(operation, ask, ctx, trace_id)
    done.answer["extensions"] = {"cost": operation.weight.cost}
    return done


async def _identify(state: AppState, request: Request, *, streamed: bool) -> Caller | None:
    """Return the caller; None for a request without a token, where the schema can be queried without one."""
    caller = await caller_if_any(request)
    if caller is None:
        if state.settings.development and not streamed:
            return None
        raise no_token()
    request.scope["log"]["actor"] = caller.identity.actor.subject
    if caller.identity.ingest_only:
        raise HttpRefusal(403, "A device's token hands in measurements only.", "FORBIDDEN")
    return caller


def _media_type(kinds: Collection[str]) -> str:
    """Return the GraphQL media type for clients that name it, else plain JSON."""
    if GRAPHQL_JSON in kinds:
        return GRAPHQL_JSON
    if not PLAIN.isdisjoint(kinds) or graphql_sse.MEDIA_TYPE in kinds:
        return JSON
    raise HttpRefusal(406, f"Answers come as {GRAPHQL_JSON} or {JSON}.")


def _asked(request: Request) -> GraphQLRequest:
    """The request in the parameters of a GET."""
    given: dict[str, Any] = {k: v for k, v in request.query_params.items() if k in PARAMETERS}
    if not given:
        words = "GraphQL is asked with POST, or with GET and a query."
        raise HttpRefusal(405, words, "METHOD_NOT_ALLOWED", allow="POST")
    try:
        given |= {name: _json(given[name]) for name in given.keys() & {"variables", "extensions"}}
        return _with_a_query(msgspec.convert(given, GraphQLRequest))
    except (msgspec.MsgspecError, RecursionError) as error:
        words = f"`variables` and `extensions` are JSON objects. ({error})"
        raise HttpRefusal(400, words) from None


async def _read(request: Request) -> GraphQLRequest:
    content_type = request.headers.get("content-type", "")
    if content_type.split(";")[0].strip().lower() != JSON:
        raise HttpRefusal(415, f"Send {JSON}.", "UNSUPPORTED_MEDIA_TYPE")
    return decoded(await request_body.read(request, most=MOST_BYTES, within_s=READ_S))


def decoded(body: bytes | str) -> GraphQLRequest:
    """The request in a body or a payload. Raises `HttpRefusal` on anything that is not one."""
    try:
        return _with_a_query(_decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "too deep" if isinstance(error, RecursionError) else str(error)
        raise HttpRefusal(
            400,
            "The body is a JSON object with `query`, and perhaps `variables`, `operationName` and "
            f"`extensions`; one at a time. ({reason})",
        ) from None


def _with_a_query(ask: GraphQLRequest) -> GraphQLRequest:
    if not (ask.query or ask.document_id or ask.extensions):
        raise HttpRefusal(400, "Send a document: `query`, or the id of a known one.")
    return ask


def _response(answer: dict[str, Any], status: int, kind: str) -> Response:
    return Response(
        msgspec.json.encode(answer),
        status,
        media_type=f"{kind}; charset=utf-8",
        headers={"cache-control": "no-store"},
    )
