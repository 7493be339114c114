"""The live map: filter, snapshot and sources of its subscriptions, one guard at a time or as a whole."""

import struct
from base64 import b64encode
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from domain import positions
from domain.access import Actor, is_position_visible
from domain.positions import LivePosition
from realtime.positions import LivePositions, MapListener
from realtime.source import EventSource, SourceEvent
from realtime.topics import Topic, authorize_topic, must_see_site
from schema.core import access_log
from schema.core.context import Context
from schema.core.types import input_type

MOVING_MPS = 0.5
OLD = timedelta(minutes=5)
_RECORD = struct.Struct("<IiiB")


@dataclass(frozen=True, slots=True)
class PositionChange:
    """Change of one guard: visible or moved (with a position), or no longer visible."""

    number: int
    position: LivePosition | None


@dataclass(frozen=True, slots=True)
class FleetSnapshot:
    """All visible guards in packed form."""

    count: int
    data: str


def packed(found: Sequence[LivePosition], at: datetime) -> FleetSnapshot:
    """Return positions in packed form."""
    records = b"".join(
        _RECORD.pack(each.number, round(each.lon * 1e6), round(each.lat * 1e6), _status(each, at))
        for each in found
    )
    return FleetSnapshot(len(found), b64encode(records).decode())


def _status(position: LivePosition, at: datetime) -> int:
    moving = position.speed_mps
    status = 0 if moving is None else 1 if moving > MOVING_MPS else 2
    return status + 4 * (at - position.at > OLD)


@input_type
class MapBox:
    """Rectangle on the map; it crosses the date line when west is greater than east."""

    south: Annotated[float, "Southern edge: lowest latitude in degrees."]
    west: Annotated[float, "Western edge: longitude in degrees."]
    north: Annotated[float, "Northern edge: highest latitude in degrees."]
    east: Annotated[float, "Eastern edge: longitude in degrees."]


def _inside(box: MapBox | None, position: LivePosition) -> bool:
    if box is None:
        return True
    if not box.south <= position.lat <= box.north:
        return False
    if box.west <= box.east:
        return box.west <= position.lon <= box.east
    return position.lon >= box.west or position.lon <= box.east


class MapFilter(NamedTuple):
    """Filter of the live map with its actor."""

    actor: Actor
    account_id: UUID | None
    site_id: UUID | None
    box: MapBox | None

    def shows(self, position: LivePosition) -> bool:
        """Whether a position passes the filter."""
        return (
            is_position_visible(self.actor, position)
            and (self.account_id is None or position.account_id == self.account_id)
            and (self.site_id is None or position.site_id == self.site_id)
            and _inside(self.box, position)
        )


class PositionSource(EventSource):
    """Source of the live map, one guard at a time: the snapshot first, then each movement."""

    def __init__(self, ctx: Context, sight: MapFilter) -> None:
        self._ctx = ctx
        self._sight = sight
        self._live: LivePositions = ctx.live
        self._topic: Topic = (sight.actor.tenant_id, sight.account_id)
        self._shown_ms: dict[UUID, int] = {}
        self._sighted: set[UUID] = set()

    async def begin(self) -> None:
        """Check the actor's access and record the read of positions."""
        async with self._ctx.sessions() as session:
            self._topic = await authorize_topic(session, self._sight.actor, self._sight.account_id)
            await must_see_site(session, self._sight.actor, self._sight.site_id)
            found = await self._now(session)
        self._sighted.update(each.duty_id for each in found)
        accounts_seen = {each.account_id for each in found}
        if self._sight.account_id is not None:
            accounts_seen.add(self._sight.account_id)
        await access_log.note_positions(
            self._ctx.sessions, self._ctx.actor, accounts_seen, at=self._ctx.now()
        )

    async def backlog(self, upto: int) -> AsyncGenerator[SourceEvent]:  # noqa: ARG002 - no position in the ledger
        """Deliver all visible guards; on later calls those who moved since."""
        async with self._ctx.sessions() as session:
            found = await self._now(session)
        for each in found:
            if self._shown_ms.get(each.duty_id) != each.at_ms:
                self._shown_ms[each.duty_id] = each.at_ms
                self._sighted.add(each.duty_id)
                yield SourceEvent(None, PositionChange(each.number, each), latest=each.duty_id)

    @contextmanager
    def listen(self) -> Iterator["PositionListener"]:
        """Listen for movements from now on."""
        with self._live.listen(self._topic) as listener:
            yield PositionListener(listener, self._sight, self._sighted, self._shown_ms)

    async def _now(self, session: AsyncSession) -> list[LivePosition]:
        sight = self._sight
        found = await positions.last_positions(
            session, sight.actor, account_id=sight.account_id, site_id=sight.site_id
        )
        return [each for each in found if sight.shows(each)]


class PositionListener:
    """Listener that reports for each guard a position, or that the guard is no longer visible."""

    def __init__(
        self, listener: MapListener, sight: MapFilter, sighted: set[UUID], shown_ms: dict[UUID, int]
    ) -> None:
        self._listener = listener
        self._sight = sight
        self._sighted = sighted
        self._shown_ms = shown_ms

    async def take(self) -> Sequence[SourceEvent]:
        """Wait until a visible guard moved or is no longer visible."""
        while True:
            changes = [
                SourceEvent(None, step, latest=each.duty_id)
                for each in await self._listener.take()
                if (step := self._step(each)) is not None
            ]
            if changes:
                return changes

    def _step(self, position: LivePosition) -> PositionChange | None:
        if self._sight.shows(position):
            # Positions from shortly before the snapshot arrive again; deliver only newer ones.
            if position.at_ms <= self._shown_ms.get(position.duty_id, -1):
                return None
            self._shown_ms[position.duty_id] = position.at_ms
            self._sighted.add(position.duty_id)
            return PositionChange(position.number, position)
        if position.duty_id not in self._sighted:
            return None  # never visible to this reader, who must not learn of it
        self._sighted.discard(position.duty_id)
        return PositionChange(position.number, None)


class FleetSource(PositionSource):
    """Source of the live map as a whole: all visible guards, after each change."""

    _delivered: FleetSnapshot | None = None

    async def backlog(self, upto: int) -> AsyncGenerator[SourceEvent]:  # noqa: ARG002 - no position in the ledger
        """Deliver all visible guards; on later calls only after a change."""
        now = await self._packed()
        if now != self._delivered:
            self._delivered = now
            yield SourceEvent(None, now, latest="fleet")

    @contextmanager
    def listen(self) -> Iterator["FleetListener"]:  # type: ignore[override]
        """Listen for changes from now on."""
        with self._live.listen(self._topic) as listener:
            yield FleetListener(listener, self)

    async def _packed(self) -> FleetSnapshot:
        async with self._ctx.sessions() as session:
            return packed(await self._now(session), self._ctx.now())


class FleetListener:
    """Listener that delivers the whole map after a change."""

    def __init__(self, listener: MapListener, source: FleetSource) -> None:
        self._listener = listener
        self._source = source

    async def take(self) -> Sequence[SourceEvent]:
        """Wait for a change and return the whole map."""
        await self._listener.take()
        return [SourceEvent(None, await self._source._packed(), latest="fleet")]
