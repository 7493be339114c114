"""Anomalies for the probes of the gate: one that an incident of the account explains, and open ones."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from domain import anomalies
from domain.access import Actor, Tx
from domain.agreements.model import TicketKind
from domain.anomalies import Anomaly, AnomalyScan, AnomalySeries
from domain.core.db import transaction
from domain.detection import Detector, Direction
from domain.incidents.model import Incident
from schema.core import ids
from tests.api.asking import Api, Office
from tests.build import T0


async def _raised(api: Api, office: Office) -> Anomaly:
    """Store an anomaly of a day on which none was found yet, with the account's incidents as evidence."""
    account = office.world.account
    async with transaction(api.make) as session:
        count = await session.scalar(
            select(func.count()).select_from(Anomaly).where(Anomaly.account_id == account.id)
        )
        found = await session.scalars(
            select(Incident.id).where(Incident.account_id == account.id).limit(1)
        )
        on = T0.date() - timedelta(days=count or 0)
        row = Anomaly(
            tenant_id=account.tenant_id, account_id=account.id, site_id=office.world.site.id,
            series=AnomalySeries.INCIDENTS, incident_kind=TicketKind.INCIDENT, detector=Detector.RARE,
            direction=Direction.HIGH, found_on=on, first_on=on, last_on=on, peak_on=on,
            value=6.0, base=0.5, scale=0.7, z=7.8, probability=1e-5, evidence_ids=list(found), raised_at=T0,
        )  # fmt: skip
        session.add(row)
        await session.flush()
        return row


async def furnish(api: Api, office: Office) -> None:
    """Store a scan, and an anomaly that is explained."""
    row = await _raised(api, office)
    async with transaction(api.make) as session:
        session.add(
            AnomalyScan(tenant_id=row.tenant_id, account_id=row.account_id, scanned_on=T0.date())
        )
        tx = Tx(session, Actor.system(row.tenant_id, "test"), T0)
        incident = row.evidence_ids[0] if row.evidence_ids else None
        await anomalies.acknowledge(tx, row.id, explanation="Storm", incident_id=incident)


async def _to_explain(api: Api, office: Office) -> dict[str, Any]:
    row = await _raised(api, office)
    return {"id": ids.write("Anomaly", row.id), "explanation": "Storm"}


async def _to_reject(api: Api, office: Office) -> dict[str, Any]:
    row = await _raised(api, office)
    return {"id": ids.write("Anomaly", row.id), "reason": "Counted twice"}


DOABLE = {"acknowledgeAnomaly": _to_explain, "rejectAnomaly": _to_reject}
LAST_FACTS = {"anomalyEvents": "anomaly.acknowledged"}
