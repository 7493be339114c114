"""Merges for the probes of the gate: sites and contacts of their own, so that nothing else goes."""

from typing import Any

from domain import accounts
from domain.access import Actor, Tx
from domain.core.base import uuid7
from domain.core.db import transaction
from schema.core import ids
from tests.api.asking import Api, Office


async def _two(api: Api, office: Office, type_name: str) -> dict[str, Any]:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        account = office.world.account.id
        rows: list[Any] = []
        for _ in range(2):
            name = f"Twice {uuid7()}"
            rows.append(
                await accounts.add_site(tx, account, name=name)
                if type_name == "Site"
                else await accounts.add_contact(tx, account, name=name, role="planner")
            )
    gone, kept = (ids.write(type_name, each.id) for each in rows)
    return {"id": gone, "intoId": kept, "reason": "Recorded twice."}


async def _sites(api: Api, office: Office) -> dict[str, Any]:
    return await _two(api, office, "Site")


async def _contacts(api: Api, office: Office) -> dict[str, Any]:
    return await _two(api, office, "Contact")


DOABLE = {"mergeSites": _sites, "mergeContacts": _contacts}
