"""`import incidents`: another system's tickets, with a bar on a terminal and a summary for everybody."""

import asyncio
import json
import os
import resource
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from api.commands.arrival import Arrival, arrived
from api.commands.progress import bars
from api.support.failures import CommandFailure, Exit
from domain import imports
from domain.core.db import connect, sessions, transaction
from domain.core.settings import Settings


def run(
    settings: Settings,
    file: Path,
    profile: str,
    tenant: str | None,
    rejects: Path | None,
    as_json: bool,
    *,
    is_awaited: bool = True,
) -> Exit:
    """Import the file, wait until all of it is there, and say what became of it.

    `Refused` when file or profile cannot be used at all. Whoever interrupts the waiting takes nothing back.
    """
    mapping = imports.load(profile)
    refused = rejects or _beside(file)
    if refused.exists() and refused.samefile(file):
        raise CommandFailure(f"{refused} is the file to import: name another one with --rejects.")
    began = time.perf_counter()
    with bars() as progress:
        done = asyncio.run(_import(settings, file, mapping, tenant, refused, progress))
        seconds = time.perf_counter() - began
        try:
            arrival = asyncio.run(_arrived(settings, done, is_awaited, progress))
        except KeyboardInterrupt:
            print("The file is imported; only the waiting was ended.", file=sys.stderr)
            raise
    figures = {
        "file": str(file),
        "profile": mapping.name,
        **asdict(done),
        "tenant_id": str(done.tenant_id),
        "rejects": str(refused) if done.rejected + done.contradicting else None,
        "seconds": round(seconds, 3),
        "rows_per_s": round(done.rows / seconds),
        "peak_rss_mb": round(_peak_mb(), 1),
        "complete": arrival.left.is_nothing,
        "complete_after_s": round(time.perf_counter() - began, 3),
    }
    if as_json:
        print(json.dumps(figures))
    else:
        _tell(done, figures)
        print(arrival.words)
    return Exit.DONE


async def _import(
    settings: Settings,
    file: Path,
    profile: imports.Profile,
    tenant: str | None,
    rejects: Path,
    progress: imports.Progress,
) -> imports.Imported:
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        async with transaction(sessions(engine)) as session:
            return await imports.import_incidents(
                session,
                file,
                profile,
                tenant=tenant,
                rejects=rejects,
                at=datetime.now(UTC),
                progress=progress,
            )
    finally:
        await engine.dispose()


async def _arrived(
    settings: Settings, done: imports.Imported, is_awaited: bool, progress: imports.Progress
) -> Arrival:
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        make = sessions(engine)
        return await arrived(make, done.tenant_id, is_awaited=is_awaited, progress=progress)
    finally:
        await engine.dispose()


def _tell(done: imports.Imported, figures: dict[str, object]) -> None:
    print(
        f"{done.rows:,} rows of {done.tickets:,} tickets: {done.tickets_new:,} new, "
        f"{done.tickets_changed:,} changed, {done.facts_new:,} facts, {done.promises:,} promises judged."
    )
    if not done.facts_new:
        print("Nothing new: everything in the file was there already.")
    if done.rejected or done.contradicting:
        print(
            f"{done.rejected:,} rows could not be read, {done.contradicting:,} contradict what is known: "
            f"see {figures['rejects']}"
        )
    print(
        f"{figures['seconds']} s, {figures['rows_per_s']:,} rows/s, peak memory {figures['peak_rss_mb']} MB"
    )


def _peak_mb() -> float:
    """The most memory this program ever held.

    Linux keeps it under `VmHWM`; its `ru_maxrss` also counts the process that started this one. macOS counts bytes.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def _beside(file: Path) -> Path:
    """Return the default path for rejects: beside the file, or the current directory when that is not writable."""
    folder = file.parent if os.access(file.parent, os.W_OK) else Path.cwd()
    return folder / f"{file.name}.rejects.csv"
