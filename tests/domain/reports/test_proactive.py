"""Told before it happened: what counts as a change, and what as a notice of it."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from domain import agreements, incidents
from domain.access import Actor, Tx
from domain.accounts.model import Channel
from domain.agreements import Priority
from domain.core.db import Sessions, transaction
from domain.messages import Message, MessageState
from domain.reports import Proactive, proactive_of
from domain.reports.notice_ratio import Change, ratio_of
from tests import build
from tests.build import T0, World, minutes

AN_HOUR = timedelta(hours=1)
SUBJECT = uuid4()
UNTIL = T0 + timedelta(days=1)


@pytest.mark.parametrize(
    ("notice", "told"),
    [
        (T0, 0),  # when the clock began: about the opening, not about its running late
        (T0 + timedelta(microseconds=1), 1),
        (T0 + AN_HOUR - timedelta(microseconds=1), 1),
        (T0 + AN_HOUR, 0),  # at the very instant
        (T0 + 2 * AN_HOUR, 0),
    ],
)
def test_a_notice_counts_after_the_beginning_and_before_the_change(
    notice: datetime, told: int
) -> None:
    change = Change(SUBJECT, T0, T0 + AN_HOUR)
    assert ratio_of([change], {SUBJECT: [notice]}) == Proactive(1, told)
    assert ratio_of([change], {uuid4(): [notice]}) == Proactive(1, 0)


def test_what_has_no_clock_may_be_told_of_any_time_before() -> None:
    change = Change(SUBJECT, None, T0)
    assert ratio_of([change], {SUBJECT: [T0 - timedelta(days=40)]}) == Proactive(1, 1)
    assert ratio_of([], {}) == Proactive(0, 0)


async def asked(make: Sessions, world: World) -> Proactive | None:
    async with make() as session:
        return await proactive_of(
            session, world.client, world.account.id, from_at=T0 - AN_HOUR, until_at=UNTIL
        )


async def late_answer(make: Sessions, world: World) -> UUID:
    """One promise late after an hour, nothing said meanwhile."""
    ticket = await build.incident(make, world, priority=Priority.HIGH)
    async with transaction(make) as session:
        await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(70)), ticket.id)
        await incidents.resolve(
            Tx(session, world.staff, T0 + minutes(80)), ticket.id, resolution="Done"
        )
    return ticket.id


async def sent(make: Sessions, world: World, intent: str, at: datetime) -> None:
    contact = world.contacts[0]
    async with transaction(make) as session:
        await session.execute(
            insert(Message).values(
                tenant_id=world.tenant.id, account_id=world.account.id, contact_id=contact.id,
                intent=intent, template="promise_at_risk", template_version=1, language="nl",
                channel=Channel.EMAIL, recipient="a@b.example", subject="s", body="b",
                content_sha256="", state=MessageState.SENT, queued_at=at, sent_at=at,
            )
        )  # fmt: skip


async def test_silence_until_it_is_late_is_not_told(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await late_answer(make, world)
    await sent(make, world, f"incident:{ticket}:opened", T0 + minutes(1))
    assert await asked(make, world) == Proactive(1, 0)


async def test_a_warning_that_left_in_time_is_told(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await late_answer(make, world)
    await sent(make, world, f"incident:{ticket}:at_risk:75", T0 + minutes(45))
    assert await asked(make, world) == Proactive(1, 1)


async def test_a_word_among_ourselves_is_not_told(make: Sessions) -> None:
    world = await build.client(make)
    ticket = await build.incident(make, world, priority=Priority.HIGH)
    async with transaction(make) as session:
        await incidents.update(
            Tx(session, world.staff, T0 + minutes(30)), ticket.id, body="Busy", client_visible=False
        )
        await incidents.acknowledge(Tx(session, world.staff, T0 + minutes(70)), ticket.id)
        await incidents.resolve(
            Tx(session, world.staff, T0 + minutes(80)), ticket.id, resolution="Done"
        )
    assert await asked(make, world) == Proactive(1, 0)


async def test_new_terms_are_a_change_told_by_a_letter_about_the_agreement(make: Sessions) -> None:
    world = await build.client(make)
    boss = Actor.system(world.tenant.id, "test")
    async with transaction(make) as session:
        await agreements.amend(
            Tx(session, boss, T0),
            world.agreement.id,
            in_force_from=T0 + AN_HOUR,
            terms=build.terms_draft(world.calendar),
        )
    assert await asked(make, world) == Proactive(1, 0)
    await sent(make, world, f"agreement:{world.agreement.id}", T0 - timedelta(days=30))
    assert await asked(make, world) == Proactive(1, 1)


async def test_another_clients_changes_do_not_exist(make: Sessions) -> None:
    world, other = await build.client(make), await build.client(make)
    async with make() as session:
        assert (
            await proactive_of(
                session, other.client, world.account.id,
                from_at=datetime(2026, 1, 1, tzinfo=UTC), until_at=UNTIL,
            )
            is None
        )  # fmt: skip
