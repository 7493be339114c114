"""Onboarding for the probes of the gate: a new account of the company, which lacks every default."""

from typing import Any
from uuid import uuid4

from domain import accounts
from domain.access import Actor, Tx
from domain.core.db import transaction
from schema.core import ids
from tests.api.asking import Api, Office
from tests.build import T0


async def _new(api: Api, office: Office) -> dict[str, Any]:
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        name = f"New {uuid4().hex[:8]}"
        account = await accounts.create_account(Tx(session, system, T0), name=name)
    return {"accountId": ids.write("Account", account.id), "reference": "1", "parts": None}


DOABLE = {"applyDefaults": _new}
