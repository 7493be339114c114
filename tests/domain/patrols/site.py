"""A site with a patrolled route under promise, a guard who scans it, and chips that sign as an NTAG 424 DNA does."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.cmac import CMAC
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import accounts, agreements, patrols
from domain.access import Actor, Role, Tx
from domain.agreements import CreditDraft, Priority, PromiseDraft, PromiseKind, Target
from domain.agreements.rules import TermsDraft
from domain.core.db import Sessions, transaction
from domain.core.encryption import SecretCipher
from domain.patrols import (
    ClaimedPosition,
    PatrolPoint,
    PatrolRound,
    PointDraft,
    PointKind,
    RouteDraft,
    ScanDraft,
    TagDraft,
)
from tests import build
from tests.build import World

VAULT = SecretCipher(bytes(32))
DAY = date(2026, 3, 10)
OPENS = datetime(2026, 3, 10, 21, tzinfo=UTC)  # 22:00 local
PLANNED = OPENS - timedelta(hours=12)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LAT, LON = 52.0, 5.0
STEP = 0.002  # degrees of latitude between points: 222 m
META, FILE = bytes(range(16)), bytes(range(16, 32))
UID, CHIP = "04AABBCCDDEE11", "04112233445566"


def tap(uid: str, counter: int, meta: bytes = META, file: bytes = FILE) -> dict[str, str]:
    """What a signed chip says at a tap."""
    identity = bytes.fromhex(uid) + counter.to_bytes(3, "little")
    encryptor = Cipher(AES(meta), CBC(bytes(16))).encryptor()
    picc = encryptor.update(b"\xc7" + identity + bytes(5))
    mac = cmac(cmac(file, bytes.fromhex("3CC300010080") + identity), b"")[1::2]
    return {"picc": picc.hex(), "mac": mac.hex()}


def cmac(key: bytes, content: bytes) -> bytes:
    made = CMAC(AES(key))
    made.update(content)
    return made.finalize()


def here(place: int, at: datetime, *, off_m: float = 3.0, **more: Any) -> ClaimedPosition:
    """A position of the phone near a point."""
    return ClaimedPosition(
        LAT + STEP * (place - 1) + off_m / 111_195, LON, at, **({"accuracy_m": 8.0} | more)
    )


@dataclass
class Patrolled:
    """One route of a signed chip, a plain chip and a QR code."""

    make: Sessions
    world: World
    guard: accounts.User
    route: patrols.PatrolRoute
    points: list[PatrolPoint]
    code: str
    sequence: int = 0
    counter: int = 0
    devices: dict[str, int] = field(default_factory=dict)

    def office(self, session: AsyncSession, at: datetime) -> Tx:
        return Tx(session, Actor.system(self.world.tenant.id, "test"), at)

    def tx(self, session: AsyncSession, at: datetime) -> Tx:
        actor = Actor(self.world.tenant.id, Role.GUARD, f"user:{self.guard.id}")
        return Tx(session, actor, at)

    def scan(self, place: int, at: datetime, **more: Any) -> ScanDraft:
        """The next scan of the guard, as good as the point allows."""
        self.sequence += 1
        given: dict[str, Any] = {"position": here(place, at)}
        if place == 1:
            self.counter += 1
            given |= {"point_id": self.points[0].id, **tap(UID, self.counter)}
        else:
            given |= {"uid": CHIP} if place == 2 else {"code": self.code}
        return ScanDraft(self.sequence, at, **(given | more))

    async def upload(
        self,
        session: AsyncSession,
        scans: Sequence[ScanDraft],
        at: datetime,
        *,
        skew: timedelta = timedelta(),
        device: str = "phone",
    ) -> patrols.PatrolUpload:
        return await patrols.upload_scans(
            self.tx(session, at), VAULT, device=device, sent_at=at - skew, scans=scans
        )

    async def send(
        self, scans: Sequence[ScanDraft], at: datetime, **more: Any
    ) -> patrols.PatrolUpload:
        async with transaction(self.make) as session:
            return await self.upload(session, scans, at, **more)

    async def plan(self, first: date = DAY, last: date = DAY, *, at: datetime = PLANNED) -> None:
        async with transaction(self.make) as session:
            await patrols.plan_rounds(
                self.office(session, at), self.route.id, first_on=first, last_on=last
            )

    async def look(self, at: datetime) -> None:
        """Look at every round that is due by then, as the worker does."""
        while True:
            async with transaction(self.make) as session:
                due = await patrols.rounds_due(session, at=at, limit=100)
                own = [each for each in due if each.tenant_id == self.world.tenant.id]
                for each in own:
                    await patrols.look_at_round(session, each.id, at=at)
            if not own:
                return

    async def rounds(self) -> list[PatrolRound]:
        async with self.make() as session:
            found = await session.scalars(
                select(PatrolRound)
                .where(PatrolRound.route_id == self.route.id)
                .order_by(PatrolRound.from_at)
            )
            return list(found)


PROMISED = {PromiseKind.PATROL_COMPLETED: 2_500, PromiseKind.POINT_VISITED: 1_000}


async def patrolled(make: Sessions, **more: Any) -> Patrolled:
    """A route of one round of an hour from 22:00 local on, planned by nobody yet."""
    world = await build.client(make)
    system = Actor.system(world.tenant.id, "test")
    terms = build.terms_draft(world.calendar)
    promised = tuple(
        PromiseDraft(
            kind, kind, world.calendar.id, {Priority.LOW: Target(elapsed_s=0)},
            credits={None: CreditDraft(fixed_cents=cents)},
        )
        for kind, cents in PROMISED.items()
    )  # fmt: skip
    given: dict[str, Any] = {
        "name": "Night", "service": "patrol", "rule": "FREQ=DAILY", "starts_on": date(2026, 1, 1),
        "local_start": time(22), "local_end": time(6), "round_minutes": 60,
        "points": [
            PointDraft(kind, kind, lat=LAT + STEP * place, lon=LON)
            for place, kind in enumerate((PointKind.SIGNED_NFC, PointKind.NFC, PointKind.QR))
        ],
    }  # fmt: skip
    async with transaction(make) as session:
        tx = Tx(session, system, PLANNED - 24 * HOUR)
        await agreements.amend(
            tx, world.agreement.id, in_force_from=PLANNED - 23 * HOUR,
            terms=TermsDraft((*terms.promises, *promised), terms.period_fee_cents),
        )  # fmt: skip
        name = world.tenant.id.hex
        guard = await accounts.add_user(
            tx, email=f"{name}@example.org", name="Guard", role=Role.GUARD
        )
        route = await patrols.add_route(tx, world.site.id, RouteDraft(**(given | more)))
        found = await session.scalars(
            select(PatrolPoint).where(PatrolPoint.route_id == route.id).order_by(PatrolPoint.place)
        )
        points = list(found)
        drafts = (TagDraft(UID, META.hex(), FILE.hex()), TagDraft(CHIP), TagDraft())
        code = None
        for point, draft in zip(points, drafts, strict=False):
            _, code = await patrols.issue_tag(tx, VAULT, point.id, draft)
    return Patrolled(make, world, guard, route, points, code or "")
