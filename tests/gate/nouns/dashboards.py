"""Dashboards for the probes of the gate: one that colleagues share."""

from typing import Any

from domain import dashboards
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.dashboards import DashboardTile
from domain.kpis import KpiKey
from domain.quality import Window
from schema.core import ids
from tests.api.asking import Api, Office

_TILES = [{"title": "Promises", "key": "PROMISES_KEPT"}]


async def furnish(api: Api, office: Office) -> None:
    """Save a dashboard for everybody of the company."""
    tile = DashboardTile("Promises", KpiKey.PROMISES_KEPT, Window.MONTH)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await dashboards.save(tx, name="Shared", tiles=[tile], shared=True)


async def _saved(_api: Api, _office: Office) -> dict[str, Any]:
    return {"name": "Mine", "tiles": _TILES, "shared": True}


async def _removed(api: Api, office: Office) -> dict[str, Any]:
    document = """mutation($input: SaveDashboardInput!) { saveDashboard(input: $input) {
      ... on Dashboard { id } ... on Refusal { message } } }"""
    given = {"name": "Gone", "tiles": _TILES, "shared": True}
    saved = (await api.data(office.manager, document, input=given))["saveDashboard"]
    assert ids.known(saved["id"], "Dashboard")
    return {"id": saved["id"]}


DOABLE = {"saveDashboard": _saved, "removeDashboard": _removed}
