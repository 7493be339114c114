"""A night shift of a guard under the promise that an absent guard is replaced, and guards who could take it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import accounts, agreements, guards, posts, promises, replacements, shifts
from domain.access import Actor, Role, Tx
from domain.accounts.model import Site
from domain.agreements import CreditDraft, Priority, PromiseDraft, PromiseKind, Target
from domain.agreements.rules import TermsDraft
from domain.core.db import Sessions, transaction
from domain.promises import Promise
from domain.replacements import Replacement, ShiftOffer
from domain.shifts import Shift
from tests import build
from tests.build import World

BEGINS = datetime(2026, 3, 10, 21, tzinfo=UTC)  # 22:00 local, for eight hours
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ENDS = BEGINS + 8 * HOUR
PLANNED = BEGINS - 48 * HOUR
NO_SHOW = BEGINS + 15 * MINUTE
LAT, LON = 52.09, 5.12  # of the site
PROMISED_CENTS = 30_000


@dataclass
class Night:
    """One published shift, its guard, and the others."""

    make: Sessions
    world: World
    shift_id: UUID
    guard: accounts.User
    others: list[accounts.User]

    def tx(self, session: AsyncSession, at: datetime) -> Tx:
        return Tx(session, Actor.system(self.world.tenant.id, "test"), at)

    def tx_of(self, session: AsyncSession, user: accounts.User, at: datetime) -> Tx:
        return Tx(session, Actor(self.world.tenant.id, Role.GUARD, f"user:{user.id}"), at)

    async def look(self, at: datetime) -> None:
        """Look at the shift, and at its replacement, as the workers do."""
        async with transaction(self.make) as session:
            await shifts.look_at_shift(session, self.shift_id, at=at)
        row = await self.row()
        if row is not None:
            async with transaction(self.make) as session:
                await replacements.look_at_replacement(session, row.id, at=at)

    async def row(self) -> Replacement | None:
        async with self.make() as session:
            found: Replacement | None = await session.scalar(
                select(Replacement)
                .where(Replacement.shift_id == self.shift_id)
                .order_by(Replacement.id.desc())
                .limit(1)
            )
            return found

    async def shift(self) -> Shift:
        async with self.make() as session:
            return await session.get_one(Shift, self.shift_id)

    async def offers(self) -> list[ShiftOffer]:
        async with self.make() as session:
            found = await session.scalars(
                select(ShiftOffer)
                .join(Replacement, Replacement.id == ShiftOffer.replacement_id)
                .where(Replacement.shift_id == self.shift_id)
                .order_by(ShiftOffer.wave, ShiftOffer.id)
            )
            return list(found)

    async def promise(self) -> Promise:
        row = await self.row()
        assert row is not None
        async with self.make() as session:
            return (await session.scalars(select(Promise).where(Promise.unit_id == row.id))).one()

    async def sweep(self, at: datetime) -> None:
        row = await self.row()
        assert row is not None
        async with transaction(self.make) as session:
            await promises.sweep(session, at=at, only=row.id)

    async def came(self, at: datetime) -> None:
        async with transaction(self.make) as session:
            await shifts.clock_in(self.tx(session, at), self.shift_id)


async def night(make: Sessions, *, others: int = 3, **more: Any) -> Night:
    """The shift, with so many other guards who have what it takes and live ever farther away."""
    world = await build.client(make)
    system = Actor.system(world.tenant.id, "test")
    terms = build.terms_draft(world.calendar)
    promised = PromiseDraft(
        "replacement", PromiseKind.REPLACEMENT_ON_POST, world.calendar.id,
        {Priority.LOW: Target(elapsed_s=7_200)},
        credits={None: CreditDraft(fixed_cents=PROMISED_CENTS)}, **more,
    )  # fmt: skip
    async with transaction(make) as session:
        tx = Tx(session, system, PLANNED)
        await agreements.amend(
            tx, world.agreement.id, in_force_from=PLANNED + MINUTE,
            terms=TermsDraft((*terms.promises, promised), terms.period_fee_cents),
        )  # fmt: skip
        await session.execute(update(Site).where(Site.id == world.site.id).values(lat=LAT, lon=LON))
        people = [
            await able(tx, f"g{number}@{world.tenant.id.hex}.example", number / 10)
            for number in range(others + 1)
        ]
        post = await posts.add_post(
            tx, world.site.id, name="Gate", service="reception", valid_from_on=date(2026, 1, 1),
            qualifications=["bhv"],
        )  # fmt: skip
        change = await shifts.plan_one(
            tx, post.id, from_at=BEGINS, until_at=ENDS, user_id=people[0].id
        )
        await shifts.publish(tx, change.shift_ids)
    return Night(make, world, change.shift_ids[0], people[0], people[1:])


async def able(tx: Tx, email: str, degrees: float) -> accounts.User:
    """A guard with a pass and the qualification, who lives so many degrees north of the site."""
    user = await accounts.add_user(tx, email=email, name="Guard", role=Role.GUARD)
    await guards.set_profile(
        tx, user.id, pass_colour=guards.PassColour.GREY, pass_expires_on=date(2027, 1, 1),
        home_lat=LAT + degrees, home_lon=LON, contract_minutes=2_280,
    )  # fmt: skip
    await guards.grant_qualification(tx, user.id, "bhv")
    return user
