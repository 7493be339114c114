"""Plans: owned and due by a commitment, told to those whose answers led to them, and measured twice."""

from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from domain import accounts, action_plans, commitments
from domain.access import Actor, Role, Tx
from domain.accounts.model import Contact
from domain.action_plans import (
    ActionPlan,
    ActionPlanEffect,
    ActionPlanState,
    ActionPriority,
    EffectMethod,
    PlanMeasure,
    TriggerWindow,
)
from domain.commitments import Commitment, CommitmentState
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.messages import Message
from domain.surveys.model import SurveyAnswer, SurveyResponse
from tests import build
from tests.answering import answered
from tests.build import T0, World
from workers.action_plans import measure_due

pytestmark = pytest.mark.anyio
DAY = timedelta(days=1)
MONTH = TriggerWindow(T0.date() - timedelta(days=30), T0.date())


def manager_of(world: World) -> Actor:
    """Somebody of the company who looks after all clients."""
    return Actor(world.tenant.id, Role.MANAGEMENT, f"user:{UUID(int=9)}")


async def opened(
    make: Sessions, world: World, responses: list[UUID], measure: PlanMeasure | None = None
) -> ActionPlan:
    async with transaction(make) as session:
        tx = Tx(session, manager_of(world), T0)
        owner = await accounts.add_user(
            tx, email=f"{uuid4()}@example.org", name="Owner", role=Role.DISPATCHER
        )
        return await action_plans.open_plan(
            tx, world.account.id, title="Two guards at night", words="Wij wachten te lang.",
            priority=ActionPriority.HIGH, owner_id=owner.id, due_at=T0 + 14 * DAY, window=MONTH,
            measure=measure, response_ids=responses,
        )  # fmt: skip


async def responses_of(make: Sessions, ids: list[UUID]) -> list[SurveyResponse]:
    async with make() as session:
        rows = await session.scalars(
            select(SurveyResponse)
            .join(SurveyAnswer, SurveyAnswer.response_id == SurveyResponse.id)
            .where(SurveyAnswer.id.in_(ids))
            .order_by(SurveyResponse.id)
        )
        return list(rows)


async def finished(make: Sessions, world: World, plan: ActionPlan, at: datetime) -> None:
    async with transaction(make) as session:
        tx = Tx(session, manager_of(world), at)
        await action_plans.finish_plan(tx, plan.id, outcome="Er staan nu twee beveiligers.")


async def letters(make: Sessions, plan: ActionPlan, at: datetime) -> set[UUID | None]:
    async with transaction(make) as session:
        tx = Tx(session, Actor.system(plan.tenant_id, "test"), at)
        return {each.contact_id for each in await action_plans.tell_done(tx, plan.id)}


async def test_a_finished_plan_keeps_its_commitment_and_tells_only_those_who_said_so(
    make: Sessions,
) -> None:
    world = await build.client(make, contacts=3)
    one, two, _three = world.contacts
    said = [
        *await answered(make, world, [(1, "Te laat")], T0, contact_id=one.id),
        *await answered(make, world, [(2, "Te laat")], T0, contact_id=two.id),
    ]
    mine = [each.id for each in await responses_of(make, said)]
    plan = await opened(make, world, mine)
    async with transaction(make) as session:
        await session.execute(
            update(Contact).where(Contact.id == two.id).values(wants_service_messages=False)
        )
    assert await letters(make, plan, T0) == set()  # not done yet
    await finished(make, world, plan, T0 + DAY)
    assert await letters(make, plan, T0 + DAY) == {one.id}
    assert await letters(make, plan, T0 + DAY) == set()  # once
    async with make() as session:
        commitment = await session.get_one(Commitment, plan.commitment_id)
        [letter] = (
            await session.scalars(select(Message).where(Message.account_id == world.account.id))
        ).all()
        facts = (
            await session.scalars(
                select(LedgerRow).where(LedgerRow.subject_id == plan.id).order_by(LedgerRow.id)
            )
        ).all()
    assert commitment.state is CommitmentState.KEPT
    assert "Er staan nu twee beveiligers." in letter.body
    assert "Wij wachten te lang." in letter.body
    assert [each.kind for each in facts][:3] == [
        "action_plan.opened", "action_plan.done", "action_plan.letter_sent",
    ]  # fmt: skip
    assert facts[2].body["without_consent"] == 1
    other = await opened(make, world, mine)
    await finished(make, world, other, T0 + 2 * DAY)
    assert await letters(make, other, T0 + 2 * DAY) == set()  # one letter in 30 days
    third = await opened(make, world, mine)
    await finished(make, world, third, T0 + 3 * DAY)
    assert await letters(make, third, T0 + 40 * DAY) == {one.id}


async def test_a_plan_is_measured_after_each_window_against_the_two_ahead_of_the_trigger(
    make: Sessions,
) -> None:
    world = await build.client(make)
    survey_id: UUID | None = None

    async def stored(number: int, many: int, at: datetime) -> None:
        nonlocal survey_id
        ids = await answered(make, world, [(number, "x")] * many, at)
        async with transaction(make) as session:
            rows = await responses_of(make, ids)
            survey_id = survey_id or rows[0].survey_id
            await session.execute(
                update(SurveyResponse)
                .where(SurveyResponse.id.in_([each.id for each in rows]))
                .values(survey_id=survey_id)
            )

    for number, many, days in ((5, 10, -80), (1, 5, -50), (1, 20, -15), (5, 12, 5), (4, 9, 40)):
        await stored(number, many, T0 + days * DAY)
    assert survey_id is not None
    plan = await opened(make, world, [], PlanMeasure(survey_id, "experience"))
    await finished(make, world, plan, T0 + DAY)
    await measure_due(make, at=T0 + 20 * DAY, limit=1_000)
    async with make() as session:
        early = select(ActionPlanEffect).where(ActionPlanEffect.plan_id == plan.id)
        assert (await session.scalars(early)).all() == []
    for at, n_after, is_final in ((32, 12, False), (33, 12, False), (62, 21, True)):
        await measure_due(make, at=T0 + at * DAY, limit=1_000)
        async with make() as session:
            [effect] = (
                await session.scalars(
                    select(ActionPlanEffect).where(ActionPlanEffect.plan_id == plan.id)
                )
            ).all()
        assert (effect.n_before, effect.n_after, effect.is_final) == (15, n_after, is_final)
    async with make() as session:
        effect = (
            await session.scalars(
                select(ActionPlanEffect).where(ActionPlanEffect.plan_id == plan.id)
            )
        ).one()
    assert effect.before_from == MONTH.start - timedelta(days=60)
    assert effect.before_until == MONTH.start  # the triggering month is not "before"
    assert effect.method is EffectMethod.OVERLAP_T
    assert effect.difference == pytest.approx(100 - 100 * 10 / 15)
    await measure_due(make, at=T0 + 400 * DAY, limit=1_000)
    async with make() as session:
        facts = (
            await session.scalars(
                select(LedgerRow).where(
                    LedgerRow.subject_id == plan.id, LedgerRow.kind == "action_plan.measured"
                )
            )
        ).all()
    assert [each.body["is_final"] for each in facts] == [False, True]


async def test_who_may_and_what_is_refused(make: Sessions) -> None:
    world, stranger = await build.client(make), await build.client(make)
    plan = await opened(make, world, [])

    async def refused(actor: Actor, doing: str, **given: object) -> Code:
        with pytest.raises(Refused) as error:
            async with transaction(make) as session:
                await getattr(action_plans, doing)(Tx(session, actor, T0), plan.id, **given)
        return error.value.refusal.code

    assert await refused(world.client, "start_plan") is Code.NOT_ALLOWED
    assert await refused(world.staff, "comment", words="x") is Code.NOT_ALLOWED
    assert await refused(stranger.client, "comment", words="x") is Code.NOT_FOUND
    async with transaction(make) as session:
        await action_plans.comment(Tx(session, world.client, T0), plan.id, words="Graag snel.")
    manager = manager_of(world)
    async with transaction(make) as session:
        tx = Tx(session, manager, T0)
        await action_plans.start_plan(tx, plan.id)
        await action_plans.prioritise(tx, plan.id, ActionPriority.LOW)
    assert await refused(manager, "start_plan") is Code.ALREADY_DONE
    async with transaction(make) as session:
        row = await action_plans.drop_plan(Tx(session, manager, T0), plan.id, reason="Opgezegd.")
    assert row.state is ActionPlanState.DROPPED
    assert await refused(manager, "finish_plan", outcome="x") is Code.ALREADY_DONE
    async with make() as session:
        commitment = await session.get_one(commitments.Commitment, plan.commitment_id)
    assert commitment.state is CommitmentState.WITHDRAWN
    with pytest.raises(Refused) as wrong:
        async with transaction(make) as session:
            await action_plans.open_plan(
                Tx(session, manager, T0), world.account.id, title="x", words="x",
                priority=ActionPriority.LOW, owner_id=uuid4(), due_at=T0 + DAY,
                window=TriggerWindow(date(2026, 3, 2), date(2026, 3, 1)),
            )  # fmt: skip
    assert wrong.value.refusal.argument == "windowUntil"
