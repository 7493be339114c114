"""Account teams for the probes of the gate: a member, and one that left."""

from typing import Any
from uuid import UUID

from domain import account_teams, accounts
from domain.access import Actor, Role, Tx
from domain.account_teams import Raci, TeamMember, TeamRole
from domain.core.base import uuid7
from domain.core.db import transaction
from schema.core import ids
from tests.api.asking import Api, Office


async def colleague(tx: Tx, role: Role = Role.RELATIONSHIP_MANAGER) -> UUID:
    """A user of the company."""
    email = f"{uuid7()}@example.org"
    return (await accounts.add_user(tx, email=email, name="Colleague", role=role)).id


async def member(api: Api, office: Office) -> TeamMember:
    """A member of the team of the account."""
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        return await account_teams.assign(
            tx, office.world.account.id, user_id=await colleague(tx), role=TeamRole.EXPERT,
            raci=Raci.CONSULTED, deputy_id=await colleague(tx),
        )  # fmt: skip


async def furnish(api: Api, office: Office) -> None:
    """Make a member, and one that left with a successor."""
    await member(api, office)
    row = await member(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        successor = await colleague(tx)
        await account_teams.leave(tx, row.id, reason="Another job", successor_id=successor)


async def _user(api: Api, office: Office) -> str:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        return ids.write("User", await colleague(tx))


async def _assigned(api: Api, office: Office) -> dict[str, Any]:
    return {
        "userId": await _user(api, office), "deputyUserId": await _user(api, office),
        "role": "FINANCE", "raci": "INFORMED",
    }  # fmt: skip


async def _left(api: Api, office: Office) -> dict[str, Any]:
    row = await member(api, office)
    return {
        "id": ids.write("TeamMember", row.id), "successorUserId": await _user(api, office),
    }  # fmt: skip


DOABLE = {"assignTeamMember": _assigned, "endTeamMembership": _left}
