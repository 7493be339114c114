"""Recovery cases: five steps in order, each dated and owned; an unhappy client reopens."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from domain import accounts, compensation, recovery
from domain.access import Actor, Role, Tx
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.parameters import ParameterPlace, ParameterUnit, set_value
from domain.recovery import CaseState, RecoveryCase, RecoveryStep, Remedy, Size, StepKind
from tests import build
from tests.build import T0, World


class Scene:
    """A client to whom something is to be made good, and whoever does it."""

    def __init__(self, make: Sessions, world: World, manager: Actor, user_id: UUID) -> None:
        self.make, self.world, self.manager, self.user_id = make, world, manager, user_id
        self.at = T0

    async def open(self, size: Size = Size.MEDIUM) -> RecoveryCase:
        ticket = await build.incident(self.make, self.world)
        async with transaction(self.make) as session:
            return await recovery.open_case(
                Tx(session, self.manager, T0), ticket.id, size=size, summary="Nobody came",
                owner_id=self.user_id)  # fmt: skip

    async def step(self, case: RecoveryCase, kind: StepKind, **more: Any) -> RecoveryCase:
        self.at += timedelta(hours=1)
        async with transaction(self.make) as session:
            return await recovery.take_step(
                Tx(session, self.manager, self.at), case.id, kind=kind, note="Done", **more
            )

    async def up_to_follow_up(self, case: RecoveryCase) -> None:
        for kind in (StepKind.APOLOGIZE, StepKind.LISTEN, StepKind.RESOLVE):
            await self.step(case, kind)
        await self.step(case, StepKind.COMPENSATE, remedies=[Remedy.PRIORITY_SUPPORT])

    async def ask(
        self, case: RecoveryCase, *, satisfied: bool, actor: Actor | None = None
    ) -> RecoveryCase:
        self.at += timedelta(hours=1)
        async with transaction(self.make) as session:
            return await recovery.follow_up(
                Tx(session, actor or self.manager, self.at),
                case.id,
                satisfied=satisfied,
                note="Asked",
            )

    async def steps(self, case: RecoveryCase) -> list[RecoveryStep]:
        async with self.make() as session:
            rows = await session.scalars(
                select(RecoveryStep)
                .where(RecoveryStep.case_id == case.id)
                .order_by(RecoveryStep.round, RecoveryStep.due_at)
            )
            return list(rows)


@pytest.fixture
async def scene(make: Sessions) -> Scene:
    world = await build.client(make)
    async with transaction(make) as session:
        user = await accounts.add_user(
            Tx(session, Actor.system(world.tenant.id, "test"), T0),
            email=f"{uuid4().hex}@us.example",
            name="Manager",
            role=Role.RELATIONSHIP_MANAGER,
        )
    manager = Actor(world.tenant.id, Role.RELATIONSHIP_MANAGER, f"user:{user.id}")
    return Scene(make, world, manager, user.id)


async def test_a_case_has_five_steps_in_order_each_dated_and_owned(scene: Scene) -> None:
    case = await scene.open(Size.MAJOR)
    steps = await scene.steps(case)
    assert [step.kind for step in steps] == list(StepKind)
    assert [(step.due_at - T0) / timedelta(hours=1) for step in steps] == [2, 8, 48, 72, 168]
    assert {step.owner_id for step in steps} == {scene.user_id}


async def test_the_hours_of_the_account_apply_to_rounds_that_begin_later(scene: Scene) -> None:
    before = await scene.open(Size.MAJOR)
    async with transaction(scene.make) as session:
        await set_value(
            Tx(session, scene.manager, T0 + timedelta(hours=1)),
            "recovery.major_steps",
            numbers=[1, 2, 3, 4, 5],
            unit=ParameterUnit.HOURS,
            place=ParameterPlace(account_id=scene.world.account.id),
        )
    for kind in (StepKind.APOLOGIZE, StepKind.LISTEN, StepKind.RESOLVE):
        await scene.step(before, kind)
    await scene.step(
        before, StepKind.COMPENSATE, remedies=[Remedy.EXECUTIVE_APOLOGY, Remedy.RECOVERY_PLAN]
    )
    steps = await scene.steps(before)
    assert [(step.due_at - T0) / timedelta(hours=1) for step in steps] == [2, 8, 48, 72, 168]
    again = await scene.ask(before, satisfied=False)
    steps = await scene.steps(again)
    later = [step.due_at - scene.at for step in steps if step.round == 2]
    assert [each / timedelta(hours=1) for each in later] == [1, 2, 3, 4, 5]


async def test_no_step_is_skipped_or_done_twice(scene: Scene) -> None:
    case = await scene.open()
    with pytest.raises(Refused, match="The step apologize must be done first"):
        await scene.step(case, StepKind.LISTEN)
    await scene.step(case, StepKind.APOLOGIZE)
    with pytest.raises(Refused) as refused:
        await scene.step(case, StepKind.APOLOGIZE)
    assert refused.value.refusal.code is Code.ALREADY_DONE
    with pytest.raises(Refused, match="The step listen must be done first"):
        await scene.ask(case, satisfied=True)


async def test_a_satisfied_client_closes_the_case(scene: Scene) -> None:
    case = await scene.open()
    await scene.up_to_follow_up(case)
    closed = await scene.ask(case, satisfied=True, actor=scene.world.client)
    assert (closed.state, closed.closed_at, closed.round) == (CaseState.CLOSED, scene.at, 1)
    with pytest.raises(Refused, match="closed"):
        await scene.ask(case, satisfied=False)


async def test_an_unhappy_client_reopens_the_case_for_another_round(scene: Scene) -> None:
    case = await scene.open()
    await scene.up_to_follow_up(case)
    again = await scene.ask(case, satisfied=False)
    assert (again.state, again.round, again.satisfied) == (CaseState.OPEN, 2, False)
    second = [step for step in await scene.steps(case) if step.round == 2]
    assert len(second) == 5
    assert all(step.done_at is None and step.due_at > scene.at for step in second)
    await scene.up_to_follow_up(case)
    assert (await scene.ask(case, satisfied=True)).state is CaseState.CLOSED
    async with scene.make() as session:
        told = await session.scalars(
            select(LedgerRow.kind).where(LedgerRow.subject_id == case.id).order_by(LedgerRow.id)
        )
        assert [kind for kind in told if kind != "recovery.step_done"] == [
            "recovery.opened",
            "recovery.reopened",
            "recovery.closed",
        ]


@pytest.mark.parametrize(
    ("size", "remedies", "says"),
    [
        (Size.SMALL, [Remedy.SERVICE_CREDIT], "small case can offer"),
        (Size.MEDIUM, [], "medium case can offer"),
        (Size.MAJOR, [Remedy.EXECUTIVE_APOLOGY], "must offer recovery_plan"),
        (Size.MEDIUM, [Remedy.SERVICE_CREDIT], "needs creditId"),
    ],
)
async def test_only_the_toolkit_of_the_size_is_offered(
    scene: Scene, size: Size, remedies: list[Remedy], says: str
) -> None:
    case = await scene.open(size)
    for kind in (StepKind.APOLOGIZE, StepKind.LISTEN, StepKind.RESOLVE):
        await scene.step(case, kind)
    with pytest.raises(Refused, match=says):
        await scene.step(case, StepKind.COMPENSATE, remedies=remedies)


async def test_a_service_credit_is_a_gesture_of_the_same_client(scene: Scene) -> None:
    case = await scene.open()
    other = await build.client(scene.make)
    given = []
    for world, actor in (
        (scene.world, scene.manager),
        (other, Actor.system(other.tenant.id, "test")),
    ):
        async with transaction(scene.make) as session:
            given.append(
                await compensation.grant_goodwill(
                    Tx(session, actor, T0), world.agreement.id, cents=2_500, reason="Sorry."
                )
            )
    own, foreign = given
    for kind in (StepKind.APOLOGIZE, StepKind.LISTEN, StepKind.RESOLVE):
        await scene.step(case, kind)
    offer = [Remedy.SERVICE_CREDIT]
    with pytest.raises(Refused, match="No such credit"):
        await scene.step(case, StepKind.COMPENSATE, remedies=offer, credit_id=foreign.id)
    await scene.step(case, StepKind.COMPENSATE, remedies=offer, credit_id=own.id)


async def test_a_ticket_has_one_open_case(scene: Scene) -> None:
    case = await scene.open()
    with pytest.raises(Refused) as refused:
        async with transaction(scene.make) as session:
            await recovery.open_case(
                Tx(session, scene.manager, T0), case.incident_id, size=Size.SMALL, summary="Again",
                owner_id=scene.user_id)  # fmt: skip
    assert refused.value.refusal.code is Code.ALREADY_EXISTS


async def test_a_step_is_handed_over_to_colleagues_only(scene: Scene) -> None:
    case = await scene.open()
    with pytest.raises(Refused, match="No such user of the company"):
        async with transaction(scene.make) as session:
            await recovery.hand_over(
                Tx(session, scene.manager, build.T0), case.id, kind=StepKind.LISTEN,
                owner_id=scene.world.client_user.id)  # fmt: skip
