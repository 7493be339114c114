"""Whether the process lives, and whether it can serve: what is not ready is named."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy import func, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from api.state import State
from api.telemetry import exposition
from domain import outbox
from domain.ledger import Entry, ShardMark

PATIENCE_S = 2.0
LAG_S = 10.0  # older facts without a number mean that no relay is at work


async def livez(_request: Request) -> Response:
    """The process answers."""
    return _json({"status": "alive"}, 200)


async def readyz(request: Request) -> Response:
    """Every part that an answer needs; 503 when one is missing. A slow relay is told, but turns no traffic away."""
    state: State = request.app.state.waarborg
    postgres, redis, migrations, relay, fence = await asyncio.gather(
        _part(_postgres(state)),
        _part(_redis(state)),
        _part(_migrations(state)),
        _part(_relay(state)),
        _part(_fence(state)),
    )
    parts = {
        "postgres": postgres,
        "redis": redis,
        "migrations": migrations,
        "relay": relay,
        "fence": fence,
    }
    # Without Redis facts come from PostgreSQL, up to a second later: worth telling, not worth refusing.
    ready = all(parts[name]["ready"] for name in ("postgres", "migrations", "fence"))
    told = {"status": "ready" if ready else "not ready", "parts": parts}
    return _json(told, 200 if ready else 503)


async def metrics(request: Request) -> Response:
    """Prometheus text: the processes' counters, and the ledger and outbox as they stand."""
    state: State = request.app.state.waarborg
    registry = CollectorRegistry()
    pending = Gauge("waarborg_outbox_pending", "Consequences not done yet.", registry=registry)
    dead = Gauge("waarborg_outbox_dead", "Consequences given up.", registry=registry)
    failed = Gauge("waarborg_outbox_failed", "Of these: tried, and failed.", registry=registry)
    behind = Gauge(
        "waarborg_outbox_lag_seconds", "How long the oldest of these is due.", registry=registry
    )
    lag = Gauge(
        "waarborg_ledger_lag_seconds", "Age of the oldest unnumbered fact.", registry=registry
    )
    lacking = Gauge(
        "waarborg_stream_behind",
        "Facts of a shard that its Redis stream lacks.",
        ["shard"],
        registry=registry,
    )
    up = Gauge("waarborg_database_up", "Whether PostgreSQL answers.", registry=registry)
    try:
        async with asyncio.timeout(PATIENCE_S), state.sessions() as session:
            left = await outbox.backlog(session)
            pending.set(left.pending)
            failed.set(left.failed)
            dead.set(left.dead)
            due_at = left.oldest_due_at or state.now()
            behind.set(max(0.0, (state.now() - due_at).total_seconds()))
            lag.set(await _lag_s(state))
            for shard, facts in await _behind(session):
                lacking.labels(shard).set(facts)
            up.set(1)
    except Exception:  # noqa: BLE001 - the metric itself says it
        up.set(0)
    body = exposition(registry)
    return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _part(check: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await check
    except TimeoutError:
        return {"ready": False, "why": f"no answer in {PATIENCE_S:.0f} s"}
    except Exception as error:  # noqa: BLE001 - whatever it is, this part is not ready
        return {"ready": False, "why": type(error).__name__}


async def _postgres(state: State) -> dict[str, Any]:
    async with state.sessions() as session:
        await session.execute(text("SELECT 1"))
    return {"ready": True}


async def _redis(state: State) -> dict[str, Any]:
    await state.redis.ping()
    return {"ready": True}


async def _migrations(state: State) -> dict[str, Any]:
    async with state.sessions() as session:
        found = tuple(await session.scalars(text("SELECT version_num FROM alembic_version")))
    if found == state.revisions:
        return {"ready": True, "revision": " ".join(found)}
    why = f"the tables are at {' '.join(found)}, this release needs {' '.join(state.revisions)}"
    return {"ready": False, "why": why}


async def _fence(state: State) -> dict[str, Any]:
    """Row-level security holds for the login of requests, and lets the system's login pass."""
    query = text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    async with state.requests() as asking, state.sessions() as working:
        passes = bool(await asking.scalar(query)), bool(await working.scalar(query))
    if passes == (False, True):
        return {"ready": True}
    who = "requests pass" if passes[0] else "the system's login does not pass"
    return {"ready": False, "why": f"{who} row-level security: see deploy/roles.sql"}


async def _relay(state: State) -> dict[str, Any]:
    lag_s = await _lag_s(state)
    if lag_s <= LAG_S:
        return {"ready": True, "lagSeconds": round(lag_s, 3)}
    why = "facts wait for their number: is a worker running?"
    return {"ready": False, "lagSeconds": round(lag_s, 3), "why": why}


async def _lag_s(state: State) -> float:
    """Seconds that the oldest unnumbered fact has been waiting; 0 when there is none."""
    oldest = select(func.min(Entry.recorded_at)).where(Entry.seq.is_(None))
    async with state.sessions() as session:
        recorded_at = await session.scalar(oldest)
    return 0.0 if recorded_at is None else max(0.0, (state.now() - recorded_at).total_seconds())


async def _behind(session: AsyncSession) -> Sequence[tuple[int, int]]:
    """How many numbered facts each shard's stream lacks; counted up to a thousand."""
    lacking = (
        select(Entry.id)
        .where(Entry.shard == ShardMark.shard, Entry.seq > ShardMark.shipped_seq)
        .limit(1000)
        .correlate(ShardMark)
        .subquery()
        .lateral()
    )
    rows = await session.execute(
        select(ShardMark.shard, func.count(lacking.c.id))
        .outerjoin(lacking, true())
        .group_by(ShardMark.shard)
        .order_by(ShardMark.shard)
    )
    return [(shard, facts) for shard, facts in rows]


def _json(told: dict[str, Any], status: int) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(told), status, headers, "application/json")
