"""Staging: copy a file by binary COPY, batch by batch, into temporary tables of the transaction."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.core.db import copy_rows
from domain.imports.facts import RANK
from domain.imports.mapping import Profile
from domain.imports.staged import Decoded, Row, StagedFact

# Keys are compared as bytes: sorting them by a language's rules takes three times as long for no benefit.
_TABLES = (
    """
    CREATE TEMP TABLE staged_row (
      number bigint, key text COLLATE "C", account_id uuid, site_id uuid, row_at timestamptz, row_again timestamptz,
      row_order bigint, opened_at timestamptz,
      agreed_at timestamptz, kind text, category text, service text, priority text, source text, reporter text,
      summary text, meaning text
    ) ON COMMIT DROP
    """,
    """
    CREATE TEMP TABLE staged_told (
      number bigint, key text COLLATE "C", spec smallint, at timestamptz, said_at timestamptz, body text,
      detail jsonb, commitment text, salt bytea, words text
    ) ON COMMIT DROP
    """,
    """
    CREATE TEMP TABLE staged_spec (
      spec smallint, kind text, rank smallint, pick text, client_visible boolean
    ) ON COMMIT DROP
    """,
)


async def prepare(session: AsyncSession, tenant_id: UUID, profile: Profile) -> None:
    """Create empty tables in this transaction; a second import of the same source waits for the first.

    The wait may take as long as the other import does, so the lock timeout of short actions is lifted.
    """
    for setting in ("lock_timeout = 0", "work_mem = '64MB'"):
        await session.execute(text(f"SET LOCAL {setting}"))
    turn = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
    await session.execute(turn, {"name": f"import {tenant_id} {profile.name}"})
    for table in _TABLES:
        await session.execute(text(table))
    is_log = profile.log is not None
    kinds: list[tuple[str, str, bool]] = [
        (fact.kind, fact.picked(is_log=is_log), False) for fact in profile.facts
    ]
    kinds += [("incident.updated", "every", update.client_visible) for update in profile.updates]
    specs = [
        (spec, kind, RANK.index(kind), pick, visible)
        for spec, (kind, pick, visible) in enumerate(kinds)
    ]
    await copy_rows(
        session, "staged_spec", ("spec", "kind", "rank", "pick", "client_visible"), specs
    )


async def stage(session: AsyncSession, decoded: Decoded) -> None:
    """Stage one more batch."""
    await copy_rows(session, "staged_row", Row._fields, decoded.rows)
    await copy_rows(session, "staged_told", StagedFact._fields, decoded.told)


async def finish(session: AsyncSession) -> None:
    """Update the planner's statistics of the staged tables."""
    await session.execute(text("ANALYZE staged_row, staged_told"))
