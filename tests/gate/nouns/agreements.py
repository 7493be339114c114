"""Agreements for the probes of the gate: a duration that can be agreed."""

from typing import Any

from schema.core import ids
from tests.api.asking import Api, Office


async def _duration(_api: Api, office: Office) -> dict[str, Any]:
    return {
        "id": ids.write("Agreement", office.world.agreement.id),
        "fixedUntil": "2030-12-31",
        "noticeMonths": 3,
        "noticeDays": 0,
        "renewsForMonths": 12,
    }


DOABLE = {"agreeDuration": _duration}
