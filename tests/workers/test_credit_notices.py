"""A credit that is corrected says so: to whoever was told of it, once for each correction, with the reason."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

import pytest
from sqlalchemy import and_, func, select

from domain import accounts, compensation, incidents, promises
from domain.access import Actor, Origin, Role, Tx
from domain.agreements import Priority
from domain.compensation import Credit
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow, record
from domain.core.outbox import Outbox, OutboxState
from domain.incidents.events import Acknowledged
from domain.messages import Message, MessageState
from domain.promises import Promise, State
from tests import build
from tests.build import T0, World, minutes
from tests.workers.conftest import Working
from workers.credit_notices import tell_credit as tell
from workers.jobs import JobContext, Reschedule
from workers.routes import ROUTES

pytestmark = pytest.mark.anyio

TOLD = {
    kind: ROUTES[kind]
    for kind in ("credit.decided", "credit.granted", "credit.adjusted", "message.queued")
}
LATER = T0 + timedelta(days=1)


def system(world: World) -> Actor:
    return Actor.system(world.tenant.id, "test")


async def broken(
    make: Sessions, world: World, *, actor: Actor | None = None, after: float = 90
) -> dict[str, Promise]:
    """A high ticket acknowledged and resolved `after` minutes, and its broken promises with their credits."""
    ticket = await build.incident(make, world, priority=Priority.HIGH)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(after)), ticket.id)
        await incidents.resolve(
            Tx(session, world.staff, T0 + minutes(after)), ticket.id, resolution="Klaar"
        )
    async with make() as session:
        found = await session.scalars(
            select(Promise)
            .where(
                Promise.incident_id == ticket.id,
                Promise.state == State.LATE,
                Promise.internal.is_(False),
            )
            .order_by(Promise.due_at)
        )
        late = {promise.name: promise for promise in found}
    async with transaction(make) as session:
        for promise in late.values():
            await compensation.decide(Tx(session, actor or system(world), LATER), promise.id)
    return late


async def answered_in_time_after_all(make: Sessions, world: World, promise: Promise) -> None:
    """A guard's log turns up: the ticket was acknowledged after ten minutes."""
    async with transaction(make) as session:
        told = Acknowledged(
            account_id=world.account.id, subject_id=promise.unit_id, at=T0 + minutes(10)
        )
        record(session, system(world), told)
        await session.flush()
        await promises.evaluate(session, system(world), promise.unit_id, at=LATER)
        await compensation.settle(Tx(session, system(world), LATER), promise.id)


async def carried(make: Sessions, world: World) -> None:
    """Wait until all that follows from facts about credits is done, and all letters have left."""
    facts = (
        select(func.count(LedgerRow.id), func.count(Outbox.id))
        .select_from(LedgerRow)
        .outerjoin(Outbox, and_(Outbox.fact_id == LedgerRow.id, Outbox.state == OutboxState.DONE))
    )
    waiting = select(func.count()).where(
        Message.account_id == world.account.id, Message.state != MessageState.SENT
    )
    async with asyncio.timeout(60):
        while True:
            async with make() as session:
                told, done = (
                    await session.execute(
                        facts.where(
                            LedgerRow.account_id == world.account.id,
                            LedgerRow.kind.in_(TOLD),
                            LedgerRow.kind != "message.queued",
                            LedgerRow.origin != Origin.HISTORY,
                        )
                    )
                ).one()
                if told and told == done and not await session.scalar(waiting):
                    return
            await asyncio.sleep(0.05)


def letters(folder: Path) -> list[EmailMessage]:
    """What was laid down, by reader, in the order it was written."""
    found = [message_from_bytes(file.read_bytes(), policy=default) for file in folder.glob("*.eml")]
    return sorted(found, key=lambda each: (each["To"], each["Message-ID"]))


def text_of(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


async def test_who_was_told_of_a_credit_is_told_once_what_becomes_of_it_and_which_fact_did_it(
    make: Sessions, working: Working, tmp_path: Path
) -> None:
    world = await build.client(make, contacts=2)
    async with working(TOLD):
        late = await broken(make, world)
        await carried(make, world)
        async with transaction(make) as session:  # never told of the credit, so not of its end
            await accounts.add_contact(
                Tx(session, system(world), LATER),
                world.account.id,
                name="Nieuw",
                role="-",
                email=f"new@{world.contacts[0].email}".replace("@contact0", ""),
            )
        await answered_in_time_after_all(make, world, late["first_response"])
        await answered_in_time_after_all(make, world, late["first_response"])
        await carried(make, world)
    first_nl, then_nl, first_en, then_en = letters(tmp_path / "mail")
    reference = "INC-000001"
    assert then_nl["Subject"] == f"Correctie: uw vergoeding is nu € 0,00 (melding {reference})"
    assert then_en["Subject"] == f"Correction: your credit is now €0.00 (ticket {reference})"
    assert [first_nl["References"], first_en["References"]] == [then_nl["References"]] * 2
    assert "Wij noemden € 50,00; dat vervalt en wordt € 0,00." in text_of(then_nl)
    assert "de melding is in behandeling genomen op maandag 2 maart 2026 om 10:10 uur" in text_of(
        then_nl
    )
    assert "the promise was not broken" in text_of(then_en)
    assert f"mention ticket {reference}" in text_of(then_en)


async def test_what_people_decide_is_told_in_their_words_and_not_before_the_first_letter_is_written(
    make: Sessions, working: Working, tmp_path: Path
) -> None:
    world = await build.client(make, contacts=1)
    finance = Actor(world.tenant.id, Role.FINANCE, "user:finance")
    late = await broken(make, world)
    for cents, why in ((2_000, "De poort was de uwe."), (9_000, "Toch niet.")):
        async with transaction(make) as session:
            credit = await session.scalar(
                select(Credit).where(Credit.promise_id == late["first_response"].id)
            )
            assert credit is not None
            await compensation.override(
                Tx(session, finance, LATER), credit.id, cents=cents, reason=why
            )
    begins = datetime.now(UTC) + timedelta(seconds=2)

    async def tell_credit(hand: JobContext) -> None:
        if hand.at < begins:
            raise Reschedule(begins, "somebody is slow")
        await tell(hand)

    async with working(TOLD | {"credit.decided": (tell_credit,)}):
        await carried(make, world)
    _, less, more = (text_of(each) for each in letters(tmp_path / "mail"))
    assert "Wij noemden € 50,00; dat wordt € 20,00." in less
    assert "Wij hebben tot een ander bedrag besloten: De poort was de uwe." in less
    assert "Wij noemden € 20,00; dat wordt € 90,00." in more
    assert "Toch niet." in more


async def test_of_a_credit_nobody_was_told_of_nobody_is_told_that_it_is_gone(
    make: Sessions, working: Working
) -> None:
    world = await build.client(make, contacts=1)
    history = replace(system(world), origin=Origin.HISTORY)
    late = await broken(make, world, actor=history)
    async with working(TOLD):
        await answered_in_time_after_all(make, world, late["first_response"])
        await carried(make, world)
    async with make() as session:
        assert (
            await session.scalar(select(Message.id).where(Message.account_id == world.account.id))
            is None
        )


async def test_a_credit_that_was_nothing_and_becomes_something_is_told_as_a_first_letter(
    make: Sessions, working: Working, tmp_path: Path
) -> None:
    world = await build.client(make, contacts=1)
    async with working(TOLD):
        late = await broken(make, world, after=300)
        await carried(make, world)
        await answered_in_time_after_all(make, world, late["first_response"])
        await carried(make, world)
    subjects = sorted(
        str(each["Subject"]).partition(" (")[0] for each in letters(tmp_path / "mail")
    )
    assert subjects == [
        "Correctie: uw vergoeding is nu € 0,00",
        "Wij kwamen onze afspraak niet na: vergoeding van € 50,00",
        "Wij kwamen onze afspraak niet na: vergoeding van € 50,00",
    ]
