"""A day at a client's places: guards come, leave, fall silent and are let go, by chance, on a clock of its own."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from domain import accounts, positions
from domain.access import Actor, Tx
from domain.accounts import Site
from domain.core import sequencing
from domain.core.db import transaction
from domain.core.errors import Refused
from domain.positions import DeviceReport, ReceivedFix
from realtime.stream import Streams
from tests import facts, guards
from tests.api.asking import Office, Server
from tests.guards import Guard, near

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEEP = timedelta(days=2)
APART_M = 2_000


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
            await positions.ensure_partitions(session, at=START + KEEP, keep=2 * KEEP)
            for n, name in enumerate("CAB"):
                place = near(n * APART_M)
                site = await accounts.add_site(
                    Tx(session, self.system, self.at), account, name=f"Post {name}", **place
                )
                self.sites.append(site)
                if name != "B":
                    await positions.draw_fence(
                        Tx(session, self.system, self.at), site.id, radius_m=50
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
            readings.append(ReceivedFix(since, place["lat"], place["lon"], accuracy_m=5))
            since += timedelta(seconds=10)
        make = self.server.api.make
        async with make() as session:
            post = await positions.device_assignment(session, guard.device.id, since=self.at - KEEP)
        assert post is not None
        report = DeviceReport(post, readings, 1, float("nan"))
        await positions.accept(make, [report], {}, at=self.at, keep=KEEP)
        self.heard_at[guard.device.id] = max(upto, self.heard_at.get(guard.device.id, upto))

    async def end(self, guard: Guard) -> None:
        """Let somebody go."""
        async with transaction(self.server.api.make) as session:
            await positions.end(Tx(session, self.system, self.at), guard.duty.id)

    async def assign(self, guard: Guard) -> None:
        """Put somebody on duty again, from a while ago, now or in a while; who is on duty then stays so."""
        from_at = self.at + timedelta(minutes=self.chance.choice([-5, 0, 5]))
        site = self.chance.choice([*self.sites, None])
        try:
            async with transaction(self.server.api.make) as session:
                duty = await positions.assign(
                    Tx(session, self.system, self.at), guard.device.id, self.office.world.account.id,
                    site_id=None if site is None else site.id, from_at=from_at,
                    until_at=from_at + timedelta(minutes=30), grace_s=300,
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
                Tx(session, self.system, self.at),
                site.id,
                radius_m=self.chance.choice([None, 50, 80, APART_M * 0.6]),
            )

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
            streams = Streams(self.server.api.state.redis, await sequencing.ledger_name(session))
            news = await sequencing.read(session, after=self.shipped, limit=1000)
        if news:
            await streams.ship(news)
            self.shipped = news[-1].seq
