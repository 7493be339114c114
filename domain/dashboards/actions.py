"""Save dashboards and remove them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from domain.access import Right, Tx, visible_to
from domain.accounts import Account, Site
from domain.core.base import among, uuid7
from domain.core.errors import Code, Refused, must_be_current
from domain.core.text_rules import must_be_line
from domain.dashboards.events import DashboardRemoved, DashboardSaved
from domain.dashboards.model import Dashboard
from domain.dashboards.tiles import DashboardTile, must_be_tiles

MOST_OF_ONE = 50
"""Dashboards that one user or API key can save."""


async def save(
    tx: Tx,
    *,
    name: str,
    tiles: Sequence[DashboardTile],
    shared: bool = False,
    expected_version: int | None = None,
) -> Dashboard:
    """Save a dashboard under its name: another one of the same owner and name is replaced."""
    tx.actor.must(Right.SAVE_DASHBOARDS)
    if shared:
        tx.actor.must(Right.READ_INTERNAL)
    await _must_see(tx, Account, "account", {each.account_id for each in tiles} - {None})
    await _must_see(tx, Site, "site", {each.site_id for each in tiles} - {None})
    must_be_line(name, "name")
    must_be_tiles(tiles)
    owner = tx.actor.subject
    mine = (Dashboard.tenant_id == tx.actor.tenant_id, Dashboard.owner == owner)
    row = await tx.session.scalar(
        select(Dashboard).where(*mine, Dashboard.name == name).with_for_update()
    )
    before = None if row is None else _stated(row)
    if row is None:
        if (await tx.session.scalar(select(func.count()).where(*mine)) or 0) >= MOST_OF_ONE:
            raise Refused(
                Code.TOO_MANY, f"Remove one first: {MOST_OF_ONE} are the most.", argument="name"
            )
        row = Dashboard(id=uuid7(), tenant_id=tx.actor.tenant_id, owner=owner, name=name)
        tx.session.add(row)
    else:
        must_be_current(row.version, expected_version)
    row.tiles, row.shared, row.saved_at = msgspec.to_builtins(list(tiles)), shared, tx.at
    tx.record(
        DashboardSaved(
            account_id=None, subject_id=row.id, at=tx.at, before=before, after=_stated(row)
        )
    )
    await tx.session.flush()
    return row


async def remove(tx: Tx, dashboard_id: UUID, *, expected_version: int | None = None) -> Dashboard:
    """Remove a dashboard of one's own."""
    tx.actor.must(Right.SAVE_DASHBOARDS)
    own = (Dashboard.tenant_id == tx.actor.tenant_id) & (Dashboard.owner == tx.actor.subject)
    row = await tx.get(Dashboard, dashboard_id, "dashboard of yours", lock=True, among=own)
    must_be_current(row.version, expected_version)
    tx.record(DashboardRemoved(account_id=None, subject_id=row.id, at=tx.at, before=_stated(row)))
    await tx.session.delete(row)
    await tx.session.flush()
    return row


async def _must_see(tx: Tx, model: Any, noun: str, wanted: set[UUID | None]) -> None:
    """Refuse tiles about rows that are not visible to the actor as if they did not exist."""
    if not wanted:
        return
    seen = select(func.count()).select_from(model)
    seen = seen.where(among(model.id, wanted), visible_to(tx.actor, model))
    if await tx.session.scalar(seen) != len(wanted):
        raise Refused(Code.NOT_FOUND, f"No such {noun}.", argument="tiles")


def _stated(row: Dashboard) -> dict[str, Any]:
    return {"name": row.name, "shared": row.shared, "tiles": row.tiles}
