"""Execute operations: to one response, or to a stream of responses. Used by HTTP and sockets alike."""

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
from api.execution.plan import Missed
from api.support.errors import error_payloads, plain
from api.support.telemetry import PLANS
from schema.core.context import Context

TIMEOUT_S = 30.0

Answer = dict[str, Any]


class GraphQLRequest(msgspec.Struct, rename="camel"):
    """A GraphQL request as it comes over the wire."""

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
    """One schema with its documents."""

    def __init__(self, schema: strawberry.Schema, *, development: bool) -> None:
        self.documents = Documents(schema, development=development)
        self._hide = not development

    async def answer(
        self, operation: Operation, ask: GraphQLRequest, ctx: Context | None, trace_id: str
    ) -> Result:
        """Execute a query or mutation."""
        try:
            async with asyncio.timeout(TIMEOUT_S):
                if operation.plan is not None and ctx is not None:
                    try:
                        data = await operation.plan.run(ctx, ask.variables or {})
                        await ctx.note_reads()
                        PLANS.labels("plan").inc()
                        return Result({"data": data})
                    except Missed:
                        ctx = ctx.fresh()
                PLANS.labels("graphql-core").inc()
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
            return Result({"errors": [plain(message, "TIMEOUT", traceId=trace_id)]})
        return self._done(cast("ExecutionResult", result), trace_id)

    async def follow(
        self, operation: Operation, ask: GraphQLRequest, ctx: Context, trace_id: str
    ) -> "SubscriptionExecution | Result":
        """Begin a subscription; `Result` when it is refused."""
        executor = Executor.build(
            self.documents.schema,
            operation.document,
            context_value=ctx,
            raw_variable_values=ask.variables,
            operation_name=operation.name,
            hide_suggestions=self._hide,
        )
        if isinstance(executor, list):
            return self._done(ExecutionResult(None, executor), trace_id)
        source = create_source_event_stream(executor)
        if is_awaitable(source):
            source = await source
        if isinstance(source, ExecutionResult):
            return Result({"errors": error_payloads(source.errors or [], trace_id)}, refused=True)
        return SubscriptionExecution(self, executor, cast("AsyncIterable[Any]", source), trace_id)

    async def stream(
        self, operation: Operation, ask: GraphQLRequest, ctx: Context, trace_id: str
    ) -> AsyncGenerator[Result]:
        """Execute a subscription that is not shared."""
        following = await self.follow(operation, ask, ctx, trace_id)
        if isinstance(following, Result):
            yield following
            return
        items = aiter(following.source)
        try:
            async for item in items:
                fresh = ctx.fresh()
                [done] = await following.answers(fresh, [item])
                await fresh.note_reads()
                yield done
        except Exception as error:  # noqa: BLE001 - whatever a feed raises, this subscription ends with an error
            yield following.failed(error)
        finally:
            if isinstance(items, AsyncGenerator):
                await items.aclose()

    def _done(self, result: ExecutionResult, trace_id: str) -> Result:
        if not result.errors:
            return Result({"data": result.data})
        errors = error_payloads(result.errors, trace_id)
        # Without a path nothing was executed: variables that do not fit, and the like.
        if result.data is None and all(error.path is None for error in result.errors):
            return Result({"errors": errors}, refused=True)
        return Result({"data": result.data, "errors": errors})


@dataclass(frozen=True, slots=True)
class SubscriptionExecution:
    """A started subscription: its source, and the execution of its events."""

    engine: GraphQLExecutor
    executor: Executor[Any]
    source: AsyncIterable[Any]
    trace_id: str

    async def answers(self, ctx: Context, events: Sequence[Any]) -> list[Result]:
        """Execute the operation for each event; events of one call share their loaders."""
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
                message = f"It took more than {TIMEOUT_S:.0f} s and was given up."
                errors = [plain(message, "TIMEOUT", traceId=self.trace_id)]
                return [Result({"data": None, "errors": errors}) for _ in events]
            results = [next(loaded) if is_awaitable(each) else each for each in results]
        return [self.engine._done(each, self.trace_id) for each in results]

    def failed(self, error: Exception) -> Result:
        """Return the response for an error that the source raised."""
        located = (
            error
            if isinstance(error, GraphQLError)
            else GraphQLError(str(error), original_error=error)
        )
        return Result({"errors": error_payloads([located], self.trace_id)}, refused=True)
