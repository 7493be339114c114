"""`import reviews`: a CSV file with reviews, read by a profile into a source of the kind `file`."""

import asyncio
import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from api.commands import lookup
from api.support.failures import CommandFailure, Exit
from domain import reputation
from domain.access import Actor, Tx
from domain.core.db import Sessions, connect, sessions, transaction
from domain.core.encryption import SecretCipher
from domain.core.settings import Settings
from domain.reputation import ReviewFileProfile, ReviewSource, ReviewSourceKind, Taken


def run(
    settings: Settings, file: Path, profile: Path, source: str, tenant: str | None, as_json: bool
) -> Exit:
    """Import the file, in transactions of 500 lines; what is there already is left alone."""
    mapping = reputation.review_file_profile(profile)
    report = asyncio.run(_import(settings, file, mapping, source, tenant))
    if as_json:
        print(json.dumps(report))
        return Exit.DONE
    print(
        f"{report['received']:,} new reviews, {report['edited']:,} changed, {report['repeated']:,} known;"
        f" {report['rejected']:,} lines could not be read."
    )
    if report["rejects"]:
        print(f"See {report['rejects']}")
    return Exit.DONE


async def _import(
    settings: Settings, file: Path, profile: ReviewFileProfile, name: str, tenant: str | None
) -> dict[str, Any]:
    engine = connect(settings.system_database_url, pool_size=1)
    try:
        make = sessions(engine)
        source_id, actor = await _source(settings, make, name, profile, tenant)
        taken, rejected, read_at = Taken(), list[tuple[int, str]](), datetime.now(UTC)
        for part in reputation.review_rows(file, profile):
            rejected += part.rejected
            async with transaction(make) as session:
                tx = Tx(session, actor, datetime.now(UTC))
                one = await reputation.take_in(tx, source_id, part.reviews, read_at=read_at)
            taken.received += one.received
            taken.edited += one.edited
            taken.late += one.late
            taken.repeated += one.repeated
    finally:
        await engine.dispose()
    return {
        "received": taken.received,
        "edited": taken.edited + taken.late,
        "repeated": taken.repeated,
        "rejected": len(rejected),
        "rejects": _reject(file, rejected),
    }


def _reject(file: Path, rejected: list[tuple[int, str]]) -> str | None:
    """Write the lines that could not be read beside the file, each with its reason."""
    if not rejected:
        return None
    path = file.with_name(f"{file.name}.rejects.csv")
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(("line", "reason"))
        writer.writerows(rejected)
    return str(path)


async def _source(
    settings: Settings, make: Sessions, name: str, profile: ReviewFileProfile, tenant: str | None
) -> tuple[UUID, Actor]:
    """Find the source, or add it."""
    async with transaction(make) as session:
        companies = await lookup.tenants(session, tenant)
        if len(companies) != 1:
            raise CommandFailure("There are several companies: name one with --tenant.")
        actor = Actor.system(companies[0], "import")
        found = await session.scalar(
            select(ReviewSource).where(
                ReviewSource.tenant_id == companies[0], ReviewSource.name == name
            )
        )
        if found is None:
            found = await reputation.add_source(
                Tx(session, actor, datetime.now(UTC)),
                SecretCipher.of(settings),
                kind=ReviewSourceKind.FILE,
                name=name,
                location=name,
                scale_low=profile.scale.low,
                scale_high=profile.scale.high,
            )
        if found.kind is not ReviewSourceKind.FILE:
            raise CommandFailure(f"{name} is a source of kind {found.kind}, not a file.")
        return found.id, actor
