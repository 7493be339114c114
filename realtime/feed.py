"""Feeds: facts for one actor, first the backlog from the ledger, then live facts, without gap or repeat."""

from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from domain.access import Actor, is_visible, visible_to
from domain.core import sequencing
from domain.core.cursor import LedgerPosition
from domain.core.db import Sessions
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.core.sequencing import SequencedEvent
from realtime.hub import ROOM, Hub, Listener
from realtime.source import EventSource, GapReason, SourceEvent, SourceListener
from realtime.topics import Topic, authorize_topic

PAGE = 500  # backlog facts read at once
# kinds to filter by; PostgreSQL's limit of 32,767 parameters would look like an outage
MOST_KINDS = 500
TOO_FAR = 10_000  # facts of backlog; beyond that, reading the ledger page by page is faster


@dataclass(frozen=True, slots=True)
class Gap:
    """Last item of a feed that cannot continue: everything up to `after` was delivered, nothing beyond it."""

    after: int
    reason: GapReason


def _as_is(item: SequencedEvent | Gap) -> Any:
    return item


@dataclass(frozen=True, slots=True)
class _FactListener:
    """A listener of the hub as a `SourceListener`."""

    listener: Listener
    shown: Callable[[SequencedEvent | Gap], Any]

    async def take(self) -> Sequence[SourceEvent]:
        return [SourceEvent(fact.seq, self.shown(fact)) for fact in await self.listener.take()]


class Facts(EventSource):
    """The facts of one account (or of all that the actor may watch) in rising `seq`, each once.

    `after` is the position of the last fact the reader has; None starts with facts recorded from now on.
    `kinds` None is every kind; `only` filters further, and `where` is the part of that filter that SQL can
    apply. `shown` converts a fact or a `Gap` into what is delivered. A `Gap` may come as the last item.
    Refuses an account that does not exist for the actor, a tenant-wide feed without the right to it, and an
    `after` that the ledger has not reached.
    """

    def __init__(
        self,
        hub: Hub,
        make: Sessions,
        actor: Actor,
        *,
        account_id: UUID | None = None,
        kinds: Collection[str] | None = None,
        only: Callable[[SequencedEvent], bool] | None = None,
        where: ColumnElement[bool] | None = None,
        after: LedgerPosition | None = None,
        shown: Callable[[SequencedEvent | Gap], Any] = _as_is,
        room: int = ROOM,
    ) -> None:
        self._hub, self._make, self._actor = hub, make, actor
        self._topic: Topic = (actor.tenant_id, account_id)
        self._kinds = None if kinds is None else frozenset(kinds)
        self._only, self._where, self._shown, self._room = only, where, shown, room
        self._after, self._delivered = after, 0
        self._restores = hub.restores

    async def begin(self) -> None:
        """Check the actor's access and determine the position to begin at."""
        if self._kinds is not None and len(self._kinds) > MOST_KINDS:
            raise Refused(Code.INVALID, f"At most {MOST_KINDS} kinds.", argument="kinds")
        await self._hub.ready()
        async with self._make() as session:
            await authorize_topic(session, self._actor, self._topic[1])
            # The ledger's position, not the hub's: facts that the hub has yet to read are not new either.
            now = await sequencing.last_seq(session)
        self._restores = self._hub.restores
        self._delivered = now if self._after is None else await self._hub.check_cursor(self._after)

    def position(self) -> int:
        """Return the hub's position, or the reader's when that is further."""
        return max(self._delivered, self._hub.position)

    def listener_position(self) -> int:
        """Return the hub's position, regardless of the reader's."""
        return self._hub.position

    @contextmanager
    def listen(self) -> Iterator[SourceListener]:
        """Listen to the facts that the hub distributes."""
        with self._hub.listen(self._topic, self._wants, room=self._room) as listener:
            yield _FactListener(listener, self._shown)

    async def backlog(self, upto: int) -> AsyncGenerator[SourceEvent]:
        """Read the facts not yet delivered, up to `upto`, from the ledger in bounded pages."""
        if self._after is not None and await self._is_too_far():
            yield SourceEvent(
                self._delivered, self._shown(Gap(self._delivered, GapReason.TOO_FAR)), last=True
            )
            return
        self._after = None  # from here on the reader keeps up
        while self._delivered < upto:
            async with self._make() as session:
                page = await sequencing.read(
                    session, *self._conditions(), after=self._delivered, upto=upto, limit=PAGE
                )
            for fact in page:
                self._delivered = fact.seq
                if self._only is None or self._only(fact):
                    yield SourceEvent(fact.seq, self._shown(fact))
            if len(page) < PAGE:
                self._delivered = upto

    def gap(self, after: int) -> SourceEvent | None:
        """Return the notice that ends the feed of a reader that is too slow."""
        restored = self._hub.restores != self._restores
        reason = GapReason.RESTORED if restored else GapReason.TOO_SLOW
        return SourceEvent(after, self._shown(Gap(after, reason)), last=True)

    def _wants(self, fact: SequencedEvent) -> bool:
        return (
            (self._kinds is None or fact.kind in self._kinds)
            and is_visible(self._actor, fact)
            and (self._only is None or self._only(fact))
        )

    def _conditions(self) -> tuple[ColumnElement[bool], ...]:
        _tenant, account_id = self._topic
        return (
            visible_to(self._actor, LedgerRow),
            *(() if account_id is None else (LedgerRow.account_id == account_id,)),
            *(() if self._kinds is None else (LedgerRow.kind.in_(self._kinds),)),
            *(() if self._where is None else (self._where,)),
        )

    async def _is_too_far(self) -> bool:
        missed = select(LedgerRow.seq).where(LedgerRow.seq > self._delivered, *self._conditions())
        count = select(func.count()).select_from(missed.limit(TOO_FAR + 1).subquery())
        async with self._make() as session:
            return (await session.scalar(count) or 0) > TOO_FAR


async def facts(
    hub: Hub, make: Sessions, actor: Actor, *, after: int | None = None, **asked: Any
) -> AsyncGenerator[SequencedEvent | Gap]:
    """Iterate over `Facts` that are not shared, after the fact number `after`."""
    position = None if after is None else LedgerPosition(after)
    async for item in Facts(hub, make, actor, after=position, **asked):
        yield item
