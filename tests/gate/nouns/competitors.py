"""Competitors for the probes of the gate: one with a figure."""

from typing import Any
from uuid import UUID, uuid4

from domain import competitors
from domain.access import Tx
from domain.core.db import transaction
from domain.reputation import ReviewSourceKind
from schema.core import ids
from tests.api.asking import Api, Office
from tests.reviewing import system


async def _competitor(api: Api, office: Office) -> UUID:
    async with transaction(api.make) as session:
        tx = Tx(session, system(office.world.tenant.id), api.state.now())
        name = f"Probe {uuid4()}"
        row = await competitors.add(tx, name=name, note="Anders")
        await competitors.enter_figure(
            tx, row.id, platform=ReviewSourceKind.GOOGLE, read_on=tx.at.date(), reviews=10,
            share=0.8, url="https://maps.example/probe",
        )  # fmt: skip
        return row.id


async def furnish(api: Api, office: Office) -> None:
    """Add a competitor with a figure."""
    await _competitor(api, office)


async def _to_add(_api: Api, _office: Office) -> dict[str, Any]:
    return {"name": f"Probe {uuid4()}", "note": "Anders"}


async def _to_change(api: Api, office: Office) -> dict[str, Any]:
    row_id = await _competitor(api, office)
    return {
        "id": ids.write("Competitor", row_id), "name": f"Probe {uuid4()}", "note": "Toch niet",
        "isWatched": False,
    }  # fmt: skip


async def _to_enter(api: Api, office: Office) -> dict[str, Any]:
    row_id = await _competitor(api, office)
    return {
        "competitorId": ids.write("Competitor", row_id), "platform": "KIYOH", "reviews": 5,
        "readOn": api.state.now().date().isoformat(), "share": 0.5, "url": "https://kiyoh.example",
    }  # fmt: skip


DOABLE = {
    "addCompetitor": _to_add,
    "changeCompetitor": _to_change,
    "enterCompetitorFigure": _to_enter,
}
LAST_FACTS = {"competitorEvents": "competitor.figure_entered"}
