"""Findings of `doctor` about PostgreSQL, Redis and the work that waits in them."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from api.commands.findings import Finding, PartState, judged
from api.support import migrate
from domain.core.settings import Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from realtime.cluster import Cluster


async def postgres_findings(settings: Settings) -> list[Finding]:
    """Check the version, durability, login and migrations of PostgreSQL."""
    import asyncpg

    connection = await asyncpg.connect(settings.database_url.replace("+asyncpg", "", 1))
    try:
        row = await connection.fetchrow(
            "SELECT current_setting('server_version') AS version, "
            "current_setting('server_version_num')::int AS number, "
            "current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync, "
            "current_user AS login, r.rolsuper AS super, r.rolbypassrls AS bypass "
            "FROM pg_roles r WHERE r.rolname = current_user"
        )
        revisions: tuple[str, ...] = ()
        with suppress(asyncpg.UndefinedTableError):
            rows = await connection.fetch("SELECT version_num FROM alembic_version ORDER BY 1")
            revisions = tuple(r["version_num"] for r in rows)
    finally:
        await connection.close()
    assert row is not None  # noqa: S101 - everybody has a role
    new_enough = row["number"] >= 180_000
    durable = row["commit"] not in {"off", "local"} and row["fsync"] == "on"
    fenced = not (row["super"] or row["bypass"])
    at_head = revisions == migrate.heads()
    return [
        judged(
            "PostgreSQL", new_enough, f"version {row['version']}", "Use PostgreSQL 18 or later."
        ),
        judged(
            "durability",
            durable,
            f"synchronous_commit={row['commit']}, fsync={row['fsync']}",
            "Set both on: what was acknowledged would be lost in a crash.",
        ),
        judged(
            "login",
            fenced,
            row["login"],
            "Log in as neither a superuser nor one that bypasses row-level security.",
        ),
        judged(
            "migrations",
            at_head,
            f"at {', '.join(revisions) or 'nothing'}, newest is {', '.join(migrate.heads())}",
            "waarborg migrate",
        ),
    ]


async def backlog_findings(settings: Settings) -> list[Finding]:
    """Report the work that waits, of all companies; nothing while the tables are not of this release."""
    from sqlalchemy.exc import ProgrammingError

    from api.state import utc_now
    from domain.core import deferral
    from domain.core.backlog import backlog
    from domain.core.db import connect, sessions

    engine = connect(settings.system_database_url, pool_size=1)
    try:
        async with sessions(engine)() as session:
            left = await backlog(session, at=utc_now())
            waiting = await deferral.counts(session)
    except ProgrammingError:
        return []
    finally:
        await engine.dispose()
    seen = (
        f"{left.pending} pending, {left.failed} failed, {left.dead} given up;"
        f" the oldest fact is {left.oldest_s:.0f} s old, work waits for {left.lag_s:.0f} s"
    )
    if waiting:
        seen += "; deferred: " + ", ".join(f"{n} {part}" for part, n in sorted(waiting.items()))
    if left.is_late:
        return [Finding("backlog", PartState.WORRYING, seen, "Start a worker, or more of them.")]
    if left.failed or left.dead or waiting:
        return [Finding("backlog", PartState.WORRYING, seen, "See the errors: waarborg outbox")]
    return [Finding("backlog", PartState.FINE, seen)]


def verdict_finding(settings: Settings) -> Finding:
    """Check whether the evaluator of this release made every stored verdict."""
    from api.older_verdicts import advice
    from domain.promises import EVALUATOR

    if advice(settings.system_database_url) is None:
        return Finding("verdicts", PartState.FINE, f"made by evaluator {EVALUATOR}")
    return Finding(
        "verdicts", PartState.WORRYING, "some were made by an older evaluator", "waarborg evaluate"
    )


async def redis_findings(settings: Settings) -> list[Finding]:
    """Check each Redis: version, persistence and eviction; of a Cluster also its slots."""
    from realtime.cluster import Cluster
    from realtime.redis import connect

    findings: list[Finding] = []
    for name, url in {
        "Redis": settings.redis_url,
        "Redis of the jobs": settings.jobs_redis_url,
    }.items():
        if name != "Redis" and url == settings.redis_url:
            continue
        client = connect(url)
        try:
            if isinstance(client, Cluster):
                findings += await _cluster(client)
            else:
                findings += await _one_redis(name, client)
        finally:
            await client.aclose()
    return findings


async def _one_redis(name: str, client: "Redis") -> list[Finding]:
    from redis.exceptions import ResponseError

    about = await client.info("server")
    version = str(about["redis_version"])
    new_enough = tuple(int(part) for part in version.split(".")[:2]) >= (6, 2)
    findings = [judged(name, new_enough, f"version {version}", "Use 6.2 or later.")]
    if about.get("redis_mode") == "cluster":
        remedy = (
            "Write redis+cluster:// instead of redis://."
            if name == "Redis"
            else "The job queue needs a Redis of its own: WAARBORG_JOBS_REDIS_URL."
        )
        findings.append(Finding(name, PartState.BROKEN, "a node of a Cluster", remedy))
    with suppress(ResponseError):  # managed servers do not show their settings
        findings += _redis_settings(name, await client.config_get("*"))
    return findings


async def _cluster(cluster: "Cluster") -> list[Finding]:
    """Check each node with slots, whether all slots are served, and the setting for a node that is away."""
    from redis.exceptions import ResponseError

    findings: list[Finding] = []
    nodes = await cluster.nodes()
    for (host, port), node in sorted(nodes.items()):
        name = f"Redis node {host}:{port}"
        version = str((await node.info("server"))["redis_version"])
        new_enough = tuple(int(part) for part in version.split(".")[:2]) >= (6, 2)
        findings.append(judged(name, new_enough, f"version {version}", "Use 6.2 or later."))
        with suppress(ResponseError):
            option = "cluster-require-full-coverage"
            value = (await node.config_get(option)).get(option)
            if value != "no":
                remedy = f"Set {option} no: with one node away, the others would refuse too."
                findings.append(Finding(name, PartState.WORRYING, f"{option}={value}", remedy))
    printed = await next(iter(nodes.values())).execute_command("CLUSTER", "INFO")  # type: ignore[no-untyped-call]
    state = printed.decode().split("cluster_state:")[1].split()[0]
    whole = state == "ok" and b"cluster_slots_ok:16384" in printed
    seen = f"{len(nodes)} nodes, state {state}"
    findings.append(judged("Redis Cluster", whole, seen, "Some slots are served by no node."))
    return findings


def _redis_settings(name: str, settings: dict[str, str]) -> Iterator[Finding]:
    for part, option, wanted, remedy in (
        (
            "persistence",
            "appendonly",
            "yes",
            "without it a restart costs a catch-up from PostgreSQL",
        ),
        (
            "eviction",
            "maxmemory-policy",
            "noeviction",
            "a full Redis would silently drop jobs and streams",
        ),
    ):
        value = settings.get(option)
        yield Finding(
            f"{name}: {part}",
            PartState.FINE if value == wanted else PartState.WORRYING,
            f"{option}={value}",
            "" if value == wanted else f"Set {option} {wanted}: {remedy}.",
        )
