"""Health endpoints: `/livez`, `/readyz` and `/metrics`, answered from a state that is refreshed at most once a second.

Anybody may ask them, so they cost the same however often they are asked: one refresh at a time, on a small
connection pool of its own, shared by all callers.
"""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, Gauge
from sqlalchemy import func, select, text, true
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import Response

from api.state import AppState
from api.support.cached_value import Cached
from api.support.telemetry import exposition
from domain.core import deferral
from domain.core.backlog import backlog
from domain.core.ledger import LedgerRow, ShardMark
from domain.core.write_probe import probe_write

PATIENCE_S = 2.0
BUSY = 1.25  # a timer that fires this many times too late says that the process did not run
LAG_S = 10.0  # older facts without a number mean that no relay is at work
WRITE_FRESH_S = (
    10.0  # a successful write probe is not repeated sooner: it adds and drops catalog rows
)


class Health:
    """Readiness of one API process."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self.readiness = Cached(self._readiness)
        self.gauges = Cached(self._gauges)
        self._writable_until = 0.0

    def forget(self) -> None:
        """Check everything again when it is next asked for."""
        self._writable_until = 0.0
        self.readiness.expire()
        self.gauges.expire()

    async def _readiness(self) -> dict[str, dict[str, Any]]:
        state = self._state
        redis, database = await asyncio.gather(_part(_redis(state)), self._database())
        return {**database, "redis": redis}

    async def _database(self) -> dict[str, dict[str, Any]]:
        """The parts that PostgreSQL answers, one after the other on one connection."""
        parts = {"postgres": await _part(self._postgres())}
        away = {"ready": False, "why": "PostgreSQL does not answer"}
        checks = {
            "migrations": _migrations,
            "relay": _relay,
            "fence": _fence,
            "outbox": _outbox,
        }
        for name, check in checks.items():
            parts[name] = await _part(check(self._state)) if parts["postgres"]["ready"] else away
        return parts

    async def _postgres(self) -> dict[str, Any]:
        async with self._state.health_sessions() as session:
            version = str(await session.scalar(text("SHOW server_version"))).partition(" ")[0]
            await session.rollback()
            if time.monotonic() >= self._writable_until:
                try:
                    await probe_write(session)
                except Exception as error:  # noqa: BLE001 - whatever the reason, nothing can be written
                    return {"ready": False, "why": f"no write can be made: {_reason(error)}"}
                self._writable_until = time.monotonic() + WRITE_FRESH_S
        return {"ready": True, **_version(self._state, version)}

    async def _gauges(self) -> CollectorRegistry:
        return await _gauges(self._state)


async def livez(_request: Request) -> Response:
    """Answer as long as the process runs."""
    return _json({"status": "alive"}, 200)


async def readyz(request: Request) -> Response:
    """Name every part that an answer needs; 503 when one is missing.

    What only makes things late (Redis away, a slow relay, a backlog) is named, as "degraded", and answered with 200.
    """
    health: Health = request.app.state.health
    parts = await health.readiness.get()
    # Without Redis facts come from PostgreSQL, up to a second later: worth telling, not worth refusing.
    ready = all(parts[name]["ready"] for name in ("postgres", "migrations", "fence"))
    degraded = not all(part["ready"] for part in parts.values())
    status = ("degraded" if degraded else "ready") if ready else "not ready"
    report = {"status": status, "parts": parts}
    return _json(report, 200 if ready else 503)


async def metrics(request: Request) -> Response:
    """Prometheus text: the processes' counters, and the ledger and outbox as they stand."""
    health: Health = request.app.state.health
    body = exposition(await health.gauges.get())
    return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")


async def _gauges(state: AppState) -> CollectorRegistry:
    registry = CollectorRegistry()
    pending = Gauge("waarborg_outbox_pending", "Consequences not done yet.", registry=registry)
    dead = Gauge("waarborg_outbox_dead", "Consequences given up.", registry=registry)
    failed = Gauge("waarborg_outbox_failed", "Of these: tried, and failed.", registry=registry)
    behind = Gauge(
        "waarborg_outbox_lag_seconds",
        "How long the oldest consequence that was not tried yet waits, since its fact was recorded.",
        registry=registry,
    )
    oldest = Gauge(
        "waarborg_outbox_oldest_seconds",
        "Age of the oldest fact of which a consequence is not done.",
        registry=registry,
    )
    lag = Gauge(
        "waarborg_ledger_lag_seconds", "Age of the oldest unnumbered fact.", registry=registry
    )
    waiting = Gauge(
        "waarborg_work_deferred",
        "Periodic work (months, invoices, reports, …) that failed and waits for its next attempt.",
        ["part"],
        registry=registry,
    )
    lacking = Gauge(
        "waarborg_stream_behind",
        "Facts of a shard that its Redis stream lacks.",
        ["shard"],
        registry=registry,
    )
    up = Gauge("waarborg_database_up", "Whether PostgreSQL answers.", registry=registry)
    try:
        async with asyncio.timeout(PATIENCE_S), state.health_sessions() as session:
            left = await backlog(session, at=state.now())
            pending.set(left.pending)
            failed.set(left.failed)
            dead.set(left.dead)
            behind.set(left.lag_s)
            oldest.set(left.oldest_s)
            for part, count in (await deferral.counts(session)).items():
                waiting.labels(part).set(count)
            lag.set(await _lag_s(state, session))
            for shard, facts in await _behind(session):
                lacking.labels(shard).set(facts)
            up.set(1)
    except Exception:  # noqa: BLE001 - the metric itself says it
        up.set(0)
    return registry


async def _part(check: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    began = time.monotonic()
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await check
    except TimeoutError:
        if time.monotonic() - began > BUSY * PATIENCE_S:  # the answer may have come, unread
            return {"ready": True, "why": "this process is too busy to tell"}
        return {"ready": False, "why": f"no answer in {PATIENCE_S:.0f} s"}
    except Exception as error:  # noqa: BLE001 - whatever it is, this part is not ready
        return {"ready": False, "why": _reason(error)}


def _reason(error: Exception) -> str:
    """The driver's class of error, such as `DiskFullError`: its message may hold names and addresses."""
    cause = getattr(error, "orig", None)
    return type(getattr(cause, "__cause__", None) or cause or error).__name__


async def _redis(state: AppState) -> dict[str, Any]:
    await state.redis.ping()
    if not state.settings.development:
        return {"ready": True}
    return {"ready": True, **_version(state, (await state.redis.info("server"))["redis_version"])}


def _version(state: AppState, version: str) -> dict[str, str]:
    """A server's version, which is shown in development only: strangers need not know it."""
    return {"version": version} if state.settings.development else {}


async def _migrations(state: AppState) -> dict[str, Any]:
    async with state.health_sessions() as session:
        found = tuple(await session.scalars(text("SELECT version_num FROM alembic_version")))
    if found == state.revisions:
        return {"ready": True, "revision": " ".join(found)}
    why = f"the tables are at {' '.join(found)}, this release needs {' '.join(state.revisions)}"
    return {"ready": False, "why": why}


async def _fence(state: AppState) -> dict[str, Any]:
    """Row-level security holds for the login of requests, and lets the system's login pass."""
    query = text(
        "SELECT bool_or(rolname = :login AND (rolsuper OR rolbypassrls)),"
        " bool_or(rolname = current_user AND (rolsuper OR rolbypassrls))"
        " FROM pg_roles WHERE rolname IN (:login, current_user)"
    )
    async with state.health_sessions() as session:
        login = state.database.url.username
        row = (await session.execute(query, {"login": login})).one()
    passes = bool(row[0]), bool(row[1])
    if passes == (False, True):
        return {"ready": True}
    who = "requests pass" if passes[0] else "the system's login does not pass"
    return {"ready": False, "why": f"{who} row-level security: see deploy/roles.sql"}


async def _relay(state: AppState) -> dict[str, Any]:
    async with state.health_sessions() as session:
        lag_s = await _lag_s(state, session)
    if lag_s <= LAG_S:
        return {"ready": True, "lagSeconds": round(lag_s, 3)}
    why = "facts wait for their number: is a worker running?"
    return {"ready": False, "lagSeconds": round(lag_s, 3), "why": why}


async def _outbox(state: AppState) -> dict[str, Any]:
    async with state.health_sessions() as session:
        left = await backlog(session, at=state.now())
    checked = {
        "pending": left.pending,
        "failed": left.failed,
        "dead": left.dead,
        "oldestSeconds": round(left.oldest_s, 3),
        "lagSeconds": round(left.lag_s, 3),
    }
    if not left.is_late:
        return {"ready": True, **checked}
    why = "consequences wait for a worker: start more workers, or see `waarborg outbox`"
    return {"ready": False, **checked, "why": why}


async def _lag_s(state: AppState, session: AsyncSession) -> float:
    """Seconds that the oldest unnumbered fact has been waiting; 0 when there is none."""
    # By id, because an import's 400,000 facts would all be read for the least instant.
    oldest = (
        select(LedgerRow.recorded_at).where(LedgerRow.seq.is_(None)).order_by(LedgerRow.id).limit(1)
    )
    recorded_at = await session.scalar(oldest)
    return 0.0 if recorded_at is None else max(0.0, (state.now() - recorded_at).total_seconds())


async def _behind(session: AsyncSession) -> Sequence[tuple[int, int]]:
    """Return the number of numbered facts missing in each shard's stream; counted up to a thousand."""
    lacking = (
        select(LedgerRow.id)
        .where(LedgerRow.shard == ShardMark.shard, LedgerRow.seq > ShardMark.shipped_seq)
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


def _json(body: dict[str, Any], status: int) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(body), status, headers, "application/json")
