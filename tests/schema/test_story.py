"""A ticket's story is found by its index: what else happened to the client does not make it dearer."""

import re
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.core import sequencing
from domain.core.db import Sessions, connect, transaction
from domain.core.ledger import Fact, LedgerRow
from schema.timeline import BESIDES, timeline_facts
from tests import build, facts

FETCHED = text(
    "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'ledger'"
)


def _kinds(of: type[Fact]) -> list[type[Fact]]:
    return [each for kind in of.__subclasses__() for each in (kind, *_kinds(kind))]


async def rows_for(session: AsyncSession, actor: Actor, incident_id: UUID) -> tuple[int, int]:
    """How many facts a story has, and how many rows of the ledger were fetched to find them."""
    before = await session.scalar(FETCHED) or 0
    conditions = actor.scope(LedgerRow), timeline_facts(incident_id)
    found = await sequencing.read(session, *conditions, after=0, upto=1_000_000)
    return len(found), (await session.scalar(FETCHED) or 0) - before


async def test_a_story_costs_what_it_is_long_however_much_happened_to_the_client(
    make: Sessions, owner_url: str
) -> None:
    world = await build.client(make)
    incident = await build.incident(make, world)
    await facts.number_all(make)
    async with transaction(make) as session:
        told, _ = await rows_for(session, world.staff, incident.id)
    for n in range(0, 4_000, 500):
        whom = facts.Client(world.staff, world.account.id)
        await facts.note(make, whom, *range(n, n + 500))
    await facts.number_all(make)
    owner = connect(owner_url)
    async with owner.begin() as connection:
        await connection.execute(
            text("ANALYZE ledger")
        )  # as autovacuum does when a table has grown
    await owner.dispose()
    async with transaction(make) as session:
        again, fetched = await rows_for(session, world.staff, incident.id)
    assert told == again >= 3  # it was opened, and what was promised began
    assert fetched <= 2 * told + 10, (told, fetched)


def test_whatever_names_a_ticket_is_about_something_that_the_story_looks_at() -> None:
    """Except surveys, whose answers may be nobody's to know, and replies to letters: their inquiry is an incident."""
    naming = {
        kind.kind.partition(".")[0]
        for kind in _kinds(Fact)
        if "incident_id" in kind.__struct_fields__ and hasattr(kind, "kind")
    }
    names = {row.__tablename__ for row in BESIDES}
    looked_at = {re.sub("_(case|entry|sign)$", "", each) for each in names} | {"review"}
    assert naming - {"survey", "message"} == looked_at
