"""Changes of stage for the probes of the gate."""

from typing import Any

from domain import lifecycle
from domain.access import Actor, Tx
from domain.accounts import Account, Stage
from domain.core.db import transaction
from tests.api.asking import Api, Office


async def furnish(api: Api, office: Office) -> None:
    """Move the account from setting up to delivery."""
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await lifecycle.move(
            tx, office.world.account.id, stage=Stage.DELIVERY, reason="The service runs."
        )


async def _moved(api: Api, office: Office) -> dict[str, Any]:
    async with transaction(api.make) as session:
        account = await session.get_one(Account, office.world.account.id)
        account.stage = Stage.ONBOARDING
    return {"id": office.account, "stage": "DELIVERY", "reason": "It runs."}


DOABLE = {"moveAccount": _moved}
