"""Touchpoints for the probes of the gate."""

from domain import touchpoints
from domain.core.db import transaction
from tests.api.asking import Api, Office
from tests.build import T0


async def furnish(api: Api, office: Office) -> None:
    """Plan the touchpoints of the account."""
    async with transaction(api.make) as session:
        await touchpoints.plan(session, office.world.account, at=T0)
