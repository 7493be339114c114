"""`doctor`: check what Waarborg needs, part by part, and name a remedy for each part that is not fine."""

import asyncio
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from api.commands.environment import addresses, settings_of
from api.commands.findings import Finding, PartState
from api.commands.server_findings import (
    backlog_findings,
    postgres_findings,
    redis_findings,
    verdict_finding,
)
from api.support.failures import CommandFailure, Exit, explained
from domain.core.settings import Settings


def run(data: Path | None, *, port: int | None, as_json: bool) -> Exit:
    """Check every part, print the findings, and return whether a part is broken."""
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
            yield from asyncio.run(postgres_findings(found))
            yield from asyncio.run(redis_findings(found))
            yield from asyncio.run(backlog_findings(found))
            yield verdict_finding(found)
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
    """Check that every required package is installed in a version that the requirement allows."""
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
    printed = subprocess.run([program, "--version"], check=False, text=True, capture_output=True)  # noqa: S603 - found above
    return Finding("redis-server", PartState.FINE, f"{_version(printed.stdout)} ({program})")


def _version(printed: str) -> str:
    """Return the version from a line such as `Redis server v=6.2.14 sha=…`."""
    return next(
        (f"version {word[2:]}" for word in printed.split() if word.startswith("v=")),
        printed.strip(),
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
