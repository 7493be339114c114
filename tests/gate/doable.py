"""Input with which each mutation succeeds once in a furnished office; a new mutation needs a line here.

A noun can bring its own in `tests/gate/nouns/` (see `of_nouns`).
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from domain import compensation, incidents
from domain.access import Actor, Role, Tx
from domain.accounts.model import User
from domain.compensation.model import Credit
from domain.core.db import transaction
from domain.incidents import PauseCause
from schema.core import ids
from tests import build, guards
from tests.api.asking import Api, Office
from tests.gate import of_nouns, prepared

Given = dict[str, Any]
Prepare = Callable[[Api, Office], Awaitable[Given]]

FIRST = ("resumeWebhook", "setRate")
LAST = ("eraseUser", "disableUser", "revokeApiKey", "endWebhook", "endAgreement")


def order(name: str) -> tuple[bool, bool, str]:
    """What others need comes first, what ends things last."""
    return name not in FIRST, name in LAST, name


def fixed(**given: Any) -> Prepare:
    """The same input always."""

    async def prepare(_api: Api, _office: Office) -> Given:
        return given

    return prepare


async def _incident(api: Api, office: Office) -> Given:
    fresh = await build.incident(api.make, office.world, at=datetime.now(UTC))
    return {"id": ids.write("Incident", fresh.id)}


async def _minutes_ago(api: Api, office: Office) -> Given:
    """An incident that happened two minutes before it was told, to be corrected to one."""
    now = datetime.now(UTC)
    occurred = incidents.StatedOccurrence(now - timedelta(minutes=2))
    fresh = await build.incident(api.make, office.world, at=now, occurred=occurred)
    return {
        "id": ids.write("Incident", fresh.id),
        "occurredAt": (now - timedelta(minutes=1)).isoformat(),
    }


async def _low(api: Api, office: Office) -> Given:
    return {**await _incident(api, office), "priority": "LOW"}


async def _paused(api: Api, office: Office) -> Given:
    fresh = await build.incident(api.make, office.world, at=datetime.now(UTC))
    async with transaction(api.make) as session:
        await incidents.pause(
            Tx(session, office.world.staff, datetime.now(UTC)),
            fresh.id,
            cause=PauseCause.WAITING_ON_CLIENT,
        )
    return {"id": ids.write("Incident", fresh.id)}


async def _resolved(api: Api, office: Office) -> Given:
    fresh = await build.incident(api.make, office.world, at=datetime.now(UTC))
    async with transaction(api.make) as session:
        await incidents.resolve(
            Tx(session, office.world.staff, datetime.now(UTC)), fresh.id, resolution="Glued"
        )
    return {"id": ids.write("Incident", fresh.id)}


async def _proposed(api: Api, office: Office) -> Given:
    """A gift that waits for somebody else's yes."""
    system = Actor.system(office.world.tenant.id, "test")
    async with transaction(api.make) as session:
        await compensation.choose_policy(Tx(session, system, build.T0), approval_above_cents=1)
        giver = Actor(office.world.tenant.id, Role.MANAGEMENT, f"user:{uuid4()}")
        credit: Credit = await compensation.grant_goodwill(
            Tx(session, giver, datetime.now(UTC)),
            office.world.agreement.id,
            cents=500,
            reason="Sorry",
        )
    return {"id": ids.write("Credit", credit.id)}


async def _colleague(api: Api, office: Office) -> str:
    async with api.make() as session:
        found = await session.scalar(
            select(User.id)
            .where(User.tenant_id == office.world.tenant.id, User.role == Role.MANAGEMENT)
            .limit(1)
        )
    assert found is not None
    return ids.write("User", found)


async def _owner(api: Api, office: Office) -> Given:
    return {"ownerUserId": await _colleague(api, office)}


async def _case(api: Api, office: Office) -> Given:
    fresh = await _incident(api, office)
    return {"incidentId": fresh["id"], "ownerUserId": await _colleague(api, office)}


async def _suppressed(api: Api, office: Office) -> Given:
    await build.bounced(api.make, office.world)
    return {"address": office.world.contacts[0].email}


async def _square(_api: Api, office: Office) -> Given:
    corners = [guards.near(*each) for each in ((90, -90), (90, 90), (-90, 90), (-90, -90))]
    outline = [corner[axis] for corner in corners for axis in ("lat", "lon")]
    return {"siteId": office.site, "outline": outline, "radiusM": None}


DOABLE: dict[str, Prepare] = {
    "acceptLateArrival": prepared.late_arrival,
    "addContactAddress": prepared.chat,
    "addWebhook": fixed(kinds=["incident.opened"], document=None),
    "amendAgreement": prepared.amendment,
    "approveCredit": _proposed,
    "bookPayout": prepared.payable,
    "changeIncidentPriority": _low,
    "changeSite": fixed(name="Zuid", lat=None, lon=None),
    "chooseCompensationPolicy": fixed(
        approvalAboveCents=5_000, vatCategory="S", vatRateBps=2_100, approvalCurrency="EUR"
    ),
    "closeIncident": _resolved,
    "contestVerdict": prepared.contested,
    "correctIncidentOccurrence": _minutes_ago,
    "createAccount": fixed(name="Nieuwe klant", kvkNumber="69599084"),
    "declineCredit": _proposed,
    "declineLateArrival": prepared.late_arrival,
    "deliverService": fixed(rateCode="guard_hour", deliveredOn="2026-03-20", quantityMilli=1_000),
    "endAgreement": fixed(endedAt="2030-01-01T00:00:00Z"),
    "endContactAddress": prepared.chat_to_end,
    "endSession": prepared.session_of_another,
    "fenceSite": _square,
    "followUpRecovery": prepared.case_to_follow_up,
    "handOverRecoveryStep": _owner,
    "issueApiKey": fixed(allAccounts=True, accountIds=None, role="PARTNER", scopes=None),
    "liftSuppression": _suppressed,
    "openRecovery": _case,
    "overrideCredit": prepared.scheduled,
    "planService": fixed(rateCode="guard_hour", monthOn="2026-03-20", quantityMilli=2_000),
    "reopenIncident": _resolved,
    "replayWebhook": prepared.cursor,
    "reportPositions": prepared.device,
    "resetSecondFactor": prepared.with_second_factor,
    "resumeIncident": _paused,
    "reversePayout": prepared.paid_out,
    "setBillingParty": fixed(
        party={"legalName": "Haven BV", "street": "Kade 1", "postcode": "3011 AA", "city": "Delft"},
        billFromOn="2026-03-01",
    ),
    "setEscalationPolicy": fixed(
        steps=[{"afterMinutes": 5, "roles": ["DISPATCHER"]}], repeatMinutes=None, staleMinutes=None
    ),
    "signAgreement": prepared.signed_off,
    **of_nouns.collected("DOABLE"),
}
"""Where the generated input does not fit."""
INCIDENTS = _incident
