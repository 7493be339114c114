"""Renewals for the probes of the gate: one open, one decided."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from domain import agreements, renewals
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.renewals import Renewal, RenewalOutcome, RenewalReason
from schema.core import ids
from tests import build
from tests.api.asking import Api, Office


async def renewal(api: Api, office: Office) -> Renewal:
    """The renewal of an agreement of its own, as a worker opens it."""
    now = api.state.now()
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), now)
        agreement = await agreements.sign(
            tx, office.world.account.id, reference=f"R-{uuid4()}", title="Renewable",
            signed_on=date(2026, 1, 1), in_force_from=now,
            terms=build.terms_draft(office.world.calendar, promises=[]),
        )  # fmt: skip
        until = now.date() + timedelta(days=100)
        await agreements.agree_duration(tx, agreement.id, fixed_until=until)
        await renewals.follow_duration(tx, agreement.id)
        found = await session.scalars(select(Renewal).where(Renewal.agreement_id == agreement.id))
        return found.one()


async def furnish(api: Api, office: Office) -> None:
    """Open two renewals, and decide one."""
    await renewal(api, office)
    row = await renewal(api, office)
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await renewals.decide(
            tx, row.id, outcome=RenewalOutcome.RENEWED, reason=RenewalReason.VALUE,
            renewed_until=row.fixed_until + timedelta(days=365), price_change_bps=350,
        )  # fmt: skip


async def _decided(api: Api, office: Office) -> dict[str, Any]:
    row = await renewal(api, office)
    until = (row.fixed_until + timedelta(days=365)).isoformat()
    return {
        "id": ids.write("Renewal", row.id), "outcome": "RENEWED", "renewedUntil": until,
        "priceChangeBps": 350,
    }  # fmt: skip


DOABLE = {"decideRenewal": _decided}
LAST_FACTS = {"renewalEvents": "renewal.decided"}
