"""An import that changes a verdict moves the money of incidents that were handled live, both ways, and says so."""

import asyncio
import csv
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from domain import agreements, imports, incidents, invoices, promises
from domain.access import Actor, Tx
from domain.agreements import (
    CreditDraft,
    Priority,
    PromiseDraft,
    PromiseKind,
    Target,
    TermsDraft,
)
from domain.compensation import Credit
from domain.core.db import Sessions, transaction
from domain.core.outbox import Outbox, OutboxState
from domain.imports.profile import parse
from domain.incidents import Incident
from domain.invoices import CreditNote, Party
from domain.journal import JournalEntry, JournalLine
from domain.messages import Message
from tests import build
from tests.build import T0, World, minutes
from tests.workers.conftest import Working

pytestmark = pytest.mark.anyio

PROFILE = """
name = "control"
title = "Control room"
time_zone = "UTC"
key = "key"
[into]
tenant = "-"
account = "{account}"
site = "Hoofdkantoor"
[ticket]
opened_at = "opened"
priority = {{ column = "prio", map = {{ "2" = "high" }} }}
summary = "something"
[[facts]]
kind = "incident.acknowledged"
at = "taken"
"""
PARTY = Party("Klant BV", "Straat 1", "1011 AA", "Amsterdam", kvk_number="12345678")


async def live(make: Sessions, world: World, key: str) -> Incident:
    return await build.incident(
        make, world, priority=Priority.HIGH, external_source="control", external_id=key
    )


async def run(
    make: Sessions, world: World, folder: Path, *rows: tuple[str, datetime]
) -> imports.Imported:
    file = folder / "log.csv"
    with file.open("w", newline="") as out:
        lines: Sequence[Sequence[str]] = [
            (key, f"{T0:%Y-%m-%d %H:%M}", "2", f"{taken:%Y-%m-%d %H:%M}") for key, taken in rows
        ]
        csv.writer(out).writerows([("key", "opened", "prio", "taken"), *lines])
    async with transaction(make) as session:
        return await imports.import_incidents(
            session,
            file,
            parse(PROFILE.format(account=world.account.name), where="control.toml"),
            tenant=str(world.tenant.id),
            rejects=folder / "rejects.csv",
            at=T0 + timedelta(days=2),
        )


async def quiet(make: Sessions, world: World) -> None:
    """Wait until nothing of this company waits to be done."""
    waiting = select(func.count()).where(
        Outbox.tenant_id == world.tenant.id, Outbox.state == OutboxState.PENDING
    )
    async with asyncio.timeout(60):
        calm = 0
        while calm < 5:
            await asyncio.sleep(0.2)
            async with make() as session:
                calm = 0 if await session.scalar(waiting) else calm + 1


async def moved(make: Sessions, incident: Incident) -> list[int]:
    """What the entries of an incident's first-response credit moved, in cents."""
    async with make() as session:
        rows = await session.scalars(
            select(-JournalLine.amount_cents)
            .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
            .join(Credit, Credit.id == JournalEntry.subject_id)
            .where(Credit.incident_id == incident.id, JournalLine.book == "client_credit")
            .order_by(JournalEntry.id)
        )
        return list(rows)


async def letters(make: Sessions, world: World, template: str) -> int:
    async with make() as session:
        found = await session.scalar(
            select(func.count()).where(
                Message.account_id == world.account.id, Message.template == template
            )
        )
        return int(found or 0)


async def billed_by_the_worker(make: Sessions, world: World) -> None:
    """Wait until the worker has closed and billed the month, with a credit note."""
    note = select(func.count()).where(CreditNote.account_id == world.account.id)
    for _ in range(120):
        async with make() as session:
            if await session.scalar(note):
                return
        await asyncio.sleep(0.5)
    raise AssertionError("no credit note within a minute")


async def one_promise(make: Sessions) -> World:
    """A client who is promised an answer within an hour, for 50 euros, and who has another agreement that is billed."""
    world = await build.client(make, promises=())
    answer = PromiseDraft(
        "answer",
        PromiseKind.FIRST_RESPONSE,
        world.calendar.id,
        {Priority.HIGH: Target(elapsed_s=3_600)},
        credits={None: CreditDraft(fixed_cents=5_000)},
    )
    async with transaction(make) as session:
        system = Actor.system(world.tenant.id, "test")
        promised = await agreements.sign(
            Tx(session, system, T0),
            world.account.id,
            reference=f"{world.agreement.reference}-2",
            title="Antwoord",
            signed_on=date(2025, 12, 1),
            in_force_from=datetime(2026, 1, 1, tzinfo=UTC),
            terms=TermsDraft((answer,), period_fee_cents=100_000),
        )
        for account_id, billed in ((None, None), (world.account.id, date(2026, 3, 1))):
            await invoices.set_party(
                Tx(session, system, T0), account_id, party=PARTY, bill_from_on=billed
            )
    return replace(world, agreement=promised)


async def test_what_an_imported_log_makes_kept_is_taken_back_also_after_the_month_was_billed(
    make: Sessions, working: Working, tmp_path: Path
) -> None:
    world = await one_promise(make)
    system = Actor.system(world.tenant.id, "test")
    async with working():
        answered = await live(make, world, "1")
        async with transaction(make) as session:
            await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(90)), answered.id)
        await quiet(make, world)
        assert await moved(make, answered) == [5_000]
        await billed_by_the_worker(make, world)
        await run(make, world, tmp_path, ("1", T0 + minutes(10)))
        await quiet(make, world)
        assert await moved(make, answered) == [5_000, -5_000]
        assert await letters(make, world, "credit_adjusted") == 2
    async with transaction(make) as session:  # judged and settled again, nothing moves twice
        await promises.evaluate(session, system, answered.id, at=datetime.now(UTC))
    assert await moved(make, answered) == [5_000, -5_000]


async def test_what_an_imported_log_makes_late_earns_its_credit_and_pure_history_earns_none(
    make: Sessions, working: Working, tmp_path: Path
) -> None:
    world = await one_promise(make)
    forgotten = await live(make, world, "1")
    await run(make, world, tmp_path, ("1", T0 + minutes(90)), ("2", T0 + minutes(90)))
    async with working():
        await quiet(make, world)
        assert await moved(make, forgotten) == [5_000]
        assert await letters(make, world, "credit_notice") == 2
    async with make() as session:
        found = await session.scalars(
            select(Credit.incident_id).where(Credit.account_id == world.account.id)
        )
        assert found.all() == [forgotten.id]
