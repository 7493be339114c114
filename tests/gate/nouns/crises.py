"""Crises for the probes of the gate: one that is over, and one to end."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain import crises
from domain.access import Tx
from domain.core.db import transaction
from domain.crises import Crisis
from schema.core import ids
from tests.api.asking import Api, Office
from tests.reviewing import system


async def end_crises(api: Api, office: Office) -> None:
    """End what lasts of the client, so that it may be asked for something."""
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        rows = await session.scalars(
            select(Crisis).where(
                Crisis.account_id == office.world.account.id, Crisis.ended_at.is_(None)
            )
        )
        for row in rows.all():
            await crises.end(tx, row.id)


async def _begun(api: Api, office: Office) -> UUID:
    await end_crises(api, office)
    async with transaction(api.make) as session:
        at = api.state.now() - timedelta(hours=1)
        tx = Tx(session, system(office.world.tenant.id), at)
        return (await crises.begin(tx, office.world.account.id, reason="Brand")).id


async def furnish(api: Api, office: Office) -> None:
    """Begin a crisis and end it."""
    await _begun(api, office)
    await end_crises(api, office)


async def _to_begin(api: Api, office: Office) -> dict[str, Any]:
    await end_crises(api, office)
    return {"accountId": office.account, "reason": "Overval"}


async def _to_end(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("Crisis", await _begun(api, office))}


DOABLE = {"beginCrisis": _to_begin, "endCrisis": _to_end}
LAST_FACTS = {"crisisEvents": "crisis.ended"}
