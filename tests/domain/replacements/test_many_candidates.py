"""Candidates among 2,000 guards with sixteen weeks of shifts: server CPU, and the number of statements."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event, insert, select

from domain import accounts, posts, replacements
from domain.access import Role
from domain.core.base import uuid7
from domain.core.db import Sessions, transaction
from domain.guards.model import GuardProfile, PassColour, Qualification
from domain.shifts import Shift, ShiftState
from tests.domain.replacements.night import BEGINS, HOUR, LAT, LON, NO_SHOW, Night, night

GUARDS, WEEKS = 2_000, 16
MOST_CPU_MS = 100


async def company(given: Night, guards: int) -> None:
    """Add so many guards, each with five shifts a week before the night and after it."""
    tenant, account, site = (
        given.world.tenant.id, given.world.account.id, given.world.site.id,
    )  # fmt: skip
    people = [uuid7() for _ in range(guards)]
    async with transaction(given.make) as session:
        await session.execute(
            insert(accounts.User),
            [
                {
                    "id": each, "tenant_id": tenant, "email": f"{each}@example.org", "name": "G",
                    "role": Role.GUARD, "version": 1,
                }
                for each in people
            ],
        )  # fmt: skip
        await session.execute(
            insert(GuardProfile),
            [
                {
                    "id": uuid7(), "tenant_id": tenant, "user_id": each, "languages": [],
                    "pass_colour": PassColour.GREY, "pass_expires_on": date(2027, 1, 1),
                    "home_lat": LAT + number % 80 / 100, "home_lon": LON, "contract_minutes": 2_280,
                    "hour_cost_cents": 2_400 + number % 9 * 100, "version": 1,
                }
                for number, each in enumerate(people)
            ],
        )  # fmt: skip
        await session.execute(
            insert(Qualification),
            [
                {"id": uuid7(), "tenant_id": tenant, "user_id": each, "name": "bhv"}
                for each in people
            ],
        )
        post = (await session.scalars(select(posts.Post.id))).first()
        await session.execute(insert(Shift), list(_shifts(people, tenant, account, site, post)))


def _shifts(
    people: list[UUID], tenant: UUID, account: UUID, site: UUID, post: UUID | None
) -> Iterator[dict[str, object]]:
    for number, person in enumerate(people):
        begins = timedelta(hours=(number * 7) % 24)
        for day in range(-7 * WEEKS, 21):
            if (day + number) % 7 < 2:
                continue
            from_at = BEGINS + timedelta(days=day) + begins
            yield {
                "id": uuid7(), "tenant_id": tenant, "account_id": account, "site_id": site,
                "post_id": post, "on_day": from_at.date(), "seat": 1, "user_id": person,
                "state": ShiftState.PUBLISHED, "from_at": from_at, "until_at": from_at + 8 * HOUR,
                "version": 1,
            }  # fmt: skip


@contextmanager
def counted(make: Sessions) -> Iterator[list[str]]:
    """The statements that are run meanwhile."""
    found: list[str] = []
    engine = make.kw["bind"].sync_engine

    def saw(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        found.append(statement)

    event.listen(engine, "before_cursor_execute", saw)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", saw)


@pytest.mark.slow
async def test_candidates_among_two_thousand_guards_take_little_cpu(make: Sessions) -> None:
    given = await night(make)
    counts, cpu_ms = [], []
    wall_ms = 0.0
    async with make() as session:
        shift = await session.get_one(Shift, given.shift_id)
        with counted(make) as statements:
            few = await replacements.rank(session, shift, at=NO_SHOW)
        counts.append(len(statements))
    await company(given, GUARDS)
    found = few
    for _ in range(5):
        async with make() as session:
            shift = await session.get_one(Shift, given.shift_id)
            with counted(make) as statements:
                began, wall = time.process_time(), time.perf_counter()
                found = await replacements.rank(session, shift, at=NO_SHOW)
                cpu_ms.append((time.process_time() - began) * 1_000)
                wall_ms = (time.perf_counter() - wall) * 1_000
            counts.append(len(statements))
    total = len(found.candidates) + len(found.excluded)
    reasons = sorted({str(each.reason) for each in found.excluded})
    sys.stdout.write(
        f"{total} guards, {len(found.candidates)} candidates, excluded by {reasons}; "
        f"CPU {sorted(cpu_ms)[2]:.0f} ms (median of {[round(each) for each in cpu_ms]}), "
        f"wall {wall_ms:.0f} ms, {counts[-1]} statements\n"
    )
    assert total == GUARDS + len(given.others) + 1
    assert len(few.candidates) == len(given.others)
    assert len(set(counts)) == 1
    assert {"overlap", "working_time"} <= set(reasons)
    assert sorted(cpu_ms)[2] <= MOST_CPU_MS
