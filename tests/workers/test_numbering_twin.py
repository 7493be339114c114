"""Numbering equals a naive twin: the same numbers, hashes and jobs, whoever writes meanwhile and whatever dies."""

import asyncio
import hashlib
import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any, ClassVar
from uuid import UUID, uuid4

import asyncpg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Origin
from domain.core import sequencing
from domain.core.db import Sessions, connect, transaction
from domain.core.ledger import Fact, LedgerHead, LedgerRow, record
from domain.core.outbox import Outbox
from tests import facts
from tests.chains import verify_chain

pytestmark = pytest.mark.anyio

ROUTES = {"test.told": ("ring", "sing")}
LIMITS = (1, 2, 3, 7, 20)
STEPS = 60
LOST = (
    DBAPIError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)


class Told(Fact):
    """Something with every sort of value happened."""

    kind: ClassVar[str] = "test.told"

    zulu: str
    alpha: list[Any]
    mike: dict[str, Any]


@dataclass
class Twin:
    """Numbering as it is defined: one fact after the other, from lists."""

    seq: int
    heads: dict[UUID, tuple[int, bytes]]
    waiting: dict[int, LedgerRow] = field(default_factory=dict)
    numbered: list[tuple[int, int, bytes]] = field(default_factory=list)
    jobs: set[tuple[int, str]] = field(default_factory=set)

    def number(self, limit: int) -> int:
        oldest = [self.waiting[each] for each in sorted(self.waiting)]
        order = oldest
        if len(oldest) >= limit and any(row.origin != Origin.LIVE for row in oldest[:limit]):
            past = {(r.tenant_id, r.account_id) for r in oldest if r.origin != Origin.LIVE}
            free = [row for row in oldest if (row.tenant_id, row.account_id) not in past]
            order = free + [row for row in oldest if row not in free]
        for row in order[:limit]:
            self._place(row)
        return len(order[:limit])

    def _place(self, row: LedgerRow) -> None:
        self.seq += 1
        content = {
            "seq": self.seq,
            "tenant": str(row.tenant_id),
            "account": row.account_id and str(row.account_id),
            "kind": row.kind,
            "subject": str(row.subject_id),
            "at": row.at.isoformat().replace("+00:00", "Z"),
            "recorded_at": row.recorded_at.isoformat().replace("+00:00", "Z"),
            "origin": row.origin.value,
            "actor": row.actor,
            "body": row.body,
        }
        words = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        _, before = self.heads.get(row.tenant_id, (0, bytes(32)))
        link = hashlib.sha256(before + words.encode()).digest()
        self.heads[row.tenant_id] = (self.seq, link)
        self.numbered.append((row.id, self.seq, link))
        if row.origin is Origin.LIVE:
            self.jobs |= {(row.id, job) for job in ROUTES[row.kind]}
        del self.waiting[row.id]


def told(chance: Random, whom: facts.Client) -> Told:
    words = ("", "é", '"quoted"\n', "\u0001\u007f\u2028 ✓ 警备", "plain")
    values = (None, True, -7, 2**53 + 1, 0.1, 2.5, -3.75, *words)
    return Told(
        account_id=whom.account_id,
        subject_id=uuid4(),
        at=facts.T0 + timedelta(microseconds=chance.choice((0, 1, 250_000))),
        zulu=chance.choice(words),
        alpha=chance.choices(values, k=chance.randrange(4)),
        mike={word: chance.choice(values) for word in chance.sample(words, 3)},
    )


async def killed(system_url: str, make: Sessions, chance: Random) -> None:
    """A round of numbering by a relay that dies in the middle of it, or before it can commit."""
    engine = connect(system_url, pool_size=1)
    async with engine.connect() as connection:
        session = AsyncSession(connection)
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
        work = asyncio.create_task(
            sequencing.assign_sequence(
                session, routes=ROUTES, due_at=facts.T0, limit=chance.choice(LIMITS)
            )
        )
        await asyncio.sleep(chance.choice((0, 0.001, 0.003, 0.005, 0.02)))
        async with transaction(make) as other:
            await other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
        with suppress(*LOST):
            await work
        await connection.invalidate()
    await engine.dispose()


@pytest.mark.parametrize("seed", range(6))
async def test_numbers_hashes_and_jobs_are_those_of_the_naive_twin(
    make: Sessions, system_url: str, seed: int
) -> None:
    chance = Random(seed)
    clients = [await facts.client(make) for _ in range(3)]
    clients += [await facts.sibling(make, each) for each in clients]
    clients += [replace(each, account_id=None) for each in clients[:3]]  # type: ignore[arg-type]
    clients += [
        replace(each, actor=replace(each.actor, origin=Origin.HISTORY))
        for each in chance.sample(clients, 5)
    ]
    tenants = {each.actor.tenant_id for each in clients}
    before = await facts.number_all(make)
    async with make() as session:
        rows = await session.scalars(select(LedgerHead).where(LedgerHead.tenant_id.in_(tenants)))
        twin = Twin(before.seq, {row.tenant_id: (row.seq, row.hash) for row in rows})
    writers: dict[AsyncSession, list[LedgerRow]] = defaultdict(list)

    async def number() -> None:
        limit = chance.choice(LIMITS)
        async with transaction(make) as session:
            batch = await sequencing.assign_sequence(
                session, routes=ROUTES, due_at=facts.T0, limit=limit
            )
        assert (batch.facts, batch.seq) == (twin.number(limit), twin.seq)

    async def end_of_a_writer(*, commits: bool) -> None:
        session = chance.choice(list(writers))
        rows = writers.pop(session)
        if commits:
            await session.commit()
            twin.waiting |= {row.id: row for row in rows}
        await session.close()

    for _ in range(STEPS):
        step = chance.choices(("write", "commit", "abandon", "number", "kill"), (8, 4, 1, 4, 1))[0]
        if step == "number":
            await number()
        elif step == "kill":
            await killed(system_url, make, chance)
        elif step == "write" or not writers:
            session = chance.choice([*writers, make()] if len(writers) < 4 else list(writers))
            for _ in range(chance.randrange(1, 6)):
                whom = chance.choice(clients)
                writers[session].append(record(session, whom.actor, told(chance, whom)))
            await session.flush()
        else:
            await end_of_a_writer(commits=step == "commit")
    while writers:
        await end_of_a_writer(commits=True)
    while twin.waiting:
        await number()

    async with make() as session:
        mine = LedgerRow.tenant_id.in_(tenants), LedgerRow.kind == Told.kind
        placed = await session.execute(
            select(LedgerRow.id, LedgerRow.seq, LedgerRow.hash).where(*mine).order_by(LedgerRow.seq)
        )
        assert [tuple(row) for row in placed] == twin.numbered
        jobs = await session.execute(
            select(Outbox.fact_id, Outbox.job).where(Outbox.tenant_id.in_(tenants))
        )
        assert sorted(tuple(row) for row in jobs) == sorted(twin.jobs)
        assert all([(await verify_chain(session, each)).holds for each in tenants])
