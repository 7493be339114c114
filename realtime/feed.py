"""Feeds: what one actor hears, first from the ledger where it left off, then live, without gap or repeat."""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from domain import numbering
from domain.actor import Actor
from domain.db import Sessions
from domain.errors import Code, Refused
from domain.ledger import Entry
from domain.numbering import Numbered
from realtime.hub import ROOM, Hub
from realtime.topics import Topic, admit, seen_by, sees

PAGE = 500  # facts read back at once
TOO_FAR = 10_000  # facts behind: reading the ledger page by page serves better than a feed


class GapReason(StrEnum):
    """Why a feed ends."""

    TOO_SLOW = "too_slow"  # the reader did not keep up: come back with the cursor
    TOO_FAR = "too_far"  # more was missed than a feed replays: read the ledger, then come back


@dataclass(frozen=True, slots=True)
class Gap:
    """The last thing a feed says when it cannot go on: everything up to `after` was told, nothing beyond it."""

    after: int
    reason: GapReason


@dataclass(frozen=True, slots=True)
class _Asked:
    """One subscription: who asks, for which topic, for which kinds."""

    actor: Actor
    topic: Topic
    kinds: frozenset[str] | None

    def wants(self, fact: Numbered) -> bool:
        return (self.kinds is None or fact.kind in self.kinds) and sees(self.actor, fact)

    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        _tenant, account_id = self.topic
        return (
            seen_by(self.actor),
            *(() if account_id is None else (Entry.account_id == account_id,)),
            *(() if self.kinds is None else (Entry.kind.in_(self.kinds),)),
        )


async def facts(
    hub: Hub,
    make: Sessions,
    actor: Actor,
    *,
    account_id: UUID | None = None,
    kinds: Collection[str] | None = None,
    after: int | None = None,
    room: int = ROOM,
) -> AsyncGenerator[Numbered | Gap]:
    """The facts of one account (or of all that the actor may watch) in rising `seq`, each once.

    `after` is the `seq` of the last fact the reader has; None starts with what happens from now on. `kinds` None is
    every kind. A `Gap` may come as the last item. Refuses (at the first item) an account that does not exist for the
    actor, a tenant-wide feed without the right to it, and an `after` that the ledger has not reached.
    """
    await hub.ready()
    async with make() as session:
        topic = await admit(session, actor, account_id)
        # The ledger's place, not the hub's: what the hub has yet to catch up with is no news either.
        now = await numbering.head(session)
        if after is not None and not 0 <= after <= now:
            raise Refused(Code.CURSOR_INVALID, "The ledger has no such place.", argument="after")
    asked = _Asked(actor, topic, None if kinds is None else frozenset(kinds))
    told = now if after is None else after
    if after is not None and await _is_too_far(make, asked, after):
        yield Gap(after, GapReason.TOO_FAR)
        return
    async with aclosing(_read_back(hub, make, asked, told)) as missed:
        async for fact in missed:
            told = fact.seq
            yield fact
    with hub.listen(topic, asked.wants, room=room) as listener:
        # What was numbered since the last page, up to where listening began; a fact never comes from both sides.
        since = hub.position
        async with make() as session:
            rest = await numbering.read(
                session, *asked.conditions(), after=told, upto=since, limit=room
            )
        for fact in rest:
            told = fact.seq
            yield fact
        while len(rest) < room and (batch := await listener.take()):
            for fact in batch:
                if fact.seq > told:
                    told = fact.seq
                    yield fact
    yield Gap(told, GapReason.TOO_SLOW)


async def _read_back(
    hub: Hub, make: Sessions, asked: _Asked, told: int
) -> AsyncGenerator[Numbered]:
    """Facts beyond `told` from the ledger, in bounded pages, until the hub's position is reached."""
    while told < (upto := hub.position):
        async with make() as session:
            page = await numbering.read(
                session, *asked.conditions(), after=told, upto=upto, limit=PAGE
            )
        for fact in page:
            yield fact
        if len(page) < PAGE:
            return
        told = page[-1].seq


async def _is_too_far(make: Sessions, asked: _Asked, after: int) -> bool:
    missed = select(Entry.seq).where(Entry.seq > after, *asked.conditions()).limit(TOO_FAR + 1)
    async with make() as session:
        count = await session.scalar(select(func.count()).select_from(missed.subquery()))
    return (count or 0) > TOO_FAR
