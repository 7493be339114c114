"""Import a file of incidents: all rows that can be read; an aborted import has no effect."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import Select, Uuid, column, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import quality
from domain.access import Tx
from domain.imports import conflicts, folds, incident_rows, ledger_writer, staging
from domain.imports.column_file import ColumnFile, Dialect
from domain.imports.decoding import Decoder
from domain.imports.mapping import Profile, columns_of
from domain.imports.reader import open_source
from domain.imports.rejects import Rejects
from domain.imports.staged import Decoded
from domain.imports.target import prepare_target
from domain.imports.timestamps import FIRST
from domain.promises import attach, batch

Progress = Callable[[str, float], None]
"""Callback with the current step and its progress, 0 to 1."""

MANY = 5_000
"""Number of facts above which the planner's statistics are updated; below, autovacuum does so."""
_TOUCHED: Select[UUID] = select(column("id", Uuid())).select_from(table("touched"))


@dataclass(frozen=True, slots=True)
class Imported:
    """Result of an import."""

    tenant_id: UUID
    rows: int  # in the file, malformed ones included
    rejected: int  # could not be read
    contradicting: int  # were read, but contradict what is known
    tickets: int  # different incidents in the rows that could be read
    tickets_new: int
    tickets_changed: int
    facts_new: int
    promises: int  # verdicts and running clocks written


async def import_incidents(
    session: AsyncSession,
    path: Path,
    profile: Profile,
    *,
    tenant: str | None = None,
    rejects: Path,
    at: datetime,
    progress: Progress = lambda _what, _share: None,
) -> Imported:
    """Import a file's incidents into the ledger and evaluate their promises, in the caller's transaction.

    Facts in the ledger are left unchanged: importing the same file again changes nothing, and a file that has grown
    adds what is new. Rows that cannot be read are written to `rejects` with their reason.
    """
    own = columns_of(profile)
    dialect = Dialect(profile.encoding, profile.delimiter, profile.quote)
    source = open_source(path, dialect, own=own)
    Decoder(profile, source.header)  # a missing column is refused before anything is created
    base = await prepare_target(session, profile, tenant=tenant, at=at)
    decoder = Decoder(profile, source.header, places=base.places, at=at)
    await staging.prepare(session, base.actor.tenant_id, profile)
    with Rejects(rejects, decoder.names, source.dialect) as refused:
        rows = 0
        pieces = _pieces(source, decoder)
        while (decoded := await asyncio.to_thread(next, pieces, None)) is not None:
            await staging.stage(session, decoded)
            refused.add(decoded.rejects)
            rows += len(decoded.rows) + len(decoded.rejects)
            progress("Reading", source.progress())
        unreadable = refused.count
        progress("Writing the ledger", 0.0)
        await staging.finish(session)
        await folds.settle(session, profile)
        async for contradiction in conflicts.within(session, profile):
            refused.add([contradiction])
        await ledger_writer.find(session, base.actor, profile)
        await ledger_writer.gather(session, profile)
        async for contradiction in conflicts.against(session, profile):
            refused.add([contradiction])
        facts = await ledger_writer.write_facts(session, base.actor)
        progress("Writing the ledger", 0.5)
        new, changed = await incident_rows.fold(Tx(session, base.actor, at), profile)
        found = await session.scalar(text("SELECT count(*) FROM staged_ticket")) or 0
        progress("Writing the ledger", 1.0)
        clients = (
            await session.scalars(text("SELECT DISTINCT account_id FROM staged_ticket"))
        ).all()
        for client in clients:
            await attach(session, base.actor.tenant_id, account_id=client)
        live = await _with_credits(session)
        judged, promises, last = 0, 0, None
        while done := await batch.evaluate(
            session, lambda _: base.actor, _TOUCHED, at=at, after=last, live=live
        ):
            judged, promises, last = judged + done.units, promises + done.written, done.last
            progress("Judging", judged / (new + changed))
    for client in clients if promises else ():
        await quality.mark(session, base.actor.tenant_id, client, dirty_from=FIRST, at=at)
    if facts >= MANY:
        await _refresh_statistics(session)
    return Imported(
        tenant_id=base.actor.tenant_id,
        rows=rows,
        rejected=unreadable,
        contradicting=refused.count - unreadable,
        tickets=found,
        tickets_new=new,
        tickets_changed=changed,
        facts_new=facts,
        promises=promises,
    )


async def _refresh_statistics(session: AsyncSession) -> None:
    """Update the planner's statistics, which autovacuum would do minutes later.

    Tables that another import is analyzing are skipped, so that no import waits for another.
    """
    await session.execute(text("SELECT refresh_statistics()"))


_WITH_CREDITS = """
SELECT t.id FROM touched t
WHERE EXISTS (SELECT FROM ledger l WHERE l.subject_id = t.id AND l.kind = 'incident.opened' AND l.origin = 'live')
   OR EXISTS (SELECT FROM credit c WHERE c.unit_id = t.id)
"""


async def _with_credits(session: AsyncSession) -> frozenset[UUID]:
    """Return incidents of the file whose verdicts lead to credits and notices to the client.

    Those that were opened live, and those that earned a credit since they were imported. Any other incident of a file
    is history: its verdicts are shown and measured, without credits or notices.
    """
    found = await session.scalars(text(_WITH_CREDITS))
    return frozenset(found)


def _pieces(source: ColumnFile, decoder: Decoder) -> Iterator[Decoded]:
    return (decoder.decode(batch) for batch in source.batches(decoder.names))
