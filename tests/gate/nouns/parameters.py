"""Parameters for the probes of the gate: a value of the account to be read, and one to be reset."""

from datetime import UTC, datetime
from typing import Any

from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.parameters import ParameterPlace, ParameterUnit, set_value
from tests.api.asking import Api, Office
from tests.build import T0

NAME = "escalation.management_after"


async def _set(api: Api, office: Office, at: datetime) -> None:
    system = Actor.system(office.world.tenant.id, "test")
    place = ParameterPlace(account_id=office.world.account.id)
    async with transaction(api.make) as session:
        tx = Tx(session, system, at)
        await set_value(tx, NAME, numbers=[2], unit=ParameterUnit.HOURS, place=place)


async def furnish(api: Api, office: Office) -> None:
    """Set a parameter of the account."""
    await _set(api, office, T0)


async def _to_set(_api: Api, office: Office) -> dict[str, Any]:
    return {
        "name": NAME, "numbers": [3], "unit": "HOURS", "accountId": office.account,
        "siteId": None, "tier": None, "validFrom": None,
    }  # fmt: skip


async def _to_reset(api: Api, office: Office) -> dict[str, Any]:
    await _set(api, office, datetime.now(UTC))
    return {
        "name": NAME, "accountId": office.account, "siteId": None, "tier": None, "validFrom": None,
    }  # fmt: skip


DOABLE = {"setParameter": _to_set, "resetParameter": _to_reset}
