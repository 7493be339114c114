"""Subscriptions deliver to everybody inside a company what the page about visibility says, and nothing else."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain import accounts
from domain.core.db import transaction
from tests import guards
from tests.api.asking import Api, Office
from tests.gate import filled, prober
from tests.gate.expected import Asker, Expectation, held
from tests.gate.findings import Findings, must_be_harmless, must_find_each, must_find_nothing
from tests.gate.mistakes import Mistake, harmless_delivered, mistakes_delivered
from tests.gate.roles import Roles
from tests.gate.roles_following import Cast, Following
from tests.gate.test_roles import ARMED, PAGE, api, askers, company

__all__ = ["api"]
LEAST = 20
AWAY_M = 5_000.0


async def cast(api: Api, office: Office, other_id: UUID, guard: UUID) -> Cast:
    """Guards on duty outside and inside the geofences of the client, and inside those of another client."""
    world = office.world
    async with transaction(api.make) as session:
        other = await session.get_one(accounts.Account, other_id)
    outside = await guards.on_duty(api.make, world, site=world.site)
    inside = await guards.on_duty(api.make, world, site=world.site)
    there = await guards.on_duty(api.make, replace(world, account=other))
    moving = {outside.device.id: AWAY_M, inside.device.id: 5.0, there.device.id: 10.0}
    return Cast(
        world.tenant.id, world.account.id, other_id, world.site.id, guard, inside.user.id, moving
    )


async def following(api: Api) -> tuple[Following, list[Asker]]:
    """The prober of subscriptions, and everybody it asks as."""
    office, side, other_id = await company(api)
    everybody = await askers(api, office, other_id)
    guard = next(each.user_id for each in everybody if each.name == "GUARD")
    assert guard is not None
    everyone = await cast(api, office, other_id, guard)
    await prober.number(api)
    assert await filled.fill(api.make, api.state.engine.documents.schema) > 50
    expectation = Expectation(PAGE, await held(api.make, office.world.account.id))
    return Following(Roles(api, expectation, office.manager, side), everyone), everybody


@pytest.mark.slow
async def test_subscriptions_deliver_what_the_page_says(api: Api) -> None:
    follow, everybody = await following(api)
    found = await follow.run(everybody)
    must_find_nothing(found, share=ARMED, probes=4_000)


@pytest.mark.slow
async def test_each_mistake_in_what_is_delivered_is_found(api: Api) -> None:
    follow, everybody = await following(api)
    by_name = {asker.name: asker for asker in everybody}

    async def found_by(mistake: Mistake) -> list[str]:
        follow.findings = Findings()
        found = await follow.run([by_name[mistake.asker]], only=frozenset({mistake.only}))
        return found.found

    await must_find_each(mistakes_delivered(), follow.roles.schema, found_by, least=LEAST)
    await must_be_harmless(harmless_delivered(), follow.roles.schema, found_by)
