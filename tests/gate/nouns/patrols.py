"""Patrols for the probes of the gate: a route with tags, a round that began, one ahead, and a scan."""

from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from domain import patrols
from domain.access import Actor, Role, Tx
from domain.core.db import transaction
from domain.patrols import (
    ClaimedPosition,
    PatrolPoint,
    PatrolRound,
    PatrolRoute,
    PatrolTag,
    PointDraft,
    PointKind,
    RouteDraft,
    ScanDraft,
    TagDraft,
)
from schema.core import ids
from tests.api.asking import Api, Office
from tests.gate.nouns.guards import fresh_guard

_HOUR = timedelta(hours=1)
_NUMBERS = count(1)


def _tx(api: Api, office: Office, session: Any, at: datetime | None = None) -> Tx:
    return Tx(session, Actor.system(office.world.tenant.id, "test"), at or api.state.now())


async def _route(api: Api, office: Office) -> tuple[PatrolRoute, PatrolPoint]:
    """A route with one QR code, every day around the clock; it and its point."""
    draft = RouteDraft(
        name=f"Round {uuid4().hex[:6]}", service="patrol", rule="FREQ=DAILY",
        starts_on=datetime(2026, 1, 1, tzinfo=UTC).date(), local_start=time(0), local_end=time(0),
        round_minutes=1_380, points=[PointDraft("Gate", PointKind.QR, lat=52.0, lon=5.0)],
    )  # fmt: skip
    async with transaction(api.make) as session:
        tx = _tx(api, office, session)
        route = await patrols.add_route(tx, office.world.site.id, draft)
        query = select(PatrolPoint).where(PatrolPoint.route_id == route.id)
        return route, (await session.scalars(query)).one()


async def _tag(api: Api, office: Office, point_id: UUID) -> tuple[PatrolTag, str | None]:
    async with transaction(api.make) as session:
        tx = _tx(api, office, session)
        return await patrols.issue_tag(tx, api.state.desk.vault, point_id, TagDraft())


async def _planned(api: Api, office: Office) -> UUID:
    """A round that begins tomorrow or the day after."""
    route, _ = await _route(api, office)
    day = (api.state.now() + 48 * _HOUR).date()
    async with transaction(api.make) as session:
        tx = _tx(api, office, session)
        await patrols.plan_rounds(tx, route.id, first_on=day, last_on=day)
        query = select(PatrolRound.id).where(PatrolRound.route_id == route.id)
        return (await session.scalars(query)).one()


async def furnish(api: Api, office: Office) -> None:
    """Plan rounds of two days, of which one began, and scan its point."""
    route, point = await _route(api, office)
    _, code = await _tag(api, office, point.id)
    now = api.state.now()
    earlier = now - 48 * _HOUR
    async with transaction(api.make) as session:
        await patrols.plan_rounds(
            _tx(api, office, session, earlier - 24 * _HOUR), route.id,
            first_on=earlier.date(), last_on=(now + 48 * _HOUR).date(),
        )  # fmt: skip
    user = await fresh_guard(api, office)
    async with transaction(api.make) as session:
        guard = Actor(office.world.tenant.id, Role.GUARD, f"user:{user.id}")
        position = ClaimedPosition(52.0, 5.0, now)
        scan = ScanDraft(1, now, code=code, position=position)
        await patrols.upload_scans(
            Tx(session, guard, now), api.state.desk.vault, device="phone", sent_at=now, scans=[scan]
        )
    await _planned(api, office)


def _id(kind: str, row_id: UUID) -> str:
    return ids.write(kind, row_id)


async def _added(_api: Api, office: Office) -> dict[str, Any]:
    return {
        "siteId": office.site, "rule": "FREQ=DAILY", "startsOn": "2026-03-01", "endsOn": None,
        "localStart": "22:00:00", "localEnd": "06:00:00", "roundMinutes": 60, "rounds": 2,
        "lowestGrade": "C", "leastMinutes": 5, "lateMinutes": 15,
        "points": [{"name": "Gate", "kind": "QR"}],
    }  # fmt: skip


async def _to_end(api: Api, office: Office) -> dict[str, Any]:
    route, _ = await _route(api, office)
    return {"id": _id("PatrolRoute", route.id), "endsOn": "2026-12-31"}


async def _to_tag(api: Api, office: Office) -> dict[str, Any]:
    _, point = await _route(api, office)
    return {"pointId": _id("PatrolPoint", point.id), "uid": None, "metaKey": None, "fileKey": None}


async def _to_revoke(api: Api, office: Office) -> dict[str, Any]:
    _, point = await _route(api, office)
    tag, _ = await _tag(api, office, point.id)
    return {"id": _id("PatrolTag", tag.id)}


async def _to_plan(api: Api, office: Office) -> dict[str, Any]:
    route, _ = await _route(api, office)
    day = (api.state.now() + 48 * _HOUR).date().isoformat()
    return {"routeId": _id("PatrolRoute", route.id), "firstOn": day, "lastOn": day}


async def _to_cancel(api: Api, office: Office) -> dict[str, Any]:
    return {"id": _id("PatrolRound", await _planned(api, office))}


async def _to_upload(api: Api, office: Office) -> dict[str, Any]:
    _, point = await _route(api, office)
    now = api.state.now().isoformat()
    scan = {"sequence": next(_NUMBERS), "at": now, "pointId": _id("PatrolPoint", point.id)}
    return {"device": "phone", "sentAt": now, "scans": [scan]}


DOABLE = {
    "addPatrolRoute": _added,
    "cancelPatrolRound": _to_cancel,
    "endPatrolRoute": _to_end,
    "issuePatrolTag": _to_tag,
    "planPatrolRounds": _to_plan,
    "revokePatrolTag": _to_revoke,
    "uploadPatrolScans": _to_upload,
}
LAST_FACTS = {"patrolChanges": "patrol_round.opened"}
