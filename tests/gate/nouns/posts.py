"""Posts for the probes of the gate: one with orders that somebody acknowledged."""

from datetime import date
from typing import Any
from uuid import uuid4

from domain import posts
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from schema.core import ids
from tests.api.asking import Api, Office
from tests.build import T0
from tests.gate.nouns.guards import fresh_guard


async def post(api: Api, office: Office) -> posts.Post:
    """A post at the site."""
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        return await posts.add_post(
            Tx(session, system, T0), office.world.site.id, name=f"Gate {uuid4().hex[:6]}",
            service="access control", valid_from_on=date(2026, 1, 1), qualifications=["bhv"],
        )  # fmt: skip


async def _orders(api: Api, office: Office) -> posts.PostOrders:
    found = await post(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), T0)
        return await posts.issue_orders(tx, found.id, "Lock the gate at 22:00.")


async def furnish(api: Api, office: Office) -> None:
    """Give the site a post, its orders, and somebody who read them."""
    orders = await _orders(api, office)
    user = await fresh_guard(api, office)
    reader = Actor(office.world.tenant.id, Role.DISPATCHER, f"user:{user.id}")
    async with transaction(api.make) as session:
        await posts.acknowledge_orders(Tx(session, reader, T0), orders.id)


async def _added(_api: Api, office: Office) -> dict[str, Any]:
    return {"siteId": office.site, "name": f"Post {uuid4().hex[:6]}", "validUntilOn": None}


async def _changed(api: Api, office: Office) -> dict[str, Any]:
    found = await post(api, office)
    return {
        "id": ids.write("Post", found.id), "name": f"Post {uuid4().hex[:6]}", "headcount": 2,
        "validFromOn": "2026-02-01", "validUntilOn": "2026-12-31",
    }  # fmt: skip


async def _acknowledged(api: Api, office: Office) -> dict[str, Any]:
    orders = await _orders(api, office)
    return {"id": ids.write("PostOrders", orders.id)}


DOABLE = {
    "addPost": _added,
    "changePost": _changed,
    "acknowledgePostOrders": _acknowledged,
}
