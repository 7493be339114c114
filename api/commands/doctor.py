"""`doctor`: everything Waarborg stands on, looked at one by one, with what to do about it."""

import asyncio
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from api.commands.environment import addresses, settings_of
from api.support import migrate
from api.support.failures import CommandFailure, Exit, explained
from domain.core.settings import Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from realtime.cluster import Cluster


class PartState(StrEnum):
    """How a part is."""

    FINE = "fine"
    WORRYING = "worrying"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """One part that was looked at; `remedy` says what to do when it is not fine."""

    part: str
    state: PartState
    seen: str
    remedy: str = ""


def run(data: Path | None, *, port: int | None, as_json: bool) -> Exit:
    """Look at everything, print it, and answer whether something is broken."""
    findings = list(_look(data, port))
    broken = any(finding.state is PartState.BROKEN for finding in findings)
    if as_json:
        print(json.dumps({"fine": not broken, "findings": [asdict(f) for f in findings]}, indent=2))
    else:
        _draw(findings)
    return Exit.DIFFERS if broken else Exit.DONE


def _look(data: Path | None, port: int | None) -> Iterator[Finding]:
    yield _python()
    yield _packages()
    try:
        settings = settings_of(data, port=port)
    except ValueError as error:
        known = explained(error)
        yield Finding(
            "settings", PartState.BROKEN, known[1] if known else str(error), "Correct them."
        )
        return
    yield Finding("settings", PartState.FINE, f"data in {settings.data.resolve()}")
    yield _disk(settings)
    yield _port(settings)
    yield _redis_program(settings)
    try:
        with addresses(settings) as found:
            yield from asyncio.run(_postgres(found))
            yield from asyncio.run(_redis(found))
            yield from asyncio.run(_backlog(found))
            yield _verdicts(found)
    except Exception as error:
        known = explained(error)
        if known is None:
            raise
        yield Finding(
            "servers", PartState.BROKEN, known[1], "See above; the logs are in DATA/logs."
        )


def _python() -> Finding:
    version = sys.version.split()[0]
    fine = sys.version_info >= (3, 11)
    return Finding(
        "Python",
        PartState.FINE if fine else PartState.BROKEN,
        f"{version} ({sys.executable})",
        "" if fine else "Use 3.11.",
    )


def _packages() -> Finding:
    """Every requirement of ours, installed and new enough, as packaging reads them."""
    from packaging.requirements import Requirement

    missing: list[str] = []
    try:
        lines = importlib.metadata.requires("waarborg") or ()
    except importlib.metadata.PackageNotFoundError:
        return Finding(
            "packages", PartState.BROKEN, "waarborg itself is not installed", "make install"
        )
    asked = [Requirement(line) for line in lines]
    asked = [r for r in asked if r.marker is None or r.marker.evaluate({"extra": ""})]
    for requirement in asked:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            missing.append(f"{requirement.name} is {version}, not {requirement.specifier}")
    if missing:
        return Finding("packages", PartState.BROKEN, "; ".join(missing), "make install")
    return Finding("packages", PartState.FINE, f"{len(asked)} as required")


def _disk(settings: Settings) -> Finding:
    place = settings.data.resolve()
    while not place.exists():
        place = place.parent
    free_mb = shutil.disk_usage(place).free // 1_000_000
    seen = f"{free_mb} MB free at {place}"
    if not os.access(place, os.W_OK):
        return Finding(
            "disk", PartState.BROKEN, f"{place} is not writable", "Choose another --data DIR."
        )
    if free_mb < 200:
        return Finding(
            "disk", PartState.BROKEN, seen, "Free some space, or choose another --data DIR."
        )
    state = PartState.FINE if free_mb > 2_000 else PartState.WORRYING
    return Finding(
        "disk", state, seen, "" if state is PartState.FINE else "Days of positions need more."
    )


def _port(settings: Settings) -> Finding:
    from api.process.serve import listen

    try:
        listen(settings.host, settings.port).close()
    except CommandFailure as error:
        if _answers(settings):
            return Finding(
                "port", PartState.FINE, f"Waarborg answers on {settings.host}:{settings.port}"
            )
        return Finding("port", PartState.WORRYING, str(error), "Stop the other program.")
    return Finding("port", PartState.FINE, f"{settings.host}:{settings.port} is free")


def _answers(settings: Settings) -> bool:
    """Whether an API process of Waarborg listens on the configured port."""
    import httpx2

    from api.process.serve import reachable

    host = reachable(settings.host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/livez"
    try:
        return bool(httpx2.get(address, timeout=2).json() == {"status": "alive"})
    except (httpx2.HTTPError, ValueError):
        return False


def _redis_program(settings: Settings) -> Finding:
    if settings.redis_url:
        return Finding("redis-server", PartState.FINE, "not needed: WAARBORG_REDIS_URL is given")
    from api.embedded.data_directory import prepare
    from api.embedded.os_user import EmbeddedError
    from api.embedded.redis import server_program

    try:
        program = server_program(prepare(settings.data))
    except EmbeddedError as error:
        return Finding("redis-server", PartState.BROKEN, "none", str(error))
    said = subprocess.run([program, "--version"], check=False, text=True, capture_output=True)  # noqa: S603 - found above
    return Finding("redis-server", PartState.FINE, f"{_version(said.stdout)} ({program})")


def _version(said: str) -> str:
    """`v=6.2.14` out of a line full of build numbers."""
    return next(
        (f"version {word[2:]}" for word in said.split() if word.startswith("v=")), said.strip()
    )


async def _postgres(settings: Settings) -> list[Finding]:
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
        _judged(
            "PostgreSQL", new_enough, f"version {row['version']}", "Use PostgreSQL 18 or later."
        ),
        _judged(
            "durability",
            durable,
            f"synchronous_commit={row['commit']}, fsync={row['fsync']}",
            "Set both on: what was acknowledged would be lost in a crash.",
        ),
        _judged(
            "login",
            fenced,
            row["login"],
            "Log in as neither a superuser nor one that bypasses row-level security.",
        ),
        _judged(
            "migrations",
            at_head,
            f"at {', '.join(revisions) or 'nothing'}, newest is {', '.join(migrate.heads())}",
            "waarborg migrate",
        ),
    ]


async def _backlog(settings: Settings) -> list[Finding]:
    """What is still to be done, over all companies; nothing while the tables are not of this release."""
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


def _verdicts(settings: Settings) -> Finding:
    """Whether the evaluator of this release made every stored verdict."""
    from api.older_verdicts import advice
    from domain.promises import EVALUATOR

    if advice(settings.system_database_url) is None:
        return Finding("verdicts", PartState.FINE, f"made by evaluator {EVALUATOR}")
    return Finding(
        "verdicts", PartState.WORRYING, "some were made by an older evaluator", "waarborg evaluate"
    )


async def _redis(settings: Settings) -> list[Finding]:
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

    told = await client.info("server")
    version = str(told["redis_version"])
    new_enough = tuple(int(part) for part in version.split(".")[:2]) >= (6, 2)
    findings = [_judged(name, new_enough, f"version {version}", "Use 6.2 or later.")]
    if told.get("redis_mode") == "cluster":
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
    """Each node that has slots, whether all slots are served, and what happens when a node is away."""
    from redis.exceptions import ResponseError

    findings: list[Finding] = []
    nodes = await cluster.nodes()
    for (host, port), node in sorted(nodes.items()):
        name = f"Redis node {host}:{port}"
        version = str((await node.info("server"))["redis_version"])
        new_enough = tuple(int(part) for part in version.split(".")[:2]) >= (6, 2)
        findings.append(_judged(name, new_enough, f"version {version}", "Use 6.2 or later."))
        with suppress(ResponseError):
            option = "cluster-require-full-coverage"
            value = (await node.config_get(option)).get(option)
            if value != "no":
                remedy = f"Set {option} no: with one node away, the others would refuse too."
                findings.append(Finding(name, PartState.WORRYING, f"{option}={value}", remedy))
    told = await next(iter(nodes.values())).execute_command("CLUSTER", "INFO")  # type: ignore[no-untyped-call]
    state = told.decode().split("cluster_state:")[1].split()[0]
    whole = state == "ok" and b"cluster_slots_ok:16384" in told
    seen = f"{len(nodes)} nodes, state {state}"
    findings.append(_judged("Redis Cluster", whole, seen, "Some slots are served by no node."))
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


def _judged(part: str, fine: bool, seen: str, remedy: str) -> Finding:
    return (
        Finding(part, PartState.FINE, seen)
        if fine
        else Finding(part, PartState.BROKEN, seen, remedy)
    )


def _draw(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table

    colours = {PartState.FINE: "green", PartState.WORRYING: "yellow", PartState.BROKEN: "red"}
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for finding in findings:
        words = finding.seen + (f"\n→ {finding.remedy}" if finding.remedy else "")
        table.add_row(finding.part, f"[{colours[finding.state]}]{finding.state}[/]", words)
    Console().print(table)
