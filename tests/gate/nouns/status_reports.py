"""Status reports for the probes of the gate: one drafted, one confirmed."""

from datetime import date, timedelta
from typing import Any

from domain import status_reports
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.status_reports import StatusLight, StatusReport
from schema.core import ids
from tests.api.asking import Api, Office

_DAY = timedelta(days=1)


async def report(api: Api, office: Office, from_on: date) -> StatusReport:
    """A draft about one day."""
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        account = office.world.account.id
        return await status_reports.draft(tx, account, from_on=from_on, until_on=from_on + _DAY)


async def furnish(api: Api, office: Office) -> None:
    """Draft two reports, and confirm one."""
    await report(api, office, date(2026, 1, 5))
    row = await report(api, office, date(2026, 1, 6))
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await status_reports.confirm(tx, row.id, status=StatusLight.GREEN, reason="It is solved.")


async def _draft(_api: Api, _office: Office) -> dict[str, Any]:
    return {"fromOn": "2026-02-02", "untilOn": "2026-02-09"}


async def _confirmed(api: Api, office: Office) -> dict[str, Any]:
    row = await report(api, office, date(2026, 1, 7))
    return {"id": ids.write("StatusReport", row.id), "status": "RED"}


DOABLE = {"draftStatusReport": _draft, "confirmStatusReport": _confirmed}
LAST_FACTS = {"statusReportEvents": "status_report.confirmed"}
