"""The ingest of fixes as it is usually written: a model for each fix, an ORM insert, one message a fix."""

import os
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field
from redis.asyncio import Redis
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from domain.core.db import connect, sessions
from domain.credentials import actors_of_devices
from domain.duties import Duty
from domain.positions import Fix


class FixIn(BaseModel):
    """One fix as it comes in."""

    at: datetime
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)
    accuracy_m: float | None = Field(default=None, alias="accuracyM", ge=0)
    speed_mps: float | None = Field(default=None, alias="speedMps", ge=0, le=120)
    heading_deg: float | None = Field(default=None, alias="headingDeg", ge=0, le=360)
    battery_pct: float | None = Field(default=None, alias="batteryPct", ge=0, le=100)


class BatchIn(BaseModel):
    """What a device sends."""

    fixes: list[FixIn]


async def _positions(request: Request) -> JSONResponse:
    batch = BatchIn.model_validate_json(await request.body())
    now = datetime.now(UTC)
    token = request.headers["authorization"].removeprefix("Bearer ")
    async with request.app.state.make.begin() as session:
        actor = (await actors_of_devices(session, [token])).get(token)
        if actor is None:
            return JSONResponse({"error": "unknown device"}, 401)
        device_id = UUID(actor.subject.removeprefix("device:"))
        duty = await session.scalar(
            select(Duty).where(
                Duty.device_id == device_id, Duty.from_at <= now, Duty.until_at > now
            )
        )
        if duty is None:
            return JSONResponse({"error": "off duty"}, 403)
        rows: list[dict[str, Any]] = [
            {
                "device_id": device_id, "tenant_id": actor.tenant_id, "account_id": duty.account_id,
                "at": fix.at, "lat": fix.lat, "lon": fix.lon, "accuracy_m": fix.accuracy_m,
                "speed_mps": fix.speed_mps, "heading_deg": fix.heading_deg,
                "battery_pct": fix.battery_pct, "source": 1, "received_at": now,
            }
            for fix in batch.fixes
        ]  # fmt: skip
        await session.execute(insert(Fix).on_conflict_do_nothing(), rows)
    for fix in batch.fixes:
        await request.app.state.redis.publish(
            f"positions:{duty.account_id}", fix.model_dump_json(by_alias=True)
        )
    return JSONResponse({"accepted": len(rows)})


@asynccontextmanager
async def _lifespan(app: Starlette) -> Any:
    engine = connect(os.environ["BENCH_DATABASE_URL"])
    app.state.make = sessions(engine)
    app.state.redis = Redis.from_url(os.environ["BENCH_REDIS_URL"])
    yield
    await app.state.redis.aclose()
    await engine.dispose()


app = Starlette(
    routes=[Route("/ingest/positions", _positions, methods=["POST"])], lifespan=_lifespan
)
