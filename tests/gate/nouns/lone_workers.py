"""Welfare checks and signs of distress for the probes of the gate."""

from typing import Any
from uuid import UUID, uuid4

from domain import lone_workers, shifts
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.lone_workers import DistressCause, StatedPlace
from schema.core import ids
from tests.api.asking import Api, Office
from tests.gate.nouns.guards import fresh_guard
from tests.gate.nouns.shifts import HOUR, published_shift


def _tx(api: Api, office: Office, session: Any) -> Tx:
    return Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())


async def _running(api: Api, office: Office) -> UUID:
    """A running shift."""
    shift_id = await published_shift(
        api, office, user=await fresh_guard(api, office), starts=-0.5 * HOUR
    )
    async with transaction(api.make) as session:
        await shifts.clock_in(_tx(api, office, session), shift_id)
    return shift_id


async def _watched(api: Api, office: Office) -> UUID:
    shift_id = await _running(api, office)
    async with transaction(api.make) as session:
        return (await lone_workers.start_checks(_tx(api, office, session), shift_id)).id


async def _in_distress(api: Api, office: Office) -> UUID:
    shift_id = await _running(api, office)
    now = api.state.now()
    async with transaction(api.make) as session:
        sign = await lone_workers.raise_by_phone(
            _tx(api, office, session), shift_id, DistressCause.PANIC, key=uuid4().hex,
            happened_at=now, place=StatedPlace(52.1, 5.1, now),
        )  # fmt: skip
    return sign.id


async def furnish(api: Api, office: Office) -> None:
    """Check on one guard, and let another one press the panic button."""
    await _watched(api, office)
    await _in_distress(api, office)


async def _to_start(api: Api, office: Office) -> dict[str, Any]:
    return {"shiftId": ids.write("Shift", await _running(api, office))}


async def _to_confirm(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("WelfareWatch", await _watched(api, office))}


async def _to_withdraw(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("DistressSign", await _in_distress(api, office))}


DOABLE = {
    "confirmWelfare": _to_confirm,
    "endWelfareChecks": _to_confirm,
    "startWelfareChecks": _to_start,
    "withdrawDistress": _to_withdraw,
}
