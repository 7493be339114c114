"""Execution: an operation and who asks, into an answer or a stream of answers. HTTP and sockets share it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import strawberry
from graphql import ExecutionResult, GraphQLError, execute
from graphql.execution import (
    Executor,
    create_source_event_stream,
    execute_subscription_event,
    map_source_to_response_event,
)
from graphql.pyutils import is_awaitable

from api.documents import Documents, Operation
from api.errors import plain, told
from schema.context import Context

TIMEOUT_S = 30.0

Answer = dict[str, Any]


class Ask(msgspec.Struct, rename="camel"):
    """A GraphQL request as it comes over the wire."""

    query: str = ""
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """An answer, and whether the request was refused before anything was executed."""

    answer: Answer
    refused: bool = False


class Engine:
    """One schema with its documents."""

    def __init__(self, schema: strawberry.Schema, *, development: bool) -> None:
        self.documents = Documents(schema, development=development)
        self._hide = not development

    def operation(self, ask: Ask) -> Operation:
        """Look at a request before anything is executed. Raises `api.documents.Invalid`."""
        return self.documents.operation(ask.query, ask.operation_name, ask.variables or {})

    async def answer(
        self, operation: Operation, ask: Ask, ctx: Context | None, trace_id: str
    ) -> Done:
        """Execute a query or mutation."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                result = execute(
                    self.documents.schema,
                    operation.document,
                    context_value=ctx,
                    variable_values=ask.variables,
                    operation_name=operation.name,
                    hide_suggestions=self._hide,
                )
                if is_awaitable(result):
                    result = await result
                if ctx is not None:
                    await ctx.note_reads()
        except TimeoutError:
            message = f"It took more than {TIMEOUT_S:.0f} s and was given up."
            return Done({"errors": [plain(message, "TIMEOUT", traceId=trace_id)]})
        return self._done(cast("ExecutionResult", result), trace_id)

    async def stream(
        self, operation: Operation, ask: Ask, ctx: Context, trace_id: str
    ) -> AsyncGenerator[Done]:
        """Execute a subscription; every event is resolved with loaders of its own."""
        executor = Executor.build(
            self.documents.schema,
            operation.document,
            context_value=ctx,
            raw_variable_values=ask.variables,
            operation_name=operation.name,
            hide_suggestions=self._hide,
        )
        if isinstance(executor, list):
            yield self._done(ExecutionResult(None, executor), trace_id)
            return
        source = create_source_event_stream(executor)
        if is_awaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            yield Done({"errors": told(source.errors or [], trace_id)}, refused=True)
            return

        def each(event: Any) -> Any:
            event.context_value = fresh = ctx.fresh()
            return _noted(fresh, execute_subscription_event(event))

        events = map_source_to_response_event(executor, cast("AsyncIterator[Any]", source), each)
        try:
            async with aclosing(events):
                async for result in events:
                    yield self._done(result, trace_id)
        except GraphQLError as error:
            yield Done({"errors": told([error], trace_id)}, refused=True)
        except Exception as error:  # noqa: BLE001 - whatever a feed raises, this subscription is told and ends
            located = GraphQLError(str(error), original_error=error)
            yield Done({"errors": told([located], trace_id)}, refused=True)

    def _done(self, result: ExecutionResult, trace_id: str) -> Done:
        if not result.errors:
            return Done({"data": result.data})
        errors = told(result.errors, trace_id)
        # Without a path nothing was executed: variables that do not fit, and the like.
        if result.data is None and all(error.path is None for error in result.errors):
            return Done({"errors": errors}, refused=True)
        return Done({"data": result.data, "errors": errors})


async def _noted(ctx: Context, result: Any) -> Any:
    """An event's answer, after it was written down whose personal data is in it."""
    if is_awaitable(result):
        result = await result
    await ctx.note_reads()
    return result
