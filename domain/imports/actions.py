"""Import a file of tickets: all of it that can be read, or, when killed in the middle, nothing of it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import Select, Uuid, column, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession

from domain import quality
from domain.imports import staging, tickets
from domain.imports.contradictions import contradictions
from domain.imports.decoding import Decoded, Decoder
from domain.imports.ground import ground
from domain.imports.instants import FIRST
from domain.imports.profile import Profile
from domain.imports.reader import Source, open_source
from domain.imports.rejects import Rejects
from domain.imports.telling import tell
from domain.sla import replay
from domain.sla.attach import attach

Progress = Callable[[str, float], None]
"""Hears what is being done and how much of that is done, 0 to 1."""

_TOUCHED: Select[UUID] = select(column("id", Uuid())).select_from(table("touched"))


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file."""

    rows: int  # in the file, torn ones included
    rejected: int  # could not be read
    contradicting: int  # were read, but say something else than is known
    tickets: int  # different tickets in the rows that could be read
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
    """Bring a file's tickets into the ledger and judge their promises, in the caller's transaction.

    What the ledger already has is left alone, so that the same file a second time changes nothing and a file that
    has grown adds what is new. Rows that cannot be read go to `rejects` with their reason.
    """
    source = open_source(path, encoding=profile.encoding, delimiter=profile.delimiter)
    decoder = Decoder(profile, source.header)
    base = await ground(session, profile, tenant=tenant, at=at)
    await staging.prepare(session, base.actor.tenant_id, profile)
    with Rejects(rejects, decoder.names) as refused:
        rows = 0
        pieces = _pieces(source, decoder)
        while (decoded := await asyncio.to_thread(next, pieces, None)) is not None:
            await staging.stage(session, decoded)
            refused.add(decoded.rejects)
            rows += len(decoded.rows) + len(decoded.rejects)
            progress("Reading", source.progress())
        unreadable = refused.count
        progress("Telling the ledger", 0.0)
        await staging.finish(session)
        where = {"account_id": base.account_id, "site_id": base.site_id}
        facts = await tell(session, base.actor, profile, **where)
        async for contradiction in contradictions(session, profile):
            refused.add([contradiction])
        progress("Telling the ledger", 0.5)
        new, changed = await tickets.fold(session, base.actor, profile, **where, at=at)
        found = await session.scalar(text("SELECT count(*) FROM staged_ticket")) or 0
        progress("Telling the ledger", 1.0)
        await attach(session, base.actor.tenant_id, account_id=base.account_id)
        live = await _consequential(session)
        judged, promises, last = 0, 0, None
        while done := await replay.evaluate(
            session, lambda _: base.actor, _TOUCHED, at=at, after=last, live=live
        ):
            judged, promises, last = judged + done.tickets, promises + done.written, done.last
            progress("Judging", judged / (new + changed))
    if promises:
        await quality.mark(session, base.actor.tenant_id, base.account_id, dirty_from=FIRST, at=at)
    return Imported(
        rows=rows,
        rejected=unreadable,
        contradicting=refused.count - unreadable,
        tickets=found,
        tickets_new=new,
        tickets_changed=changed,
        facts_new=facts,
        promises=promises,
    )


_CONSEQUENTIAL = """
SELECT t.id FROM touched t
WHERE EXISTS (SELECT FROM ledger l WHERE l.subject_id = t.id AND l.kind = 'incident.opened' AND l.origin = 'live')
   OR EXISTS (SELECT FROM credit c WHERE c.incident_id = t.id)
"""


async def _consequential(session: AsyncSession) -> frozenset[UUID]:
    """Incidents of the file whose verdicts move money and are reported to the client.

    Those that were opened live, and those that earned a credit since they were imported. What a file says of any other
    incident is history: its verdicts are shown and measured, and nobody is paid or written to.
    """
    found = await session.scalars(text(_CONSEQUENTIAL))
    return frozenset(found)


def _pieces(source: Source, decoder: Decoder) -> Iterator[Decoded]:
    return (decoder.decode(batch) for batch in source.batches(decoder.names))
