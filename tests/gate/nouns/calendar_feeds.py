"""Links to calendars for the probes of the gate: one of the site, one of a guard."""

from typing import Any
from uuid import UUID

from domain import calendar_feeds
from domain.access import Actor, Tx
from domain.calendar_feeds import CalendarFeed
from domain.core.db import transaction
from schema.core import ids
from tests.api.asking import Api, Office
from tests.gate.nouns.guards import fresh_guard


async def _feed(api: Api, office: Office, **of: UUID) -> CalendarFeed:
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        return await calendar_feeds.add_feed(tx, **(of or {"site_id": office.world.site.id}))


async def furnish(api: Api, office: Office) -> None:
    """Make a link of the site, and one of a guard."""
    await _feed(api, office)
    await _feed(api, office, user_id=(await fresh_guard(api, office)).id)


async def _added(_api: Api, office: Office) -> dict[str, Any]:
    return {"siteId": office.site, "userId": None}


async def _revoked(api: Api, office: Office) -> dict[str, Any]:
    return {"id": ids.write("CalendarFeed", (await _feed(api, office)).id)}


DOABLE = {"addCalendarFeed": _added, "revokeCalendarFeed": _revoked}
