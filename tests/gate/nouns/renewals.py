"""Renewals for the probes of the gate: one open, one decided."""

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from domain import agreements, renewals
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.renewals import Renewal, RenewalOutcome, RenewalReason
from schema.core import ids
from tests.api.asking import Api, Office


async def renewal(api: Api, office: Office) -> Renewal:
    """The open renewal of the client's agreement, as a worker opens it."""
    now, agreement_id = api.state.now(), office.world.agreement.id
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), now)
        until = now.date() + timedelta(days=100)
        await agreements.agree_duration(tx, agreement_id, fixed_until=until)
        await renewals.follow_duration(tx, agreement_id)
        found = await session.scalars(
            select(Renewal).where(Renewal.agreement_id == agreement_id, Renewal.outcome.is_(None))
        )
        return found.one()


async def furnish(api: Api, office: Office) -> None:
    """Decide a renewal, and open the next one."""
    row = await renewal(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await renewals.decide(
            tx, row.id, outcome=RenewalOutcome.RENEWED, reason=RenewalReason.VALUE,
            renewed_until=row.fixed_until + timedelta(days=365), price_change_bps=350,
        )  # fmt: skip
    await renewal(api, office)


async def _decided(api: Api, office: Office) -> dict[str, Any]:
    row = await renewal(api, office)
    until = (row.fixed_until + timedelta(days=365)).isoformat()
    return {
        "id": ids.write("Renewal", row.id), "outcome": "RENEWED", "renewedUntil": until,
        "priceChangeBps": 350,
    }  # fmt: skip


DOABLE = {"decideRenewal": _decided}
LAST_FACTS = {"renewalEvents": "renewal.decided"}
