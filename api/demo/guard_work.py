"""Guards of the demo company at work: rosters, a car that patrols several clients at night, and what they log.

Every day one guard does not come. Three days lie behind, the next two are published.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api.demo.billing import Step
from domain import occurrences, patrols, posts, shifts
from domain.access import Actor, Origin, Role, Tx
from domain.accounts import Site, User
from domain.core.encryption import SecretCipher
from domain.occurrences import OccurrenceDraft, OccurrenceKind
from domain.patrols import ClaimedPosition, PatrolPoint, PatrolRound, PointKind, ScanDraft

ZONE = ZoneInfo("Europe/Amsterdam")
DAYS_BEFORE, DAYS_AHEAD = 3, 2
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_NO_TAGS = SecretCipher(bytes(32))  # the points of the demo have positions, and no tags to decrypt
_SECOND_POINT = 0.0006  # degrees of latitude north of the first one: 67 m


class Place(NamedTuple):
    """A post of the demo: where, who works there, and from when on, for eight hours."""

    site: str
    post: str
    service: str
    guard: str
    begins: time


PLACES = (
    Place("Terminal Oost", "Poort", "objectbeveiliging", "Yara El Amrani", time(7)),
    Place("Locatie Parkzicht", "Receptie", "receptie", "Tom Verbeek", time(8)),
    Place("Winkelhart", "Passage", "winkelsurveillance", "Sharon Pinas", time(12)),
    Place("Bouwplaats Suikerzijde", "Hek", "objectbeveiliging", "Kees Bakker", time(15)),
)
CAR = Place("AMS-2", "Auto 1", "mobiele surveillance", "Mehmet Yildiz", time(22))
TOUR = (
    ("Locatie Parkzicht", time(22, 30)),
    ("Locatie Eemland", time(0, 15)),
    ("Winkelhart", time(2)),
    ("AMS-2", time(4)),
)
"""Where the car goes, and when the hour of each round begins."""
ENTRIES = (
    (OccurrenceKind.VISITOR, "Monteur lift gemeld bij de balie, begeleid naar de schacht."),
    (OccurrenceKind.KEY, "Sleutel 7 uitgegeven aan de schoonmaak."),
    (OccurrenceKind.PARCEL, "Twee pakketten aangenomen voor de administratie."),
    (OccurrenceKind.DEFECT, "Lamp bij de nooduitgang is stuk."),
    (OccurrenceKind.OBSERVATION, "Raam op de eerste verdieping stond open; gesloten."),
    (OccurrenceKind.OTHER, "Brandmeldpaneel getest met de beheerder."),
)


def absent_on(day: date) -> Place:
    """Return the post where nobody comes on a day."""
    return PLACES[day.toordinal() % len(PLACES)]


@dataclass(frozen=True)
class DemoShift:
    """A shift of the demo as it was planned."""

    place: Place
    day: date
    shift_id: UUID
    from_at: datetime

    @property
    def until_at(self) -> datetime:
        """When it ends."""
        return self.from_at + 8 * HOUR


class GuardWork:
    """What the guards of the demo company do, as steps in order of time."""

    def __init__(self, desk: Actor, sites: Sequence[Site]) -> None:
        self.desk = desk
        self.sites = {site.name: site for site in sites}
        self.guards: dict[str, UUID] = {}
        self.sequence = 0

    async def plan(self, session: AsyncSession, start: datetime, end: datetime) -> list[DemoShift]:
        """Enter posts and routes at `start`, and publish the shifts and rounds of every day until `end`."""
        tx = Tx(session, self.desk, start)
        people = await session.scalars(select(User).where(User.tenant_id == self.desk.tenant_id))
        self.guards = {each.name: each.id for each in people}
        first, last = start.astimezone(ZONE).date() + DAY, end.astimezone(ZONE).date()
        found = []
        for place in (*PLACES, CAR):
            post = await posts.add_post(
                tx, self.sites[place.site].id, name=place.post, service=place.service,
                valid_from_on=first,
            )  # fmt: skip
            ids = []
            for number in range((last - first).days + 1):
                day = first + number * DAY
                begins = datetime.combine(day, place.begins, ZONE)
                change = await shifts.plan_one(
                    tx, post.id, from_at=begins, until_at=begins + 8 * HOUR,
                    user_id=self.guards[place.guard],
                )  # fmt: skip
                ids += change.shift_ids
                found.append(DemoShift(place, day, change.shift_ids[0], begins))
            await shifts.publish(tx, ids)
        for name, local in TOUR:
            site = self.sites[name]
            points = [
                patrols.PointDraft(
                    label, PointKind.GPS, lat=(site.lat or 0) + north, lon=site.lon, radius_m=50
                )
                for label, north in (("Hoofdingang", 0.0), ("Achterzijde", _SECOND_POINT))
            ]
            draft = patrols.RouteDraft(
                "Nachtronde", "mobiele surveillance", "FREQ=DAILY", first, local,
                (datetime.combine(first, local) + HOUR).time(), 60, points,
            )  # fmt: skip
            route = await patrols.add_route(tx, site.id, draft)
            await patrols.plan_rounds(tx, route.id, first_on=first, last_on=last)
        return found

    def steps(self, planned: Sequence[DemoShift], now: datetime) -> Iterator[tuple[datetime, Step]]:
        """What happened on these shifts until now."""
        for number, each in enumerate(planned):
            is_absent = each.place is absent_on(each.day)
            steps = self._absence(each) if is_absent else self._presence(each, number)
            yield from (step for step in steps if step[0] <= now)

    async def walk(self, session: AsyncSession, now: datetime) -> list[tuple[datetime, Step]]:
        """Return the steps of the rounds that began until now; the fifth one leaves out its last point."""
        found = await session.execute(
            select(PatrolRound.id, PatrolRound.route_id, PatrolRound.from_at, PatrolRound.until_at)
            .where(
                PatrolRound.tenant_id == self.desk.tenant_id, PatrolRound.from_at <= now - HOUR / 2
            )
            .order_by(PatrolRound.from_at)
        )
        points = await session.scalars(
            select(PatrolPoint)
            .where(PatrolPoint.tenant_id == self.desk.tenant_id)
            .order_by(PatrolPoint.place)
        )
        of_route: dict[UUID, list[PatrolPoint]] = {}
        for point in points:
            of_route.setdefault(point.route_id, []).append(point)
        steps: list[tuple[datetime, Step]] = []
        for number, (round_id, route_id, from_at, until_at) in enumerate(found):
            walked = of_route[route_id][: 1 if number % 5 == 4 else None]
            at = from_at + 20 * MINUTE
            steps.append((from_at, partial(self._look_at_round, round_id=round_id, at=from_at)))
            steps.append((at, partial(self._scan, points=walked, at=at)))
            over = until_at + 15 * MINUTE
            if over <= now:
                steps.append((over, partial(self._look_at_round, round_id=round_id, at=over)))
        return steps

    def _guard(self, name: str) -> Actor:
        subject = f"user:{self.guards[name]}"
        return Actor(self.desk.tenant_id, Role.GUARD, subject, origin=Origin.HISTORY)

    def _absence(self, each: DemoShift) -> Iterator[tuple[datetime, Step]]:
        """Nobody comes: found a quarter of an hour later, and still so at the end."""
        for at in (each.from_at + 15 * MINUTE, each.until_at):
            yield at, partial(self._look_at_shift, shift_id=each.shift_id, at=at)

    def _presence(self, each: DemoShift, number: int) -> Iterator[tuple[datetime, Step]]:
        guard = self._guard(each.place.guard)
        came, left = each.from_at - (3 + number % 5) * MINUTE, each.until_at + number % 4 * MINUTE

        async def clock_in(session: AsyncSession) -> None:
            await shifts.clock_in(Tx(session, guard, came), each.shift_id)

        async def clock_out(session: AsyncSession) -> None:
            await shifts.clock_out(Tx(session, guard, left), each.shift_id)
            await occurrences.sign_report(
                Tx(session, guard, left + MINUTE), each.shift_id,
                handover="Rustige dienst; sleutels geteld en compleet.",
            )  # fmt: skip

        yield came, clock_in
        for hours in (2, 5):
            kind, words = ENTRIES[(number + hours) % len(ENTRIES)]
            at = each.from_at + hours * HOUR
            draft = OccurrenceDraft(kind, words)
            yield at, partial(self._log, guard=guard, draft=draft, shift_id=each.shift_id, at=at)
        yield left, clock_out

    async def _log(
        self,
        session: AsyncSession,
        *,
        guard: Actor,
        draft: OccurrenceDraft,
        shift_id: UUID,
        at: datetime,
    ) -> None:
        await occurrences.log_entry(Tx(session, guard, at), draft, shift_id=shift_id)

    async def _look_at_shift(self, session: AsyncSession, *, shift_id: UUID, at: datetime) -> None:
        await shifts.look_at_shift(session, shift_id, at=at, origin=Origin.HISTORY)

    async def _look_at_round(self, session: AsyncSession, *, round_id: UUID, at: datetime) -> None:
        await patrols.look_at_round(session, round_id, at=at, origin=Origin.HISTORY)

    async def _scan(
        self, session: AsyncSession, *, points: Sequence[PatrolPoint], at: datetime
    ) -> None:
        scans = []
        for number, point in enumerate(points):
            then = at + number * 4 * MINUTE
            self.sequence += 1
            position = ClaimedPosition(point.lat or 0, point.lon or 0, then, accuracy_m=6.0)
            scans.append(ScanDraft(self.sequence, then, point_id=point.id, position=position))
        sent = at + 10 * MINUTE
        await patrols.upload_scans(
            Tx(session, self._guard(CAR.guard), sent), _NO_TAGS, device="auto-1", sent_at=sent,
            scans=scans,
        )  # fmt: skip


async def guard_steps(
    session: AsyncSession, desk: Actor, sites: Sequence[Site], now: datetime
) -> list[tuple[datetime, Step]]:
    """Plan the roster and the rounds of the demo, and return what guards did in them until now."""
    work = GuardWork(desk, sites)
    start = now - (DAYS_BEFORE + 1) * DAY
    planned = await work.plan(session, start, now + DAYS_AHEAD * DAY)
    return [*work.steps(planned, now), *await work.walk(session, now)]
