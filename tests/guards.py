"""Builders: a guard on duty with a device, at a fenced site."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from domain import accounts, credentials, positions
from domain.access import Actor, Role, Tx
from domain.accounts import Site, User
from domain.core.db import Sessions, transaction
from domain.credentials import Device
from domain.duties import Duty
from tests.build import World

LAT, LON = 52.0907, 5.1214  # a square in Utrecht
METRE = 1 / 111_195  # degrees of latitude


@dataclass(frozen=True)
class Guard:
    """Somebody on duty."""

    user: User
    device: Device
    token: str
    duty: Duty
    site: Site

    @property
    def actor(self) -> Actor:
        """The guard, signed in."""
        return Actor(self.user.tenant_id, Role.GUARD, f"user:{self.user.id}")


async def on_duty(
    make: Sessions,
    world: World,
    *,
    site: Site | None = None,
    radius_m: float | None = 50,
    from_at: datetime | None = None,
    until_at: datetime | None = None,
    at_site: bool = True,
    **how: Any,
) -> Guard:
    """A new guard of the company on duty for its client, by default since two hours ago and for ten to come."""
    now = datetime.now(UTC)
    from_at = from_at or now - timedelta(hours=2)
    until_at = until_at or from_at + timedelta(hours=12)
    system = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        if site is None:
            site = await accounts.add_site(
                Tx(session, system, from_at),
                world.account.id,
                name=f"Post {uuid4().hex[:8]}",
                lat=LAT,
                lon=LON,
            )
            if radius_m is not None:
                site = await positions.draw_fence(
                    Tx(session, system, from_at), site.id, radius_m=radius_m
                )
        user = await accounts.add_user(
            Tx(session, system, from_at),
            email=f"{uuid4().hex[:8]}@example.org",
            name="Guard",
            role=Role.GUARD,
        )
        guard = Actor(world.tenant.id, Role.GUARD, f"user:{user.id}")
        device, token = await credentials.enrol(Tx(session, guard, from_at), name="Phone")
        duty = await positions.assign(
            Tx(session, world.staff, from_at), device.id, world.account.id,
            site_id=site.id if at_site else None, from_at=from_at, until_at=until_at, **how,
        )  # fmt: skip
    return Guard(user, device, token, duty, site)


def near(metres_north: float, metres_east: float = 0.0) -> dict[str, float]:
    """A place so many metres from the square."""
    return {"lat": LAT + metres_north * METRE, "lon": LON + metres_east * METRE / 0.6143}
