"""Guards on duty: devices, duties, where everybody is now, and what positions prove."""

import struct
from base64 import b64encode
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple
from uuid import UUID

import strawberry
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import accounts, positions
from domain.actor import Actor
from domain.credentials import Device as DeviceRow
from domain.duties import Duty as DutyRow
from domain.positions import WORDS, Kind, Outcome, Position, Reading, Reason
from domain.positions import Presence as PresenceRow
from realtime.positions import Ear, Live
from realtime.source import Source, Told
from realtime.topics import Topic, admit
from schema import ids, personal
from schema.accounts import Account, Site, User
from schema.context import Context, Info
from schema.fence import seen
from schema.ids import Node
from schema.pages import After, Before, Connection, First, Last, Order, Page, Window, checked, page
from schema.thin import answers, follows, names, shows, takes
from schema.verbs import AccountId, Ask, ExpectedVersion, Ref, SiteId, verb

names(
    Kind, "PresenceKind",
    stay="Inside a site's fence.", dwell="Standing still, wherever. For the company only.",
    silence="On duty, and not heard of. For the company only.",
    absence="Expected at a site, and not there.",
)  # fmt: skip
names(
    Reason, "FixRefusal",  # type: ignore[type-var]
    fine="Nothing wrong.", unreadable=WORDS[Reason.UNREADABLE],
    impossible_place=WORDS[Reason.IMPOSSIBLE_PLACE], impossible_value=WORDS[Reason.IMPOSSIBLE_VALUE],
    from_the_future=WORDS[Reason.FROM_THE_FUTURE], too_old=WORDS[Reason.TOO_OLD],
    off_duty=WORDS[Reason.OFF_DUTY],
)  # fmt: skip

DeviceId = Annotated[UUID, Ref("Device")]
DutyId = Annotated[UUID, Ref("Duty")]
MOVING_MPS = 0.5
OLD = timedelta(minutes=5)
_RECORD = struct.Struct("<IiiB")

DeviceParent = strawberry.Parent[DeviceRow]
DutyParent = strawberry.Parent[DutyRow]
PresenceParent = strawberry.Parent[PresenceRow]
PositionParent = strawberry.Parent[Position]


@shows(DeviceRow)
class Device(Node):
    """What a guard carries, and what hands in where it is."""

    name: Annotated[str, "What its owner calls it."]
    enrolled_at: Annotated[datetime, "Since when it hands in fixes."]
    revoked_at: Annotated[datetime | None, "Since when it may not any more."]

    @answers(User | None)
    @staticmethod
    async def user(row: DeviceParent, info: Info) -> accounts.User | None:
        """Whose it is."""
        return await info.context.loaders.user.load(row.user_id)


@shows(DutyRow)
class Duty(Node):
    """A guard at work for a client; only meanwhile is it known where the guard's device is."""

    number: Annotated[int, "What you know the guard by: the same at this client every time."]
    from_at: Annotated[datetime, "From when."]
    until_at: Annotated[datetime, "Until when."]
    ended_at: Annotated[datetime | None, "When it ended; null while it is to come or lasts."]
    grace_s: Annotated[int, "How long the guard may be on the way to the place."]
    silent_after_s: Annotated[int, "After how long without a fix the device counts as silent."]

    @answers(Account | None)
    @staticmethod
    async def account(row: DutyParent, info: Info) -> accounts.Account | None:
        """The client."""
        return await info.context.loaders.account.load(row.account_id)

    @answers(Site | None)
    @staticmethod
    async def site(row: DutyParent, info: Info) -> accounts.Site | None:
        """The place where the guard is expected; null for one who goes round all of the client's places."""
        return None if row.site_id is None else await info.context.loaders.site.load(row.site_id)

    @answers(User | None)
    @staticmethod
    async def user(row: DutyParent, info: Info) -> accounts.User | None:
        """The guard. Null for clients."""
        if info.context.actor.is_client:
            return None
        return await info.context.loaders.user.load(row.user_id)


@shows(PresenceRow)
class Presence(Node):
    """Something positions prove about a guard on duty."""

    kind: Annotated[Kind, "What."]
    from_at: Annotated[datetime, "From when, by the instants of fixes."]
    until_at: Annotated[datetime | None, "Until when; null while it lasts."]
    fixes: Annotated[list[datetime], "The instants of the fixes that prove the beginning."]

    @answers(Duty | None)
    @staticmethod
    async def duty(row: PresenceParent, info: Info) -> DutyRow | None:
        """The duty."""
        duty: DutyRow | None = await info.context.loaders.of_type["Duty"].load(row.duty_id)
        return duty

    @answers(Site | None)
    @staticmethod
    async def site(row: PresenceParent, info: Info) -> accounts.Site | None:
        """The place, of a stay or an absence."""
        return None if row.site_id is None else await info.context.loaders.site.load(row.site_id)


@shows(Position)
class GuardPosition:
    """Where a guard on duty is, by the newest fix; clients are shown those inside their own fences."""

    number: Annotated[int, "What you know the guard by."]
    at: Annotated[datetime, "When the fix was made."]
    lat: Annotated[float, "Latitude in degrees, WGS 84."]
    lon: Annotated[float, "Longitude in degrees, WGS 84."]
    accuracy_m: Annotated[float | None, "How far off it may be, in metres."]
    speed_mps: Annotated[float | None, "Metres a second."]
    heading_deg: Annotated[float | None, "Degrees from true north."]
    battery_pct: Annotated[float | None, "What is left in the battery, in percent."]

    @answers(Site | None)
    @staticmethod
    async def site(row: PositionParent, info: Info) -> accounts.Site | None:
        """The place in whose fence that is."""
        return None if row.site_id is None else await info.context.loaders.site.load(row.site_id)

    @answers(Duty | None)
    @staticmethod
    async def duty(row: PositionParent, info: Info) -> DutyRow | None:
        """The duty."""
        duty: DutyRow | None = await info.context.loaders.of_type["Duty"].load(row.duty_id)
        return duty


@dataclass(frozen=True, slots=True)
class Step:
    """A guard came into sight or moved (with a position), or went out of sight."""

    number: int
    position: Position | None


@shows(Step)
class PositionEvent:
    """A guard came into sight or moved, or (without a position) is out of your sight: off duty or elsewhere."""

    number: Annotated[int, "What you know the guard by."]

    @answers(GuardPosition | None)
    @staticmethod
    def position(row: strawberry.Parent[Step]) -> Position | None:
        """Where the guard is now; null: out of your sight."""
        return row.position


@dataclass(frozen=True, slots=True)
class Flock:
    """Everybody in sight, packed."""

    count: int
    data: str


@shows(Flock)
class Fleet:
    """Everybody in your sight at one moment, packed.

    `data` is base64 of 13 bytes for each guard, little-endian: number (uint32), longitude and latitude in millionths
    of a degree (int32 each), status (uint8: 0 speed unknown, 1 moving, 2 standing; 4 more when over 5 minutes old).
    """

    count: Annotated[int, "How many guards."]
    data: Annotated[str, "The records."]


def packed(found: Sequence[Position], at: datetime) -> Flock:
    """The compact form of positions."""
    records = b"".join(
        _RECORD.pack(each.number, round(each.lon * 1e6), round(each.lat * 1e6), _status(each, at))
        for each in found
    )
    return Flock(len(found), b64encode(records).decode())


def _status(position: Position, at: datetime) -> int:
    moving = position.speed_mps
    status = 0 if moving is None else 1 if moving > MOVING_MPS else 2
    return status + 4 * (at - position.at > OLD)


@takes
class MapBox:
    """A part of the map; over the date line when west is greater than east."""

    south: Annotated[float, "Lowest latitude."]
    west: Annotated[float, "Longitude of the left edge."]
    north: Annotated[float, "Highest latitude."]
    east: Annotated[float, "Longitude of the right edge."]


def _inside(box: MapBox | None, position: Position) -> bool:
    if box is None:
        return True
    if not box.south <= position.lat <= box.north:
        return False
    if box.west <= box.east:
        return box.west <= position.lon <= box.east
    return position.lon >= box.west or position.lon <= box.east


class Sight(NamedTuple):
    """What is looked at, by whom."""

    actor: Actor
    account_id: UUID | None
    site_id: UUID | None
    box: MapBox | None

    def shows(self, position: Position) -> bool:
        """Whether a position is in sight."""
        return (
            positions.sees(self.actor, position)
            and (self.account_id is None or position.account_id == self.account_id)
            and (self.site_id is None or position.site_id == self.site_id)
            and _inside(self.box, position)
        )


class Watching(Source):
    """The live map as one thing to follow, one guard at a time: the snapshot first, then who moves."""

    def __init__(self, ctx: Context, sight: Sight) -> None:
        self._ctx = ctx
        self._sight = sight
        self._live: Live = ctx.live
        self._topic: Topic = (sight.actor.tenant_id, sight.account_id)
        self._shown_ms: dict[UUID, int] = {}
        self._sighted: set[UUID] = set()

    async def begin(self) -> None:
        """Refuse who may not look; write down who does."""
        async with self._ctx.sessions() as session:
            self._topic = await admit(session, self._sight.actor, self._sight.account_id)
            found = await self._now(session)
        self._sighted.update(each.duty_id for each in found)
        accounts_seen = {each.account_id for each in found}
        if self._sight.account_id is not None:
            accounts_seen.add(self._sight.account_id)
        await personal.note_positions(
            self._ctx.sessions, self._ctx.actor, accounts_seen, at=self._ctx.now()
        )

    async def past(self, upto: int) -> AsyncGenerator[Told]:  # noqa: ARG002 - the map has no ledger place
        """Everybody in sight now; asked again, who moved since."""
        async with self._ctx.sessions() as session:
            found = await self._now(session)
        for each in found:
            if self._shown_ms.get(each.duty_id) != each.at_ms:
                self._shown_ms[each.duty_id] = each.at_ms
                self._sighted.add(each.duty_id)
                yield Told(None, Step(each.number, each), latest=each.duty_id)

    @contextmanager
    def listen(self) -> Iterator["Changes"]:
        """Hear who moves from now on."""
        with self._live.listen(self._topic) as ear:
            yield Changes(ear, self._sight, self._sighted)

    async def _now(self, session: AsyncSession) -> list[Position]:
        sight = self._sight
        found = await positions.where(
            session, sight.actor, account_id=sight.account_id, site_id=sight.site_id
        )
        return [each for each in found if sight.shows(each)]


class Changes:
    """An ear that says for each guard: where, or out of sight."""

    def __init__(self, ear: Ear, sight: Sight, sighted: set[UUID]) -> None:
        self._ear = ear
        self._sight = sight
        self._sighted = sighted

    async def take(self) -> Sequence[Told]:
        """Wait until somebody in sight moved, or went out of sight."""
        while True:
            told = [
                Told(None, step, latest=each.duty_id)
                for each in await self._ear.take()
                if (step := self._step(each)) is not None
            ]
            if told:
                return told

    def _step(self, position: Position) -> Step | None:
        if self._sight.shows(position):
            self._sighted.add(position.duty_id)
            return Step(position.number, position)
        if position.duty_id not in self._sighted:
            return None  # never seen here, and nobody's business
        self._sighted.discard(position.duty_id)
        return Step(position.number, None)


class Overview(Watching):
    """The live map as one thing to follow, as a whole: everybody in sight, whenever something changed."""

    _told: Flock | None = None

    async def past(self, upto: int) -> AsyncGenerator[Told]:  # noqa: ARG002
        """Everybody in sight now; asked again, if that changed."""
        now = await self._packed()
        if now != self._told:
            self._told = now
            yield Told(None, now, latest="fleet")

    @contextmanager
    def listen(self) -> Iterator["Pictures"]:  # type: ignore[override]
        """Hear of everybody from now on."""
        with self._live.listen(self._topic) as ear:
            yield Pictures(ear, self)

    async def _packed(self) -> Flock:
        async with self._ctx.sessions() as session:
            return packed(await self._now(session), self._ctx.now())


class Pictures:
    """An ear that tells the whole picture when something changed."""

    def __init__(self, ear: Ear, overview: Overview) -> None:
        self._ear = ear
        self._overview = overview

    async def take(self) -> Sequence[Told]:
        """Wait for a change; then all that there is to see."""
        await self._ear.take()
        return [Told(None, await self._overview._packed(), latest="fleet")]


AccountFilter = Annotated[strawberry.ID | None, "Only at this client; null for all of them."]
SiteFilter = Annotated[strawberry.ID | None, "Only inside this place's fence."]
Box = Annotated[MapBox | None, "Only in this part of the map."]


def _sight(ctx: Context, account_id: str | None, site_id: str | None, box: MapBox | None) -> Sight:
    return Sight(
        ctx.actor,
        None if account_id is None else ids.wanted(account_id, "Account", "accountId"),
        None if site_id is None else ids.wanted(site_id, "Site", "siteId"),
        box,
    )


@strawberry.type
class PositionQuery:
    """Questions about guards on duty."""

    @answers(Connection[Device])
    @staticmethod
    async def devices(
        info: Info,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """What guards carry, newest first; the company's own people see it."""
        query = _seen(info, DeviceRow)
        order = Order((DeviceRow.enrolled_at, DeviceRow.id), descending=True)
        return await page(info.context, query, order, Window(first, after, last, before))

    @answers(Connection[Duty])
    @staticmethod
    async def duties(
        info: Info,
        account_id: Annotated[strawberry.ID | None, "Only for this client."] = None,
        running: Annotated[bool, "Only those that have not ended."] = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """Who is on duty, was or will be, the latest first."""
        query = _seen(info, DutyRow)
        if account_id is not None:
            query = query.where(DutyRow.account_id == ids.known(account_id, "Account"))
        if running:
            query = query.where(DutyRow.ended_at.is_(None))
        order = Order((DutyRow.from_at, DutyRow.id), descending=True)
        return await page(info.context, query, order, Window(first, after, last, before))

    @answers(Connection[Presence])
    @staticmethod
    async def presences(
        info: Info,
        account_id: Annotated[strawberry.ID | None, "Only for this client."] = None,
        site_id: Annotated[strawberry.ID | None, "Only at this place."] = None,
        kinds: Annotated[list[Kind] | None, "Only such."] = None,
        lasting: Annotated[bool, "Only what lasts: the status now."] = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page:
        """What positions prove, the latest first; what lasts is the status of the places."""
        query = _seen(info, PresenceRow)
        if account_id is not None:
            query = query.where(PresenceRow.account_id == ids.known(account_id, "Account"))
        if site_id is not None:
            query = query.where(PresenceRow.site_id == ids.known(site_id, "Site"))
        if kinds is not None:
            query = query.where(PresenceRow.kind.in_(kinds))
        if lasting:
            query = query.where(PresenceRow.until_at.is_(None))
        order = Order((PresenceRow.from_at, PresenceRow.id), descending=True)
        return await page(info.context, query, order, Window(first, after, last, before))

    @answers(list[GuardPosition])
    @staticmethod
    async def positions(
        info: Info,
        account_id: AccountFilter = None,
        site_id: SiteFilter = None,
        first: Annotated[int, "How many, 100 at most."] = 100,
    ) -> list[Position]:
        """Where guards on duty are now. That somebody looked is written down."""
        return await _look(info, account_id, site_id, checked(first, "first"))

    @answers(Fleet)
    @staticmethod
    async def fleet(
        info: Info, account_id: AccountFilter = None, site_id: SiteFilter = None
    ) -> Flock:
        """The same for everybody at once, packed."""
        return packed(await _look(info, account_id, site_id, None), info.context.at)


def _seen(info: Info, model: Any) -> Any:
    """Everything of a model that the actor may see."""
    return select(model).where(seen(info.context.actor, model))


async def _look(
    info: Info, account_id: str | None, site_id: str | None, limit: int | None
) -> list[Position]:
    ctx: Context = info.context
    nowhere = UUID(int=0)
    async with ctx.sessions() as session:
        found = await positions.where(
            session,
            ctx.actor,
            account_id=None if account_id is None else ids.known(account_id, "Account") or nowhere,
            site_id=None if site_id is None else ids.known(site_id, "Site") or nowhere,
            limit=limit,
        )
    seen_of = {each.account_id for each in found}
    await personal.note_positions(ctx.sessions, ctx.actor, seen_of, at=ctx.at)
    return found


@strawberry.type
class PositionSubscription:
    """The live map."""

    @follows(PositionEvent)
    def positions(
        self,
        info: Info,
        account_id: AccountFilter = None,
        site_id: SiteFilter = None,
        box: Box = None,
    ) -> Watching:
        """Where guards on duty are: everybody in sight first, then each as it moves; who is slow is told the latest."""
        return Watching(info.context, _sight(info.context, account_id, site_id, box))

    @follows(Fleet)
    def fleet(
        self,
        info: Info,
        account_id: AccountFilter = None,
        site_id: SiteFilter = None,
        box: Box = None,
    ) -> Overview:
        """The same for large fleets: everybody in sight, packed, whenever something changed."""
        return Overview(info.context, _sight(info.context, account_id, site_id, box))


@takes
class FixInput:
    """One fix; what is not known is left out."""

    at: Annotated[datetime, "When it was made, by the device."]
    lat: Annotated[float, "Latitude in degrees, WGS 84."]
    lon: Annotated[float, "Longitude in degrees, WGS 84."]
    accuracy_m: Annotated[float | None, "How far off it may be, in metres."] = None
    speed_mps: Annotated[float | None, "Metres a second."] = None
    heading_deg: Annotated[float | None, "Degrees from true north."] = None
    altitude_m: Annotated[float | None, "Metres above the ellipsoid."] = None
    battery_pct: Annotated[float | None, "Percent."] = None
    charging: Annotated[bool | None, "Whether it is being charged."] = None
    mock: Annotated[bool | None, "Whether the device says that the position is made up."] = None


@dataclass(frozen=True, slots=True)
class RefusedFix:
    """A fix that was not taken."""

    index: int
    reason: Reason


@shows(RefusedFix)
class FixRefused:
    """A fix that was not taken."""

    index: Annotated[int, "Which, from 0."]
    reason: Annotated[Reason, "Why."]


@dataclass(frozen=True, slots=True)
class Taken:
    """A report's row is its device; counts are None when the answer is repeated under its key."""

    row: DeviceRow
    outcome: Outcome | None = None


@shows(Taken)
class PositionReport:
    """What became of the fixes of a report: each is stored now, known already, or refused."""

    @answers(Device)
    @staticmethod
    def device(row: strawberry.Parent[Taken]) -> DeviceRow:
        """The device."""
        return row.row

    @answers(int | None)
    @staticmethod
    def accepted(row: strawberry.Parent[Taken]) -> int | None:
        """How many were stored; null when the answer is repeated under its key."""
        return None if row.outcome is None else row.outcome.accepted

    @answers(int | None)
    @staticmethod
    def duplicates(row: strawberry.Parent[Taken]) -> int | None:
        """How many were known; null when the answer is repeated under its key."""
        return None if row.outcome is None else row.outcome.duplicates

    @answers(list[FixRefused])
    @staticmethod
    def refused(row: strawberry.Parent[Taken]) -> list[RefusedFix]:
        """Which were not taken, and why."""
        return [] if row.outcome is None else [RefusedFix(*each) for each in row.outcome.refused]


@strawberry.type
class PositionMutation:
    """Verbs about guards on duty."""

    @verb(PositionReport, again=Taken)
    @staticmethod
    async def report_positions(
        ask: Ask,
        device_id: Annotated[DeviceId, "Your device."],
        fixes: Annotated[list[FixInput], "The fixes, 1,000 at most, in any order."],
        sent_at: Annotated[datetime | None, "What the device's clock says now."] = None,
    ) -> Taken:
        """Hand in where your device was; each fix counts once, however often it is sent."""
        readings = [Reading(**vars(each)) for each in fixes]
        skew_s = float("nan") if sent_at is None else (ask.at - sent_at).total_seconds()
        device, outcome = await positions.report(
            ask.session, ask.actor, device_id, readings, skew_s=skew_s, at=ask.at
        )
        return Taken(device, outcome)

    @verb(Duty)
    @staticmethod
    async def assign_device(
        ask: Ask,
        device_id: Annotated[DeviceId, "What the guard carries."],
        account_id: Annotated[AccountId, "The client."],
        from_at: Annotated[datetime, "From when; also in the past."],
        until_at: Annotated[datetime, "Until when, 31 days later at most."],
        site_id: Annotated[SiteId | None, "The place where the guard is expected."] = None,
        grace_s: Annotated[int, "How long the guard may be on the way there."] = 900,
        silent_after_s: Annotated[int, "After how long without a fix it is silent."] = 300,
    ) -> DutyRow:
        """Put the owner of a device on duty."""
        return await positions.assign(
            ask.session, ask.actor, device_id, account_id, from_at=from_at, until_at=until_at,
            site_id=site_id, grace_s=grace_s, silent_after_s=silent_after_s, at=ask.at,
        )  # fmt: skip

    @verb(Duty)
    @staticmethod
    async def end_duty(ask: Ask, id: Annotated[DutyId, "The duty."]) -> DutyRow:
        """Let a guard go; where the guard is from then on is not known."""
        return await positions.end(ask.session, ask.actor, id, at=ask.at)

    @verb(Site)
    @staticmethod
    async def fence_site(
        ask: Ask,
        site_id: Annotated[SiteId, "The place."],
        radius_m: Annotated[float | None, "A circle around it, in metres."] = None,
        outline: Annotated[
            list[float] | None, "Or its corners: latitude, longitude, latitude, longitude …"
        ] = None,
        expected_version: ExpectedVersion = None,
    ) -> accounts.Site:
        """Draw a site's fence: inside, a guard is at the site. With neither the fence is taken away."""
        return await positions.draw_fence(
            ask.session, ask.actor, site_id, radius_m=radius_m, outline=outline, at=ask.at,
            expected_version=expected_version,
        )  # fmt: skip
