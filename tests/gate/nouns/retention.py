"""Outcomes and forecasts for the probes of the gate."""

from datetime import date
from typing import Any

from domain import retention
from domain.access import Actor, Tx
from domain.core.db import transaction
from domain.retention import ChurnHorizon, OutcomeKind, OutcomeReason
from tests.api.asking import Api, Office


async def furnish(api: Api, office: Office) -> None:
    """Label the account, and publish a forecast of it."""
    async with transaction(api.make) as session:
        tx = Tx(session, Actor.system(office.world.tenant.id, "test"), api.state.now())
        await retention.label(
            tx, office.world.account.id, kind=OutcomeKind.RENEWED, reason=OutcomeReason.SERVICE,
            happened_on=date(2026, 1, 1), note="They are content.",
        )  # fmt: skip
        await retention.publish(tx, office.world.account.id, horizon=ChurnHorizon.DAYS_90)


async def _labelled(_api: Api, office: Office) -> dict[str, Any]:
    return {
        "accountId": office.account, "kind": "RENEWED", "reason": "PRICE", "happenedOn": "2026-02-01",
    }  # fmt: skip


async def _published(_api: Api, office: Office) -> dict[str, Any]:
    return {"accountId": office.account, "horizon": "RENEWAL"}


DOABLE = {"labelClientOutcome": _labelled, "publishChurnForecast": _published}
