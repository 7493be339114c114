"""`evaluate`: every promise judged again from the ledger, or compared with what is stored."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Select, select

from api.commands import lookup
from api.support.failures import Exit
from domain.access import Actor
from domain.core.db import Sessions, connect, sessions, transaction
from domain.core.settings import Settings
from domain.promises import PromiseWatch, batch

SHOWN = 50  # differences that are printed; all are counted


@dataclass
class Tally:
    """Result of an evaluation."""

    tickets: int = 0
    written: int = 0
    differences: int = 0
    shown: list[batch.Difference] = field(default_factory=list)


def run(
    settings: Settings, tenant: str | None, account: str | None, verify: bool, as_json: bool
) -> Exit:
    """Bring verdicts up to date; with `verify` change nothing and answer whether any differs."""
    tally = asyncio.run(_run(settings, tenant, account, verify=verify))
    if as_json:
        print(json.dumps(_figures(tally, verify=verify)))
    elif verify:
        for each in tally.shown:
            print(
                f"{each.unit_id} {each.term_id} part {each.part}: {each.field} is stored as "
                f"{each.stored}, the ledger says {each.computed}"
            )
        print(f"{tally.tickets:,} tickets recomputed, {tally.differences:,} differences.")
    else:
        print(f"{tally.tickets:,} tickets judged, {tally.written:,} promises written.")
    return Exit.DIFFERS if tally.differences else Exit.DONE


def _figures(tally: Tally, *, verify: bool) -> dict[str, object]:
    if not verify:
        return {"tickets": tally.tickets, "promises_written": tally.written}
    shown = [
        {
            "incident_id": str(each.unit_id),
            "term_id": str(each.term_id),
            "part": each.part,
            "field": each.field,
            "stored": str(each.stored),
            "computed": str(each.computed),
        }
        for each in tally.shown
    ]
    return {"tickets": tally.tickets, "differences": tally.differences, "first": shown}


async def _run(
    settings: Settings, tenant: str | None, account: str | None, *, verify: bool
) -> Tally:
    engine = connect(settings.system_database_url, pool_size=1)
    make = sessions(engine)
    try:
        async with make() as session:
            tenant_ids = await lookup.tenants(session, tenant)
            account_ids = await lookup.accounts(session, tenant_ids, account)
        judge = _verify if verify else _evaluate
        return await judge(make, _incidents(tenant_ids, account_ids))
    finally:
        await engine.dispose()


def _incidents(tenant_ids: Sequence[UUID], account_ids: Sequence[UUID] | None) -> Select[UUID]:
    query = select(PromiseWatch.unit_id).where(PromiseWatch.tenant_id.in_(tenant_ids))
    return query if account_ids is None else query.where(PromiseWatch.account_id.in_(account_ids))


async def _evaluate(make: Sessions, incidents: Select[UUID]) -> Tally:
    """One transaction a chunk: tickets are not locked longer than their judging takes."""
    tally, last = Tally(), None
    while True:
        async with transaction(make) as session:
            done = await batch.evaluate(
                session, _actor, incidents, at=datetime.now(UTC), after=last
            )
        if done is None:
            return tally
        last = done.last
        tally.tickets += done.units
        tally.written += done.written


async def _verify(make: Sessions, incidents: Select[UUID]) -> Tally:
    """One snapshot a chunk, so that facts and rows are of the same moment while others go on working."""
    tally, last = Tally(), None
    while True:
        async with make() as session:
            await session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            compared = await batch.verify(session, incidents, at=datetime.now(UTC), after=last)
        if compared is None:
            return tally
        done, differences = compared
        last = done.last
        tally.tickets += done.units
        tally.differences += len(differences)
        tally.shown += differences[: SHOWN - len(tally.shown)]


def _actor(tenant_id: UUID) -> Actor:
    return Actor.system(tenant_id, "evaluate")
