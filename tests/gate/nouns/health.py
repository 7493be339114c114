"""Health for the probes of the gate: observations, a score, and its snapshots."""

from typing import Any

from domain import health
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.health import ClaimedHealth, ObservationDraft, ObservationKind
from schema.core import ids
from tests.api.asking import Api, Office
from tests.build import T0


async def furnish(api: Api, office: Office) -> None:
    """Observe something about the account, and compute its health."""
    world = office.world
    await _observation(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(world.tenant.id, "test"), api.state.now())
        draft = ObservationDraft(ObservationKind.BUDGET, 0)
        await health.record_observation(tx, world.account.id, draft)
    async with transaction(api.make) as session:
        taken = ClaimedHealth(world.account.id, world.tenant.id, T0)
        row = await health.recompute(session, taken, at=api.state.now())
        row.is_shared = True


async def _observation(api: Api, office: Office) -> health.Observation:
    world = office.world
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(world.tenant.id, "test"), api.state.now())
        draft = ObservationDraft(
            ObservationKind.MEETING, 2, 3, world.contacts[0].id, "They came in time."
        )
        return await health.record_observation(tx, world.account.id, draft)


async def _to_record(api: Api, office: Office) -> dict[str, Any]:
    return {
        "accountId": office.account, "kind": "MEETING", "value": 2, "total": 3, "contactId": None,
        "at": None,
    }  # fmt: skip


async def _to_withdraw(api: Api, office: Office) -> dict[str, Any]:
    row = await _observation(api, office)
    return {"id": ids.write("Observation", row.id)}


DOABLE = {"recordObservation": _to_record, "withdrawObservation": _to_withdraw}
LAST_FACTS = {"healthChanged": "health.band_changed", "warningRaised": "warning.raised"}
