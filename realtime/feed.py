"""Feeds: what one actor hears, first from the ledger where it left off, then live, without gap or repeat."""

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

PAGE = 500  # facts read back at once
MOST_KINDS = 500  # to choose by; PostgreSQL takes 32,767 parameters and would seem to be away
TOO_FAR = 10_000  # facts behind: reading the ledger page by page serves better than a feed


@dataclass(frozen=True, slots=True)
class Gap:
    """The last thing a feed says when it cannot go on: everything up to `after` was told, nothing beyond it."""

    after: int
    reason: GapReason


def _as_is(told: SequencedEvent | Gap) -> Any:
    return told


@dataclass(frozen=True, slots=True)
class _Ear:
    """A listener of the hub, in the words of a source."""

    listener: Listener
    shown: Callable[[SequencedEvent | Gap], Any]

    async def take(self) -> Sequence[SourceEvent]:
        return [SourceEvent(fact.seq, self.shown(fact)) for fact in await self.listener.take()]


class Facts(EventSource):
    """The facts of one account (or of all that the actor may watch) in rising `seq`, each once.

    `after` is the place of the last fact the reader has; None starts with what happens from now on. `kinds` None is
    every kind; `only` chooses further, and `where` says as much of that as SQL can. `shown` is what a fact is told as.
    A `Gap` may come as the last item. Refuses an account that does not exist for the actor, a tenant-wide feed without
    the right to it, and an `after` that the ledger has not reached.
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
        self._after, self._told = after, 0
        self._restores = hub.restores

    async def begin(self) -> None:
        """Refuse who may not, and find the place to begin at."""
        if self._kinds is not None and len(self._kinds) > MOST_KINDS:
            raise Refused(Code.INVALID, f"At most {MOST_KINDS} kinds.", argument="kinds")
        await self._hub.ready()
        async with self._make() as session:
            await authorize_topic(session, self._actor, self._topic[1])
            # The ledger's place, not the hub's: what the hub has yet to catch up with is no news either.
            now = await sequencing.last_seq(session)
        self._restores = self._hub.restores
        self._told = now if self._after is None else await self._hub.check_cursor(self._after)

    def place(self) -> int:
        """The hub's position, or the place that the reader has already when that is further."""
        return max(self._told, self._hub.position)

    def ear_place(self) -> int:
        """The hub's position, however far the reader is."""
        return self._hub.position

    @contextmanager
    def listen(self) -> Iterator[SourceListener]:
        """Hear what the hub passes on."""
        with self._hub.listen(self._topic, self._wants, room=self._room) as listener:
            yield _Ear(listener, self._shown)

    async def past(self, upto: int) -> AsyncGenerator[SourceEvent]:
        """Facts behind what was told so far, up to `upto`, from the ledger in bounded pages."""
        if self._after is not None and await self._is_too_far():
            yield SourceEvent(
                self._told, self._shown(Gap(self._told, GapReason.TOO_FAR)), last=True
            )
            return
        self._after = None  # from here on it keeps up
        while self._told < upto:
            async with self._make() as session:
                page = await sequencing.read(
                    session, *self._conditions(), after=self._told, upto=upto, limit=PAGE
                )
            for fact in page:
                self._told = fact.seq
                if self._only is None or self._only(fact):
                    yield SourceEvent(fact.seq, self._shown(fact))
            if len(page) < PAGE:
                self._told = upto

    def gap(self, after: int) -> SourceEvent | None:
        """The notice with which a reader that is too slow is let go."""
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
        missed = select(LedgerRow.seq).where(LedgerRow.seq > self._told, *self._conditions())
        count = select(func.count()).select_from(missed.limit(TOO_FAR + 1).subquery())
        async with self._make() as session:
            return (await session.scalar(count) or 0) > TOO_FAR


async def facts(
    hub: Hub, make: Sessions, actor: Actor, *, after: int | None = None, **asked: Any
) -> AsyncGenerator[SequencedEvent | Gap]:
    """Follow `Facts` alone, behind the fact number `after`."""
    place = None if after is None else LedgerPosition(after)
    async for told in Facts(hub, make, actor, after=place, **asked):
        yield told
