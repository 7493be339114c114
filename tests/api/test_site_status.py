"""How places stand, followed: whatever phones and people do, what was told last is what is asked now."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import accounts, numbering, positions
from domain.accounts import Site
from domain.actor import Actor
from domain.db import transaction
from domain.errors import Refused
from domain.positions import Reading, Report
from realtime.stream import Streams
from tests import facts, guards
from tests.api import asking
from tests.api.asking import Office, Server, Socket
from tests.api.test_sockets import listening
from tests.guards import Guard, near

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEEP = timedelta(days=2)
APART_M = 2_000
PRESENCE = "{ id kind fromAt untilAt fixes site { id } duty { id number user { id } } }"
SHOWN = f"""cursor siteCount
  sites(first: 9) {{ site {{ id name }} state onDuty {{ id number fromAt untilAt user {{ id }} }}
    inside {PRESENCE} absent {PRESENCE} silent {PRESENCE} }}
  roaming {{ duty {{ id number }} inside {PRESENCE} silent {PRESENCE} }}"""
STATUS = f"($a: ID!) {{ accountStatus(accountId: $a) {{ {SHOWN} }} }}"
ASKED = f"""query ($a: ID!) {{ accountStatus(accountId: $a) {{ {SHOWN} }}
  ledger(accountId: $a, last: 100) {{ nodes {{ kind cursor }} }} }}"""
STILL = {"guard.stopped", "guard.moved"}


@dataclass
class Day:
    """A client's places and guards on a day whose clock stands still between what happens."""

    server: Server
    office: Office
    chance: random.Random
    at: datetime = START
    shipped: int = 0
    sites: list[Site] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    heard_at: dict[Any, datetime] = field(default_factory=dict)
    """Up to when each device's fixes were handed in."""

    @property
    def system(self) -> Actor:
        return Actor.system(self.office.world.tenant.id, "test")

    async def begin(self) -> None:
        """Three places, two of them fenced; guards at two of them, one going round, one to come."""
        self.server.api.state.now = lambda: self.at
        account = self.office.world.account.id
        async with transaction(self.server.api.make) as session:
            await positions.have_days(session, at=START + KEEP, keep=2 * KEEP)
            for n, name in enumerate("CAB"):
                place = near(n * APART_M)
                site = await accounts.add_site(
                    session, self.system, account, name=f"Post {name}", at=self.at, **place
                )
                self.sites.append(site)
                if name != "B":
                    await positions.draw_fence(
                        session, self.system, site.id, radius_m=50, at=self.at
                    )
        where = (0, 1, 1, None, 2)
        for post, begins_in in zip(where, (0, 0, 20, 0, 10), strict=True):
            self.guards.append(
                await guards.on_duty(
                    self.server.api.make, self.office.world, site=self.sites[post or 0],
                    at_site=post is not None, from_at=self.at + timedelta(minutes=begins_in),
                    until_at=self.at + timedelta(minutes=begins_in + 60), grace_s=300,
                )
            )  # fmt: skip

    async def something(self) -> None:
        """One thing that people or phones do, chosen by chance; or nothing, while time goes by."""
        self.at += timedelta(seconds=self.chance.randint(20, 240))
        what = [self.walk, self.walk, self.late, self.nothing, self.nothing, self.end, self.assign]
        if self.chance.random() < 0.1:
            await self.fence()
        else:
            await self.chance.choice(what)(self.chance.choice(self.guards))

    async def nothing(self, guard: Guard) -> None:
        """Time goes by."""

    async def walk(self, guard: Guard) -> None:
        """Hand in fixes of the last seconds at one of the places, or away from all."""
        await self.hand_in(guard, self.at - timedelta(seconds=60), self.at)

    async def late(self, guard: Guard) -> None:
        """Hand in what was kept while offline: before what was handed in already."""
        upto = self.heard_at.get(guard.device.id, self.at) - timedelta(seconds=90)
        await self.hand_in(guard, upto - timedelta(seconds=60), upto)

    async def hand_in(
        self, guard: Guard, since: datetime, upto: datetime, north: float | None = None
    ) -> None:
        """Hand in a fix every ten seconds, all from one place."""
        if north is None:
            north = self.chance.choice([0, 0, 1, 2, 0.5]) * APART_M
        place = near(north)
        readings = []
        while since <= upto:
            readings.append(Reading(since, place["lat"], place["lon"], accuracy_m=5))
            since += timedelta(seconds=10)
        make = self.server.api.make
        async with make() as session:
            post = await positions.post_of(session, guard.device.id, since=self.at - KEEP)
        assert post is not None
        report = Report(post, readings, 1, float("nan"))
        await positions.accept(make, [report], {}, at=self.at, keep=KEEP)
        self.heard_at[guard.device.id] = max(upto, self.heard_at.get(guard.device.id, upto))

    async def end(self, guard: Guard) -> None:
        """Let somebody go."""
        async with transaction(self.server.api.make) as session:
            await positions.end(session, self.system, guard.duty.id, at=self.at)

    async def assign(self, guard: Guard) -> None:
        """Put somebody on duty again, from a while ago, now or in a while; who is on duty then stays so."""
        from_at = self.at + timedelta(minutes=self.chance.choice([-5, 0, 5]))
        site = self.chance.choice([*self.sites, None])
        try:
            async with transaction(self.server.api.make) as session:
                duty = await positions.assign(
                    session, self.system, guard.device.id, self.office.world.account.id,
                    site_id=None if site is None else site.id, from_at=from_at,
                    until_at=from_at + timedelta(minutes=30), grace_s=300, at=self.at,
                )  # fmt: skip
        except Refused:
            return
        self.guards[self.guards.index(guard)] = Guard(
            guard.user, guard.device, guard.token, duty, guard.site
        )

    async def fence(self) -> None:
        """Draw one of the fences anew, or take it away."""
        site = self.chance.choice(self.sites)
        async with transaction(self.server.api.make) as session:
            await positions.draw_fence(
                session, self.system, site.id,
                radius_m=self.chance.choice([None, 50, 80, APART_M * 0.6]), at=self.at,
            )  # fmt: skip

    async def work(self) -> None:
        """Do what workers do: end what is over, judge what is due, tell what was recorded."""
        make = self.server.api.make
        async with transaction(make) as session:
            await positions.end_overdue(session, at=self.at)
        async with make() as session:
            due = await positions.due(session, at=self.at)
        for duty_id in due:
            async with transaction(make) as session:
                await positions.judge(session, duty_id, at=self.at)
        await self.tell()

    async def tell(self) -> None:
        """Do what the relay does: number and ship."""
        make = self.server.api.make
        await facts.number_all(make)
        async with make() as session:
            streams = Streams(self.server.api.state.redis, await numbering.ledger_name(session))
            news = await numbering.read(session, after=self.shipped, limit=1000)
        if news:
            await streams.ship(news)
            self.shipped = news[-1].seq


@dataclass
class Watcher:
    """Somebody who follows how a client stands, and asks the ledger how far that should have come."""

    day: Day
    socket: Socket
    token: str
    told: Any = None
    reached: str | None = None
    many: int = 0

    async def begin(self) -> None:
        """Be told how it stands."""
        await self.socket.subscribe("1", f"subscription {STATUS}", a=self.day.office.account)
        self.told = (await self.socket.next())["accountStatus"]
        _, self.reached = await self.asked()

    async def asked(self) -> tuple[Any, str | None]:
        """The status asked afresh, and the cursor of the last fact this watcher may know of that changes it."""
        data = await self.day.server.api.data(self.token, ASKED, a=self.day.office.account)
        changes = [
            node["cursor"]
            for node in data["ledger"]["nodes"]
            if node["kind"].startswith(("duty.", "guard.", "site.")) and node["kind"] not in STILL
        ]
        return data["accountStatus"], changes[-1] if changes else None

    async def is_up_to_date(self) -> bool:
        """Hear everything that was told up to now: whether the last of it is what is asked now."""
        fresh, last = await self.asked()
        while last != self.reached:
            self.told = (await self.socket.next())["accountStatus"]
            self.many += 1
            if self.told["cursor"] == last:
                self.reached = last
        same: bool = standing(self.told) == standing(fresh)
        return same


def standing(status: Any) -> Any:
    """A status without its place."""
    return {name: value for name, value in status.items() if name != "cursor"}


def presences(status: Any) -> list[Any]:
    """Everything in it that positions prove."""
    parts = [*status["sites"], *status["roaming"]]
    return [
        row
        for part in parts
        for kind in ("inside", "absent", "silent")
        for row in part.get(kind) or []
    ]


@pytest.mark.parametrize("seed", [1, 2])
async def test_what_was_told_last_is_what_is_asked_now_whatever_happens(
    server: Server, seed: int
) -> None:
    office = await asking.office(server.api)
    day = Day(server, office, random.Random(seed))
    await day.begin()
    await day.work()
    states, silences, numbers = set(), 0, set()
    async with server.socket(office.dispatcher) as one, server.socket(office.client) as other:
        desk, client = Watcher(day, one, office.dispatcher), Watcher(day, other, office.client)
        for watcher in (desk, client):
            await watcher.begin()
        await listening(server, 2)
        for _ in range(30):
            await day.something()
            await day.work()
            for watcher in (desk, client):
                assert await watcher.is_up_to_date()
            states |= {each["state"] for each in desk.told["sites"]}
            silences += sum(row["kind"] == "SILENCE" for row in presences(desk.told))
            numbers |= {row["duty"]["number"] for row in presences(client.told)}
            rows = presences(client.told)
            assert {row["kind"] for row in rows} <= {"STAY", "ABSENCE"}
            assert {row["duty"]["user"] for row in rows} <= {None}
            parts = [*client.told["sites"], *client.told["roaming"]]
            assert {part["silent"] for part in parts} <= {None}
    assert states == {"ABSENT", "EXPECTED", "UNPROVEN", "COVERED", "UNWATCHED"}
    assert silences
    assert numbers <= {guard.duty.number for guard in day.guards}
    assert client.many < desk.many


async def test_a_duty_that_begins_or_ends_by_the_mere_passing_of_time_is_told(
    server: Server,
) -> None:
    office = await asking.office(server.api)
    day = Day(server, office, random.Random(0))
    from_at, until_at = START + timedelta(minutes=5), START + timedelta(minutes=9)
    server.api.state.now = lambda: day.at - timedelta(seconds=3)  # the API's clock is slow
    async with transaction(server.api.make) as session:
        await positions.have_days(session, at=START, keep=KEEP)
    guard = await guards.on_duty(server.api.make, office.world, from_at=from_at, until_at=until_at)
    await day.work()
    async with server.socket(office.client) as socket:
        watcher = Watcher(day, socket, office.client)
        await watcher.begin()
        assert watcher.told["sites"][0]["state"] == "UNWATCHED"
        await listening(server)
        for at, state, numbers in (
            (from_at, "EXPECTED", [guard.duty.number]),
            (until_at, "UNWATCHED", []),
        ):
            day.at = at
            await day.work()
            [place] = (await socket.next())["accountStatus"]["sites"]
            assert (place["state"], [each["number"] for each in place["onDuty"]]) == (
                state,
                numbers,
            )


async def test_who_is_let_go_is_inside_no_more_though_nobody_has_judged_it_yet(
    server: Server,
) -> None:
    office = await asking.office(server.api)
    day = Day(server, office, random.Random(0))
    server.api.state.now = lambda: day.at
    async with transaction(server.api.make) as session:
        await positions.have_days(session, at=START, keep=KEEP)
    guard = await guards.on_duty(server.api.make, office.world, from_at=START)
    day.at += timedelta(minutes=2)
    await day.hand_in(guard, START, day.at, north=0)
    await day.work()
    async with server.socket(office.client) as socket:
        watcher = Watcher(day, socket, office.client)
        await watcher.begin()
        assert watcher.told["sites"][0]["state"] == "COVERED"
        await listening(server)
        await day.end(guard)
        await day.tell()
        [place] = (await socket.next())["accountStatus"]["sites"]
        assert (place["state"], place["inside"]) == ("UNWATCHED", [])
