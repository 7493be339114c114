"""Guards for the probes of the gate: a profile with a qualification, and bars by the client."""

from datetime import date
from typing import Any
from uuid import uuid4

from domain import accounts, guards
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from schema.core import ids
from tests.api.asking import Api, Office
from tests.build import T0


async def fresh_guard(api: Api, office: Office) -> accounts.User:
    """A guard without a profile."""
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        return await accounts.add_user(
            Tx(session, system, T0),
            email=f"{uuid4().hex}@example.org",
            name="Guard",
            role=Role.GUARD,
        )


async def furnish(api: Api, office: Office) -> None:
    """Give a guard a profile and a qualification."""
    user = await fresh_guard(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), T0)
        await guards.set_profile(
            tx, user.id, employee_number="7", pass_colour=guards.PassColour.GREY,
            pass_expires_on=date(2027, 1, 1), languages=["nl"], contract_minutes=2_280,
            home_lat=52.1, home_lon=5.1, hour_cost_cents=2_600,
        )  # fmt: skip
        await guards.grant_qualification(tx, user.id, "bhv", expires_on=date(2027, 1, 1))
    await _bar(api, office)


async def _bar(api: Api, office: Office) -> guards.GuardBar:
    user = await fresh_guard(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), T0)
        return await guards.bar_guard(tx, office.world.account.id, user.id)


async def _profile(api: Api, office: Office) -> dict[str, Any]:
    user = await fresh_guard(api, office)
    return {
        "userId": ids.write("User", user.id), "languages": ["nl"], "contractMinutes": 600,
        "homeLat": 52.1, "homeLon": 5.1, "hourCostCents": 2_600,
    }  # fmt: skip


async def _qualification(api: Api, office: Office) -> dict[str, Any]:
    user = await fresh_guard(api, office)
    return {"userId": ids.write("User", user.id), "name": "bhv"}


async def _barred(api: Api, office: Office) -> dict[str, Any]:
    user = await fresh_guard(api, office)
    return {"userId": ids.write("User", user.id)}


async def _lifted(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("GuardBar", (await _bar(api, office)).id)}


DOABLE = {
    "barGuard": _barred,
    "grantQualification": _qualification,
    "liftGuardBar": _lifted,
    "setGuardProfile": _profile,
}
