"""Shared subscriptions: equal subscriptions with the same authority share one execution; events are encoded once each.

`_key` decides which subscriptions are equal: the normalized document, its variables except the resume cursor, and
everything about the actor that a response may depend on. Each subscriber first receives its own backlog, and joins the
shared subscription at a sequence number, so that it receives every event exactly once.
"""

from collections.abc import Callable, Hashable, Sequence
from contextlib import aclosing
from dataclasses import replace

import msgspec

from api.execution.document_cache import Operation
from api.execution.executor import GraphQLExecutor, GraphQLRequest, Result, SubscriptionExecution
from api.live.document_shapes import DocumentShapes
from api.live.encoded_events import encode_events
from api.live.subscribers import CHUNK, SharedSubscription, Subscriber
from api.support.telemetry import EVENTS, EXECUTIONS, GROUPS
from domain.access import Actor, Right
from realtime.source import EventSource, SourceEvent
from realtime.tasks import end
from schema.core.context import Context

_ordered = msgspec.json.Encoder(order="sorted").encode


class SharedSubscriptions:
    """The shared subscriptions of one process."""

    def __init__(self, engine: GraphQLExecutor, context: Callable[[Actor], Context]) -> None:
        self._engine = engine
        self._context = context
        self._groups: dict[Hashable, SharedSubscription] = {}
        self._shapes = DocumentShapes()

    def __len__(self) -> int:
        return len(self._groups)

    @property
    def followers(self) -> int:
        """The number of subscribers of all shared subscriptions."""
        return sum(map(len, self._groups.values()))

    async def serve(
        self, subscriber: Subscriber, operation: Operation, request: GraphQLRequest, trace_id: str
    ) -> Result | None:
        """Start a subscription; return None once the subscriber is live or finished, a `Result` when it is refused.

        After a cancellation the caller must call `subscriber.leave()`; nothing else needs cleaning up.
        """
        ctx = self._context(subscriber.actor)
        execution = await self._engine.follow(operation, request, ctx, trace_id)
        if isinstance(execution, Result):
            return execution
        if not isinstance(execution.source, EventSource):
            return await self._serve_unshared(subscriber, execution, ctx)
        source = execution.source
        try:
            await source.begin()
            behind = True
            while behind:  # send a long backlog first, so that little has to be buffered
                upto = source.position()
                if not await self._send_backlog(subscriber, execution, source, upto, ctx):
                    return None
                behind = source.position() - upto > CHUNK
            group = self._group(
                self._key(operation, request, subscriber.actor), subscriber.actor, execution, source
            )
            group.enter(subscriber, source)
            if await self._send_backlog(subscriber, execution, source, subscriber.start_seq, ctx):
                group.admit(subscriber)
        except Exception as error:  # noqa: BLE001 - any error of a source ends the subscription with that error
            subscriber.leave()
            return execution.failed(error)
        return None

    async def close(self) -> None:
        """Close all shared subscriptions."""
        tasks = [group.task for group in self._groups.values()]
        for group in list(self._groups.values()):
            group.close()
        await end(*tasks)

    def _group(
        self, key: Hashable, actor: Actor, execution: SubscriptionExecution, source: EventSource
    ) -> SharedSubscription:
        group = self._groups.get(key)
        if group is None:
            # A shared response must not depend on the actor, so the subject is replaced. Without READ_ALL_WORK the
            # response does depend on the actor, and only subscriptions of the same actor are shared.
            personal = not actor.may(Right.READ_ALL_WORK)
            subject = actor.subject if personal else "group"
            ctx = self._context(replace(actor, subject=subject, trace_id=None))
            group = self._groups[key] = SharedSubscription(execution, source, ctx)
            group.closed = lambda: self._forget(key)
            GROUPS.inc()
        return group

    def _forget(self, key: Hashable) -> None:
        del self._groups[key]

    async def _send_backlog(
        self,
        subscriber: Subscriber,
        execution: SubscriptionExecution,
        source: EventSource,
        upto: int,
        ctx: Context,
    ) -> bool:
        """Send the backlog up to `upto` as fast as the client reads; return False if the source ends there."""
        part: list[SourceEvent] = []
        async with aclosing(source.backlog(upto)) as missed:
            async for event in missed:
                part.append(event)
                if len(part) >= CHUNK or event.last:
                    await self._deliver(subscriber, execution, part, ctx)
                    part = []
                if event.last:
                    subscriber.finish()
                    return False
        if part:
            await self._deliver(subscriber, execution, part, ctx)
        return True

    async def _deliver(
        self,
        subscriber: Subscriber,
        execution: SubscriptionExecution,
        events: Sequence[SourceEvent],
        ctx: Context,
    ) -> None:
        await subscriber.outlet.room()
        fresh = ctx.fresh()
        answers = await execution.answers(fresh, [event.payload for event in events])
        EXECUTIONS.inc(len(events))
        await fresh.note_reads_of({subscriber.actor})
        payloads = encode_events(answers, events, ctx if subscriber.with_ids else None)
        subscriber.outlet.write(subscriber.framed(payloads))
        EVENTS.inc(len(events))
        subscriber.reached = max(subscriber.reached, events[-1].seq or 0)

    async def _serve_unshared(
        self, subscriber: Subscriber, execution: SubscriptionExecution, ctx: Context
    ) -> Result | None:
        """Serve a subscription that cannot be shared."""
        items = aiter(execution.source)
        try:
            async for item in items:
                await self._deliver(subscriber, execution, [SourceEvent(None, item)], ctx)
        except Exception as error:  # noqa: BLE001 - any error of a source ends the subscription with that error
            return execution.failed(error)
        finally:
            if (close := getattr(items, "aclose", None)) is not None:
                await close()
        subscriber.finish()
        return None

    def _key(self, operation: Operation, request: GraphQLRequest, actor: Actor) -> Hashable:
        """Return the key that is equal for subscriptions that can share responses."""
        document, cursors = self._shapes.of(request.query, operation)
        variables = {k: v for k, v in (request.variables or {}).items() if k not in cursors}
        return (
            document,
            operation.name,
            _ordered(variables),
            actor.authority,
        )
