"""Waves of surveys: planned once, decided once whoever runs, within the caps, and written as letters without a link."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from domain import accounts, incidents, messages, surveys
from domain.access import Tx
from domain.core.db import Sessions, transaction
from domain.core.ledger import LedgerRow
from domain.core.sequencing import SequencedEvent
from domain.core.sequencing.model import COLUMNS
from domain.messages import Message
from domain.surveys import SkipReason, SurveyInvitation, SurveyWave, Trigger
from tests import build
from tests.build import T0
from tests.surveying import ask, decisions, survey, system
from workers.surveys import decide_all, plan_all, remind_all

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)


async def test_a_quarter_asks_everybody_once_however_often_the_work_runs(make: Sessions) -> None:
    world = await build.client(make, contacts=3)
    await survey(make, world.tenant.id, T0)
    await ask(make, world.account, T0)
    async with transaction(make) as session:
        await session.execute(select(func.pg_advisory_xact_lock(1)))
    await asyncio.gather(*(decide_all(make, at=T0 + DAY, limit=1_000) for _ in range(4)))
    await plan_all(make, at=T0 + DAY)
    found = await ask(make, world.account, T0 + DAY)
    assert [(each.skipped, each.closes_at) for each in found] == [(None, T0 + 14 * DAY)] * 3
    async with make() as session:
        letters = (
            await session.scalars(
                select(Message).where(Message.account_id == world.account.id).order_by(Message.id)
            )
        ).all()
        kinds = await session.execute(
            select(LedgerRow.kind, func.count())
            .where(LedgerRow.account_id == world.account.id, LedgerRow.kind.startswith("survey."))
            .group_by(LedgerRow.kind)
        )
        assert [tuple(row) for row in kinds] == [("survey.asked", 3)]
    assert [each.language for each in letters] == ["nl", "en", "nl"]
    for letter, invitation in zip(letters, found, strict=True):
        assert f"https://survey.invalid/{invitation.id.hex}" in letter.body
        assert "?experience=5" in (letter.html or "")
        assert letter.topic == "surveys"


async def test_a_month_asks_a_third_and_says_why_the_others_were_not(make: Sessions) -> None:
    world = await build.client(make, contacts=4)
    await survey(make, world.tenant.id, T0, Trigger.MONTHLY)
    asked: list[object] = []
    for month in range(4):
        at = T0 + month * 31 * DAY
        new = (await ask(make, world.account, at))[-4:]
        assert len(new) == 4
        asked += [each.contact_id for each in new if each.skipped is None]
        reasons = {each.skipped for each in new} - {None}
        assert reasons <= {SkipReason.NOT_IN_PANEL, SkipReason.RELATIONSHIP_CAP}
        weights = [each.weight for each in new if each.skipped is None]
        assert weights == [2.0] * len(
            weights
        )  # two of four contacts are asked: each speaks for two
    assert asked[:2] != asked[2:4]
    assert set(asked[:2]) | set(asked[2:4]) == {each.id for each in world.contacts}


async def test_the_same_mailbox_at_two_clients_is_one_person(make: Sessions) -> None:
    world = await build.client(make, contacts=1)
    async with transaction(make) as session:
        tx = Tx(session, system(world.tenant.id), T0)
        other = await accounts.create_account(tx, name="Elders")
        await accounts.add_contact(
            tx, other.id, name="Same", role="owner", email=(world.contacts[0].email or "").upper()
        )
    await survey(make, world.tenant.id, T0)
    await plan_all(make, at=T0)
    await asyncio.gather(*(decide_all(make, at=T0, limit=1_000) for _ in range(3)))
    found = [*await decisions(make, world.account), *await decisions(make, other)]
    assert sorted(str(each.skipped) for each in found) == ["None", "relationship_cap"]


async def test_who_does_not_want_it_or_has_no_address_is_skipped(make: Sessions) -> None:
    world = await build.client(make, contacts=3)
    async with transaction(make) as session:
        tx = Tx(session, system(world.tenant.id), T0)
        silent, away, gone = world.contacts
        await accounts.change_contact(tx, silent.id, wants_service_messages=False)
        await accounts.change_contact(tx, gone.id, email=None)
        session.add(
            messages.Unsubscription(
                tenant_id=world.tenant.id, account_id=world.account.id, contact_id=away.id,
                topic="surveys", at=T0,
            )
        )  # fmt: skip
    await survey(make, world.tenant.id, T0)
    found = {each.contact_id: each.skipped for each in await ask(make, world.account, T0)}
    assert found == {
        silent.id: SkipReason.NO_CONSENT,
        away.id: SkipReason.NO_CONSENT,
        gone.id: SkipReason.UNREACHABLE,
    }


async def resolved(make: Sessions, world: build.World) -> SequencedEvent:
    """An incident that was opened and resolved; return the fact."""
    incident = await build.incident(make, world)
    async with transaction(make) as session:
        tx = Tx(session, world.staff, T0 + build.minutes(5))
        await incidents.acknowledge(tx, incident.id)
        await incidents.resolve(tx.as_of(T0 + build.minutes(30)), incident.id, resolution="Done.")
    async with make() as session:
        row = await session.scalar(
            select(LedgerRow).where(
                LedgerRow.subject_id == incident.id, LedgerRow.kind == "incident.resolved"
            )
        )
        assert row is not None
        values = {name: getattr(row, name) for name in COLUMNS}
        return SequencedEvent(**values | {"seq": 0})


async def test_a_resolved_incident_is_asked_about_once_unless_the_relationship_was_asked(
    make: Sessions,
) -> None:
    world = await build.client(make, contacts=2)
    rule = await survey(make, world.tenant.id, T0, Trigger.INCIDENT_RESOLVED, delay_s=3600)
    fact = await resolved(make, world)
    for _ in range(2):
        async with transaction(make) as session:
            await surveys.plan_after_incident(Tx(session, system(world.tenant.id), T0), fact)
    await decide_all(make, at=T0 + build.minutes(60), limit=1_000)
    assert await decisions(make, world.account) == []  # the delay is not over
    await decide_all(make, at=T0 + build.minutes(91), limit=1_000)
    found = await decisions(make, world.account)
    assert sorted(str(each.skipped) for each in found) == ["None", "not_in_panel"]
    await survey(make, world.tenant.id, T0 + DAY)
    later = await ask(make, world.account, T0 + DAY)
    assert [each.skipped for each in later[-2:]] == [None, None]  # relationship wins
    withdrawn = next(each for each in later if each.survey_id == rule.id and each.skipped is None)
    assert withdrawn.closes_at == T0 + DAY
    again = await resolved(make, world)
    async with transaction(make) as session:
        await surveys.plan_after_incident(Tx(session, system(world.tenant.id), T0), again)
    await decide_all(make, at=T0 + 2 * DAY, limit=1_000)
    reasons = [each.skipped for each in (await decisions(make, world.account))[-2:]]
    assert set(reasons) <= {SkipReason.RELATIONSHIP_FIRST, SkipReason.TRANSACTIONAL_CAP}


async def test_who_does_not_answer_is_reminded_once(make: Sessions) -> None:
    world = await build.client(make, contacts=2)
    await survey(make, world.tenant.id, T0)
    first, _second = await ask(make, world.account, T0)
    async with transaction(make) as session:
        row = await session.get_one(SurveyInvitation, first.id)
        row.is_answered = True
    for days in (6, 7, 8, 9):
        await remind_all(make, at=T0 + days * DAY, limit=1_000)
    async with make() as session:
        letters = await session.scalars(
            select(Message.intent).where(Message.account_id == world.account.id)
        )
        intents = [each for each in letters if each.endswith(":reminder")]
        waves = await session.scalar(
            select(func.count()).where(SurveyWave.account_id == world.account.id)
        )
    assert (len(intents), waves) == (1, 1)
