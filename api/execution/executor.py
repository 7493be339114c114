"""GraphQL execution for HTTP, sockets and webhooks: run an operation and return a result or a stream of results."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec
import strawberry
from graphql import ExecutionResult, GraphQLError, execute
from graphql.execution import (
    Executor,
    create_source_event_stream,
    execute_subscription_event,
)
from graphql.pyutils import is_awaitable

from api.execution.document_cache import Documents, Operation
from api.support.errors import formatted_errors, plain
from schema.core.context import Context

TIMEOUT_S = 30.0

Answer = dict[str, Any]


class GraphQLRequest(msgspec.Struct, rename="camel"):
    """A GraphQL request as clients send it."""

    query: str = ""
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    extensions: dict[str, Any] | None = None
    document_id: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """A response, and whether the request was refused before anything was executed."""

    answer: Answer
    refused: bool = False


class GraphQLExecutor:
    """Executes the operations of one schema."""

    def __init__(self, schema: strawberry.Schema, *, development: bool) -> None:
        self.documents = Documents(schema, development=development)
        self._hide = not development

    def operation(self, request: GraphQLRequest) -> Operation:
        """Return the validated operation of a request. Raises `api.execution.document_cache.Invalid`."""
        return self.documents.operation(
            request.query, request.operation_name, request.variables or {}
        )

    async def answer(
        self, operation: Operation, request: GraphQLRequest, ctx: Context | None, trace_id: str
    ) -> Result:
        """Execute a query or mutation."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                result = execute(
                    self.documents.schema,
                    operation.document,
                    context_value=ctx,
                    variable_values=request.variables,
                    operation_name=operation.name,
                    hide_suggestions=self._hide,
                )
                if is_awaitable(result):
                    result = await result
                if ctx is not None:
                    await ctx.note_reads()
        except TimeoutError:
            message = f"The operation took more than {TIMEOUT_S:.0f} s and was cancelled."
            return Result({"errors": [plain(message, "TIMEOUT", traceId=trace_id)]})
        return self._done(cast("ExecutionResult", result), trace_id)

    async def follow(
        self, operation: Operation, request: GraphQLRequest, ctx: Context, trace_id: str
    ) -> "SubscriptionExecution | Result":
        """Start a subscription; return a `Result` when it is refused."""
        executor = Executor.build(
            self.documents.schema,
            operation.document,
            context_value=ctx,
            raw_variable_values=request.variables,
            operation_name=operation.name,
            hide_suggestions=self._hide,
        )
        if isinstance(executor, list):
            return self._done(ExecutionResult(None, executor), trace_id)
        source = create_source_event_stream(executor)
        if is_awaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            return Result({"errors": formatted_errors(source.errors or [], trace_id)}, refused=True)
        return SubscriptionExecution(self, executor, cast("AsyncIterable[Any]", source), trace_id)

    async def stream(
        self, operation: Operation, request: GraphQLRequest, ctx: Context, trace_id: str
    ) -> AsyncGenerator[Result]:
        """Execute a subscription for a single subscriber."""
        execution = await self.follow(operation, request, ctx, trace_id)
        if isinstance(execution, Result):
            yield execution
            return
        items = aiter(execution.source)
        try:
            async for item in items:
                fresh = ctx.fresh()
                [done] = await execution.answers(fresh, [item])
                await fresh.note_reads()
                yield done
        except Exception as error:  # noqa: BLE001 - any error of the source ends the subscription with that error
            yield execution.failed(error)
        finally:
            if isinstance(items, AsyncGenerator):
                await items.aclose()

    def _done(self, result: ExecutionResult, trace_id: str) -> Result:
        if not result.errors:
            return Result({"data": result.data})
        errors = formatted_errors(result.errors, trace_id)
        # Errors without a path occur before execution, for example for invalid variables.
        if result.data is None and all(error.path is None for error in result.errors):
            return Result({"errors": errors}, refused=True)
        return Result({"data": result.data, "errors": errors})


@dataclass(frozen=True, slots=True)
class SubscriptionExecution:
    """A started subscription: its source of events, and the execution of its selection for each event."""

    engine: GraphQLExecutor
    executor: Executor[Any]
    source: AsyncIterable[Any]
    trace_id: str

    async def answers(self, ctx: Context, events: Sequence[Any]) -> list[Result]:
        """Execute the selection for each event; events of one call share the data loaders of `ctx`."""
        results: list[Any] = []
        for what in events:
            event = self.executor.build_per_event_executor(what)
            event.context_value = ctx
            results.append(execute_subscription_event(event))
        slow = [each for each in results if is_awaitable(each)]
        if slow:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    loaded = iter(await asyncio.gather(*slow))
            except TimeoutError:
                message = f"The operation took more than {TIMEOUT_S:.0f} s and was cancelled."
                errors = [plain(message, "TIMEOUT", traceId=self.trace_id)]
                return [Result({"data": None, "errors": errors}) for _ in events]
            results = [next(loaded) if is_awaitable(each) else each for each in results]
        return [self.engine._done(each, self.trace_id) for each in results]

    def failed(self, error: Exception) -> Result:
        """Make the result for an exception that the source raised."""
        located = (
            error
            if isinstance(error, GraphQLError)
            else GraphQLError(str(error), original_error=error)
        )
        return Result({"errors": formatted_errors([located], self.trace_id)}, refused=True)
