"""Subscribers of equal subscriptions, and the one execution that they share."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import msgspec

from api.execution.executor import SubscriptionExecution
from api.live.backpressure import OutboundBuffer
from api.live.encoded_events import encode_events, event_id_of
from api.support.telemetry import EVENTS, EXECUTIONS, GROUPS
from domain.access import Actor
from realtime.source import EventSource, SourceEvent
from schema.core.context import Context

FEW = 32
GATHER_S = 0.004
"""After a batch of several events, wait this long for more, so that one write per socket carries all of them. A single
event never waits. Four events to 1,000 subscribers cost 3.6 µs of CPU per message on an idle machine. How much of that
the wait saves is not measured: a loaded machine took 6.3 µs with it and 5.2 to 5.9 µs without."""

CHUNK = 64  # events executed and sent together
ENTERING = 2_000  # live events buffered for a subscriber that still receives its backlog


class Subscriber:
    """One subscription of one client."""

    __slots__ = (
        "_frame",
        "_on_finish",
        "actor",
        "buffered",
        "group",
        "head",
        "outlet",
        "overflowed",
        "reached",
        "start_seq",
        "tail",
        "with_ids",
    )

    def __init__(
        self,
        outlet: OutboundBuffer,
        actor: Actor,
        *,
        head: bytes,
        tail: bytes,
        frame: Callable[[bytes], bytes],
        on_finish: Callable[["Subscriber", Sequence[bytes]], None],
        with_ids: bool = False,
    ) -> None:
        """Write `frame(head + payload + tail)` for each event to `outlet`; call `on_finish` with the last payloads.

        With `with_ids`, each event is preceded by its cursor, as the id of a server-sent event.
        """
        self.with_ids = with_ids
        self.outlet, self.actor = outlet, actor
        self.head, self.tail, self._frame = head, tail, frame
        self._on_finish = on_finish
        self.reached = 0
        self.start_seq = 0
        self.buffered: list[tuple[SourceEvent, bytes]] | None = None
        """Live events buffered while the subscriber receives its backlog; None afterwards."""
        self.overflowed = False
        """Whether more live events came during the backlog than are buffered."""
        self.group: SharedSubscription | None = None

    def framed(self, payloads: Sequence[bytes]) -> bytes:
        """Return these payloads with the framing of the transport."""
        frame, head, tail = self._frame, self.head, self.tail
        if self.with_ids:
            return b"".join([frame(event_id_of(each) + head + each + tail) for each in payloads])
        if len(payloads) == 1:
            return frame(head + payloads[0] + tail)
        return b"".join([frame(head + payload + tail) for payload in payloads])

    def on_overflow(self) -> None:
        """Detach from the shared subscription because the client is too slow; a gap notice follows."""
        if self.group is not None:
            self.group.detach(self)

    def finish(self, last: Sequence[bytes] = ()) -> None:
        """End the subscription after these last payloads."""
        self._on_finish(self, last)

    def leave(self) -> None:
        """Leave the shared subscription and drop what is buffered."""
        self.outlet.forget(self)
        if self.group is not None:
            self.group.remove(self)
            self.group = None


class SharedSubscription:
    """One execution and its subscribers."""

    def __init__(self, execution: SubscriptionExecution, source: EventSource, ctx: Context) -> None:
        self._execution, self._source, self._ctx = execution, source, ctx
        self._live: dict[Subscriber, None] = {}
        self._entering: dict[Subscriber, None] = {}
        self._reached = (
            source.listener_position()
        )  # not the first subscriber's position, which may be further
        self._ends = ExitStack()
        self._ear = self._ends.enter_context(source.listen())
        self._notices: set[asyncio.Task[None]] = set()
        self.task = asyncio.create_task(self._run(), name="group")
        self.closed: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len(self._live) + len(self._entering)

    def enter(self, subscriber: Subscriber, source: EventSource) -> None:
        """Buffer events after `subscriber.start_seq` for the subscriber until `admit`."""
        subscriber.start_seq = subscriber.reached = source.position()
        subscriber.buffered = []
        subscriber.group = self
        self._entering[subscriber] = None

    def admit(self, subscriber: Subscriber) -> None:
        """Send the buffered events, because the backlog up to `start_seq` is sent; later events are sent live."""
        buffered, subscriber.buffered = subscriber.buffered or [], None
        if subscriber.overflowed:
            subscriber.reached = subscriber.start_seq
            self.detach(subscriber)
        elif buffered:
            events, payloads = (
                [event for event, _ in buffered],
                [payload for _, payload in buffered],
            )
            self._send(subscriber, events, payloads, subscriber.start_seq)
        if subscriber.group is self and self._reached >= subscriber.start_seq:
            del self._entering[subscriber]
            self._live[subscriber] = None

    def remove(self, subscriber: Subscriber) -> None:
        """Remove a subscriber; close the shared subscription when none is left."""
        self._live.pop(subscriber, None)
        self._entering.pop(subscriber, None)
        if not len(self):
            self.close()

    def close(self) -> None:
        """Stop the execution."""
        if self.closed is not None:
            self.closed()
            self.closed = None
            GROUPS.dec()
            self._ends.close()
            self.task.cancel()

    def detach(self, subscriber: Subscriber) -> None:
        """Remove a subscriber that is too slow, and end it with a gap notice from its last sequence number."""
        subscriber.group = None
        task = asyncio.create_task(self._notify(subscriber))
        self._notices.add(task)
        task.add_done_callback(self._notices.discard)
        self.remove(subscriber)

    async def _notify(self, subscriber: Subscriber) -> None:
        notice = self._source.gap(subscriber.reached)
        subscriber.finish([] if notice is None else await self._payloads([notice]))

    async def _run(self) -> None:
        try:
            while batch := await self._ear.take():
                for start in range(0, len(batch), CHUNK):
                    part = batch[start : start + CHUNK]
                    self._deliver(part, await self._payloads(part))
                    if len(batch) > CHUNK:
                        await asyncio.sleep(0)  # let other subscriptions and clients run
                if len(batch) > 1 and len(self._live) > FEW:
                    await asyncio.sleep(GATHER_S)
        except Exception as error:  # noqa: BLE001 - any error of a source ends the subscription with that error
            last = [msgspec.json.encode(self._execution.failed(error).answer)]
            for subscriber in [*self._live, *self._entering]:
                subscriber.group = None
                subscriber.finish(last)
        else:
            for subscriber in [*self._live, *self._entering]:
                if subscriber.buffered is not None:
                    subscriber.overflowed = True  # `admit` sends the gap notice after the backlog
                    continue
                if not subscriber.outlet.holds(subscriber):
                    subscriber.reached = max(self._reached, subscriber.start_seq)
                self.detach(subscriber)
        self.close()

    async def _payloads(self, events: Sequence[SourceEvent]) -> list[bytes]:
        """Execute and encode events once; log which subscribers read personal data before it is sent."""
        ctx = self._ctx.fresh()
        answers = await self._execution.answers(ctx, [event.payload for event in events])
        EXECUTIONS.inc(len(events))
        if ctx.personal:
            noted: set[Actor] = set()
            while (
                new := {subscriber.actor for subscriber in [*self._live, *self._entering]} - noted
            ):
                await ctx.note_reads_of(new)
                noted |= new
        with_ids = any(subscriber.with_ids for subscriber in [*self._live, *self._entering])
        return encode_events(answers, events, ctx if with_ids else None)

    def _deliver(self, events: Sequence[SourceEvent], payloads: list[bytes]) -> None:
        before, frames = self._reached, dict[bytes, bytes]()
        for subscriber in list(self._live):
            outlet = subscriber.outlet
            if outlet.flowing:
                frame = frames.get(subscriber.head)
                if frame is None:
                    frame = frames[subscriber.head] = subscriber.framed(payloads)
                outlet.write(frame)
            else:
                self._send_buffered(subscriber, events, payloads, before)
        EVENTS.inc(len(payloads) * len(self._live))
        self._reached = max(before, events[-1].seq or 0)
        for subscriber in list(self._entering):
            self._deliver_entering(subscriber, events, payloads, before)

    def _deliver_entering(
        self,
        subscriber: Subscriber,
        events: Sequence[SourceEvent],
        payloads: list[bytes],
        before: int,
    ) -> None:
        """Deliver events to a subscriber that is not live yet: only those after its `start_seq`."""
        news = [
            i
            for i, event in enumerate(events)
            if event.seq is None or event.seq > subscriber.start_seq
        ]
        if news:
            event, answers = [events[i] for i in news], [payloads[i] for i in news]
            EVENTS.inc(len(news))
            if subscriber.buffered is None:
                self._send(subscriber, event, answers, max(before, subscriber.start_seq))
            elif not subscriber.overflowed:
                subscriber.buffered += zip(event, answers, strict=True)
        if subscriber.group is not self:
            return
        if subscriber.buffered is None:
            if self._reached >= subscriber.start_seq:
                del self._entering[subscriber]
                self._live[subscriber] = None
        elif len(subscriber.buffered) > ENTERING:
            subscriber.overflowed = True
            subscriber.buffered.clear()

    def _send(
        self,
        subscriber: Subscriber,
        events: Sequence[SourceEvent],
        payloads: Sequence[bytes],
        before: int,
    ) -> None:
        if subscriber.outlet.flowing:
            subscriber.outlet.write(subscriber.framed(payloads))
        else:
            self._send_buffered(subscriber, events, payloads, before)

    def _send_buffered(
        self,
        subscriber: Subscriber,
        events: Sequence[SourceEvent],
        payloads: Sequence[bytes],
        before: int,
    ) -> None:
        if not subscriber.outlet.holds(subscriber):
            subscriber.reached = before
        subscriber.outlet.hold(subscriber, events, payloads)
