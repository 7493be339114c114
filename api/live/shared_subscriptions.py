"""Groups: subscriptions that ask the same with the same authority share one execution, and each answer is encoded once.

What makes them the same is in `_key`: the document as GraphQL understands it, its variables except the cursor to go
on from, and everything about the actor that an answer may depend on. A member's beginning is its own; it enters the
group at a place in the ledger, so that nothing is missed or told twice.
"""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import replace
from sys import getsizeof
from typing import Any

import msgspec
import structlog
from graphql import (
    DocumentNode,
    FieldNode,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    print_ast,
    visit,
)

from api.execution.document_cache import Operation
from api.execution.executor import GraphQLExecutor, GraphQLRequest, Result, SubscriptionExecution
from api.live.backpressure import OutboundBuffer
from api.support.lru import WeightedCache
from api.support.telemetry import EVENTS, EXECUTIONS, GROUPS
from domain.access import Actor, Right
from domain.core import cursor
from realtime.source import EventSource, SourceEvent
from realtime.tasks import end
from schema.core.context import Context

FEW = 32
GATHER_S = 0.004
"""After several events at once, the next ones are let gather this long: one write to a thousand sockets carries them
all. An event by itself never waits. Four in flight to 1,000 cost 3.6 µs of CPU a message on a quiet machine. How much
of that the wait saves is not measured: on a loaded one it was 6.3 with, 5.2 to 5.9 without."""
CHUNK = 64  # events executed and sent together
ENTERING = 2_000  # events kept for a member that is still being told what came before
KEPT_BYTES = 8_000_000  # of documents whose normal form is remembered

log = structlog.get_logger()
_encode = msgspec.json.encode
_ordered = msgspec.json.Encoder(order="sorted").encode


class Subscriber:
    """One subscription of one client."""

    __slots__ = (
        "_frame",
        "_over",
        "actor",
        "floor",
        "group",
        "head",
        "held",
        "lost",
        "named",
        "outlet",
        "reached",
        "tail",
    )

    def __init__(
        self,
        outlet: OutboundBuffer,
        actor: Actor,
        *,
        head: bytes,
        tail: bytes,
        frame: Callable[[bytes], bytes],
        over: Callable[["Subscriber", Sequence[bytes]], None],
        named: bool = False,
    ) -> None:
        """`frame(head + answer + tail)` is what leaves through the outlet; `over` is told the last answers.

        `named`: the cursor of an event goes before its head, as an event's id.
        """
        self.named = named
        self.outlet, self.actor = outlet, actor
        self.head, self.tail, self._frame = head, tail, frame
        self._over = over
        self.reached = 0
        self.floor = 0
        self.held: list[tuple[SourceEvent, bytes]] | None = None
        """What is kept for it while it is being told what came before."""
        self.lost = False
        """Whether more came meanwhile than is kept."""
        self.group: SharedSubscription | None = None

    def framed(self, payloads: Sequence[bytes]) -> bytes:
        """The bytes that carry these answers."""
        frame, head, tail = self._frame, self.head, self.tail
        if self.named:
            return b"".join([frame(_id_of(each) + head + each + tail) for each in payloads])
        if len(payloads) == 1:
            return frame(head + payloads[0] + tail)
        return b"".join([frame(head + payload + tail) for payload in payloads])

    def overrun(self) -> None:
        """It did not keep up: the rest is a notice."""
        if self.group is not None:
            self.group.let_go(self)

    def over(self, last: Sequence[bytes] = ()) -> None:
        """Tell the last answers; nothing follows."""
        self._over(self, last)

    def leave(self) -> None:
        """Hear no more."""
        self.outlet.forget(self)
        if self.group is not None:
            self.group.remove(self)
            self.group = None


class EncodedEvent(bytes):
    """An encoded answer that knows the cursor of its event."""

    cursor: bytes


def _encoded(
    answers: Sequence[Result], events: Sequence[SourceEvent], ctx: Context | None
) -> list[bytes]:
    """The answers as JSON; with the cursors of their events when there is a context to make them in."""
    encoded = [_encode(done.answer) for done in answers]
    if ctx is None:
        return encoded
    found: list[bytes] = []
    for payload, told in zip(encoded, events, strict=True):
        if told.seq is not None:
            payload = EncodedEvent(payload)  # noqa: PLW2901 - the same answer, with its cursor
            link = getattr(getattr(told.what, "fact", None), "link", None)
            here = cursor.of_seq(ctx.secret, ctx.actor.tenant_id, told.seq, link)
            payload.cursor = here.encode()
        found.append(payload)
    return found


def _id_of(payload: bytes) -> bytes:
    return b"id: " + payload.cursor + b"\n" if isinstance(payload, EncodedEvent) else b""


class SharedSubscription:
    """One execution, and who shares it."""

    def __init__(self, following: SubscriptionExecution, source: EventSource, ctx: Context) -> None:
        self._following, self._source, self._ctx = following, source, ctx
        self._live: dict[Subscriber, None] = {}
        self._entering: dict[Subscriber, None] = {}
        self._reached = source.ear_place()  # not its first member's: that one may be further
        self._ends = ExitStack()
        self._ear = self._ends.enter_context(source.listen())
        self._letting_go: set[asyncio.Task[None]] = set()
        self._task = asyncio.create_task(self._run(), name="group")
        self.closed: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len(self._live) + len(self._entering)

    def enter(self, member: Subscriber, source: EventSource) -> None:
        """From now on what comes after `member.floor` is kept for it, until `admit`."""
        member.floor = member.reached = source.place()
        member.held = []
        member.group = self
        self._entering[member] = None

    def admit(self, member: Subscriber) -> None:
        """It has been told everything up to its floor: what was kept goes out, the rest comes as it happens."""
        held, member.held = member.held or [], None
        if member.lost:
            member.reached = member.floor
            self.let_go(member)
        elif held:
            events, payloads = [told for told, _ in held], [payload for _, payload in held]
            self._reach(member, events, payloads, member.floor)
        if member.group is self and self._reached >= member.floor:
            del self._entering[member]
            self._live[member] = None

    def remove(self, member: Subscriber) -> None:
        """One less; the last one puts out the light."""
        self._live.pop(member, None)
        self._entering.pop(member, None)
        if not len(self):
            self.close()

    def close(self) -> None:
        """Stop executing."""
        if self.closed is not None:
            self.closed()
            self.closed = None
            GROUPS.dec()
            self._ends.close()
            self._task.cancel()

    def let_go(self, member: Subscriber) -> None:
        """Tell a member that was too slow how far it came, once it reads again."""
        member.group = None
        task = asyncio.create_task(self._notify(member))
        self._letting_go.add(task)
        task.add_done_callback(self._letting_go.discard)
        self.remove(member)

    async def _notify(self, member: Subscriber) -> None:
        notice = self._source.gap(member.reached)
        member.over([] if notice is None else await self._payloads([notice]))

    async def _run(self) -> None:
        try:
            while batch := await self._ear.take():
                for start in range(0, len(batch), CHUNK):
                    part = batch[start : start + CHUNK]
                    self._tell(part, await self._payloads(part))
                    if len(batch) > CHUNK:
                        await asyncio.sleep(0)  # other groups, and clients, have their turn
                if len(batch) > 1 and len(self._live) > FEW:
                    await asyncio.sleep(GATHER_S)
        except Exception as error:  # noqa: BLE001 - whatever a source raises, its readers are told and it ends
            last = [_encode(self._following.failed(error).answer)]
            for member in [*self._live, *self._entering]:
                member.group = None
                member.over(last)
        else:
            for member in [*self._live, *self._entering]:
                if member.held is not None:
                    member.lost = True  # it hears of this when it has been told what came before
                    continue
                if not member.outlet.holds(member):
                    member.reached = max(self._reached, member.floor)
                self.let_go(member)
        self.close()

    async def _payloads(self, events: Sequence[SourceEvent]) -> list[bytes]:
        """Execute once, encode once; and write down whom it tells personal data, before it does."""
        ctx = self._ctx.fresh()
        answers = await self._following.answers(ctx, [told.what for told in events])
        EXECUTIONS.inc(len(events))
        if ctx.personal:
            noted: set[Actor] = set()
            while new := {member.actor for member in [*self._live, *self._entering]} - noted:
                await ctx.note_reads_of(new)
                noted |= new
        named = any(member.named for member in [*self._live, *self._entering])
        return _encoded(answers, events, ctx if named else None)

    def _tell(self, events: Sequence[SourceEvent], payloads: list[bytes]) -> None:
        before, frames = self._reached, dict[bytes, bytes]()
        for member in list(self._live):
            outlet = member.outlet
            if outlet.flowing:
                frame = frames.get(member.head)
                if frame is None:
                    frame = frames[member.head] = member.framed(payloads)
                outlet.write(frame)
            else:
                self._hold(member, events, payloads, before)
        EVENTS.inc(len(payloads) * len(self._live))
        self._reached = max(before, events[-1].seq or 0)
        for member in list(self._entering):
            self._tell_entering(member, events, payloads, before)

    def _tell_entering(
        self, member: Subscriber, events: Sequence[SourceEvent], payloads: list[bytes], before: int
    ) -> None:
        """The same for one that has not come as far as the group: only what is beyond its own beginning."""
        news = [i for i, told in enumerate(events) if told.seq is None or told.seq > member.floor]
        if news:
            told, answers = [events[i] for i in news], [payloads[i] for i in news]
            EVENTS.inc(len(news))
            if member.held is None:
                self._reach(member, told, answers, max(before, member.floor))
            elif not member.lost:
                member.held += zip(told, answers, strict=True)
        if member.group is not self:
            return
        if member.held is None:
            if self._reached >= member.floor:
                del self._entering[member]
                self._live[member] = None
        elif len(member.held) > ENTERING:
            member.lost = True
            member.held.clear()

    def _reach(
        self,
        member: Subscriber,
        events: Sequence[SourceEvent],
        payloads: Sequence[bytes],
        before: int,
    ) -> None:
        if member.outlet.flowing:
            member.outlet.write(member.framed(payloads))
        else:
            self._hold(member, events, payloads, before)

    def _hold(
        self,
        member: Subscriber,
        events: Sequence[SourceEvent],
        payloads: Sequence[bytes],
        before: int,
    ) -> None:
        if not member.outlet.holds(member):
            member.reached = before
        member.outlet.hold(member, events, payloads)


class SharedSubscriptions:
    """The groups of one process."""

    def __init__(self, engine: GraphQLExecutor, context: Callable[[Actor], Context]) -> None:
        self._engine = engine
        self._context = context
        self._groups: dict[Hashable, SharedSubscription] = {}
        self._shapes: WeightedCache[tuple[str, str | None], tuple[str, frozenset[str]]] = (
            WeightedCache(KEPT_BYTES)
        )

    def __len__(self) -> int:
        return len(self._groups)

    @property
    def followers(self) -> int:
        """How many follow something together, alone or not."""
        return sum(map(len, self._groups.values()))

    async def serve(
        self, member: Subscriber, operation: Operation, ask: GraphQLRequest, trace_id: str
    ) -> Result | None:
        """Follow for `member`: returns when it hears all by itself, or `Done` when it was refused.

        Cancelled, it leaves nothing behind except a member that must `leave`.
        """
        ctx = self._context(member.actor)
        following = await self._engine.follow(operation, ask, ctx, trace_id)
        if isinstance(following, Result):
            return following
        if not isinstance(following.source, EventSource):
            return await self._alone(member, following, ctx)
        source = following.source
        try:
            await source.begin()
            behind = True
            while behind:  # a long past goes by before anything has to be kept for it
                upto = source.place()
                if not await self._past(member, following, source, upto, ctx):
                    return None
                behind = source.place() - upto > CHUNK
            group = self._group(
                self._key(operation, ask, member.actor), member.actor, following, source
            )
            group.enter(member, source)
            if await self._past(member, following, source, member.floor, ctx):
                group.admit(member)
        except Exception as error:  # noqa: BLE001 - whatever a source raises, the subscription gets the error and ends
            member.leave()
            return following.failed(error)
        return None

    async def close(self) -> None:
        """End all of them."""
        tasks = [group._task for group in self._groups.values()]
        for group in list(self._groups.values()):
            group.close()
        await end(*tasks)

    def _group(
        self, key: Hashable, actor: Actor, following: SubscriptionExecution, source: EventSource
    ) -> SharedSubscription:
        group = self._groups.get(key)
        if group is None:
            # Nobody in particular: an answer that is shared cannot depend on who asked for it.
            alone = not actor.may(Right.READ_ALL_WORK)  # what is shown depends on who it is
            subject = actor.subject if alone else "group"
            ctx = self._context(replace(actor, subject=subject, trace_id=None))
            group = self._groups[key] = SharedSubscription(following, source, ctx)
            group.closed = lambda: self._forget(key)
            GROUPS.inc()
        return group

    def _forget(self, key: Hashable) -> None:
        del self._groups[key]

    async def _past(
        self,
        member: Subscriber,
        following: SubscriptionExecution,
        source: EventSource,
        upto: int,
        ctx: Context,
    ) -> bool:
        """Tell what came before, as fast as the client reads; False when that was all there will be."""
        part: list[SourceEvent] = []
        async with aclosing(source.past(upto)) as missed:
            async for told in missed:
                part.append(told)
                if len(part) >= CHUNK or told.last:
                    await self._tell(member, following, part, ctx)
                    part = []
                if told.last:
                    member.over()
                    return False
        if part:
            await self._tell(member, following, part, ctx)
        return True

    async def _tell(
        self,
        member: Subscriber,
        following: SubscriptionExecution,
        events: Sequence[SourceEvent],
        ctx: Context,
    ) -> None:
        await member.outlet.room()
        fresh = ctx.fresh()
        answers = await following.answers(fresh, [told.what for told in events])
        EXECUTIONS.inc(len(events))
        await fresh.note_reads_of({member.actor})
        payloads = _encoded(answers, events, ctx if member.named else None)
        member.outlet.write(member.framed(payloads))
        EVENTS.inc(len(events))
        member.reached = max(member.reached, events[-1].seq or 0)

    async def _alone(
        self, member: Subscriber, following: SubscriptionExecution, ctx: Context
    ) -> Result | None:
        """Follow something that cannot be shared."""
        items = aiter(following.source)
        try:
            async for item in items:
                await self._tell(member, following, [SourceEvent(None, item)], ctx)
        except Exception as error:  # noqa: BLE001 - whatever a feed raises, the subscription gets the error and ends
            return following.failed(error)
        finally:
            if (close := getattr(items, "aclose", None)) is not None:
                await close()
        member.over()
        return None

    def _key(self, operation: Operation, ask: GraphQLRequest, actor: Actor) -> Hashable:
        """What two subscriptions have in common when one answer serves both."""
        document, cursors = self._shape(ask.query, operation)
        variables = {k: v for k, v in (ask.variables or {}).items() if k not in cursors}
        return (
            document,
            operation.name,
            _ordered(variables),
            actor.authority,
        )

    def _shape(self, text: str, operation: Operation) -> tuple[str, frozenset[str]]:
        """The document in its normal form, and the variables that say no more than where to go on from."""
        known = self._shapes.get((text, operation.name))
        if known is None:
            document = operation.document
            known = (print_ast(document), _cursors(document, operation.name))
            size = getsizeof(text) + getsizeof(known[0]) + 1_000
            self._shapes.put((text, operation.name), known, size)
        return known


class _Uses(Visitor):
    """Counts where each variable is used."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def enter_variable(self, node: VariableNode, *_where: Any) -> None:
        """Note one."""
        self.names.append(node.name.value)


def _cursors(document: DocumentNode, name: str | None) -> frozenset[str]:
    """Variables that are given as `after` to the field that is followed, and used nowhere else."""
    uses = _Uses()
    visit(document, uses)
    found = set()
    for node in document.definitions:
        if not isinstance(node, OperationDefinitionNode):
            continue
        if name is not None and (node.name is None or node.name.value != name):
            continue
        for field in node.selection_set.selections:
            for argument in (isinstance(field, FieldNode) and field.arguments) or ():
                if argument.name.value == "after" and isinstance(argument.value, VariableNode):
                    found.add(argument.value.name.value)
    # Once where it is declared, once where it is used.
    return frozenset(each for each in found if uses.names.count(each) == 2)
