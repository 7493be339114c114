"""Loaders: made once for a relation and an order, and never the rows of somebody else."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from domain import accounts, incidents
from domain.access import Actor
from schema.core.loaders import ChildOrder, Loaders
from tests import build
from tests.api.asking import Api, Office, SelectCounter

OPENED = (incidents.Incident.opened_at, incidents.Incident.id)


async def test_siblings_share_a_batch_and_each_order_has_its_own(api: Api, office: Office) -> None:
    opened = [
        (await build.incident(api.make, office.world, at=build.T0 + timedelta(minutes=n))).id
        for n in range(4)
    ]
    column, account_id = incidents.Incident.account_id, office.world.account.id
    loaders = Loaders(api.state.scoped(office.world.staff), office.world.staff)
    oldest, newest = ChildOrder(OPENED, descending=False), ChildOrder(OPENED, descending=True)
    assert loaders.many(column, oldest) is loaders.many(
        column, ChildOrder(OPENED, descending=False)
    )
    with SelectCounter(api) as counter:
        up, down, rows = await asyncio.gather(
            loaders.many(column, oldest).load(account_id),
            loaders.many(column, newest).load(account_id),
            loaders.one(incidents.Incident.id).load_many(opened),
        )
    assert len(counter.statements) == 3
    assert [row.id for row in up] == opened
    assert [row.id for row in down] == opened[::-1]
    assert [row.id for row in rows] == opened


async def test_another_company_loads_neither_the_row_nor_its_children(
    api: Api, office: Office
) -> None:
    row = await build.incident(api.make, office.world)
    actor = Actor.system(uuid4(), "test")
    stranger = Loaders(api.state.scoped(actor), actor)
    assert await stranger.one(incidents.Incident.id).load(row.id) is None
    assert await stranger.one(accounts.Account.id).load(row.account_id) is None
    order = ChildOrder(OPENED, descending=False)
    assert await stranger.many(incidents.Incident.account_id, order).load(row.account_id) == []
