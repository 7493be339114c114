"""Commitments: made with owner and due time, kept, late once by a moved clock, withdrawn; a promise counts them."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from domain import accounts, agreements, commitments, promises
from domain.access import Actor, Role, Tx
from domain.agreements import Priority, PromiseDraft, PromiseKind, Target
from domain.commitments import Commitment, CommitmentKind, CommitmentState
from domain.core.db import Sessions, transaction
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerRow
from domain.promises import Promise, PromiseWatch, State
from tests import build
from tests.build import T0, World
from workers.commitments import look_at_due

pytestmark = pytest.mark.anyio
DUE = T0 + timedelta(hours=5)
MOMENT = timedelta(microseconds=1)


def tx_of(session: object, world: World, at: object = T0) -> Tx:
    """The software of the company."""
    return Tx(session, Actor.system(world.tenant.id, "test"), at)  # type: ignore[arg-type]


async def promised(make: Sessions) -> World:
    """A client whose terms promise that commitments are kept."""
    world = await build.client(make)
    draft = PromiseDraft(
        "commitments", PromiseKind.COMMITMENT_KEPT, world.calendar.id,
        {Priority.LOW: Target(elapsed_s=0)},
    )  # fmt: skip
    async with transaction(make) as session:
        await agreements.amend(
            tx_of(session, world, T0 - timedelta(days=2)), world.agreement.id,
            in_force_from=T0 - timedelta(days=1),
            terms=build.terms_draft(world.calendar, promises=[draft]),
        )  # fmt: skip
    return world


async def owner(make: Sessions, world: World, role: Role = Role.DISPATCHER, **more: object) -> UUID:
    """A user of the company."""
    async with transaction(make) as session:
        user = await accounts.add_user(
            tx_of(session, world),
            email=f"{uuid4()}@example.org",
            name="O",
            role=role,
            **more,  # type: ignore[arg-type]
        )
    return user.id


async def made(make: Sessions, world: World, **more: object) -> Commitment:
    """A commitment due after five hours."""
    given = {
        "kind": CommitmentKind.ACTION_ITEM, "words": "Change the lock", "due_at": DUE,
        "owner_id": more.pop("owner_id", None) or await owner(make, world),
    }  # fmt: skip
    async with transaction(make) as session:
        return await commitments.make(
            tx_of(session, world),
            world.account.id,
            **(given | more),  # type: ignore[arg-type]
        )


async def finished(make: Sessions, world: World, row: Commitment, at: object) -> Commitment:
    """Done at a time."""
    async with transaction(make) as session:
        return await commitments.finish(tx_of(session, world, at), row.id)


async def verdict(make: Sessions, row: Commitment) -> State | None:
    """The state of its promise."""
    async with make() as session:
        state: State | None = await session.scalar(
            select(Promise.state).where(Promise.unit_id == row.id)
        )
    return state


async def facts(make: Sessions, row: Commitment) -> dict[str, int]:
    """How many facts of each kind there are about it."""
    async with make() as session:
        found = await session.execute(
            select(LedgerRow.kind, func.count())
            .where(LedgerRow.subject_id == row.id, LedgerRow.kind.startswith("commitment."))
            .group_by(LedgerRow.kind)
        )
        return {row[0]: row[1] for row in found}


@pytest.mark.parametrize(
    ("at", "state", "kept"),
    [
        (DUE - MOMENT, CommitmentState.KEPT, State.KEPT),
        (DUE, CommitmentState.KEPT, State.KEPT),
        (DUE + MOMENT, CommitmentState.LATE, State.LATE),
    ],
)
async def test_done_by_the_due_time_is_kept_and_the_promise_agrees(
    make: Sessions, at: object, state: CommitmentState, kept: State
) -> None:
    world = await promised(make)
    row = await made(make, world)
    assert (row.state, await verdict(make, row)) == (CommitmentState.OPEN, State.PENDING)
    done = await finished(make, world, row, at)
    assert done.state is state
    if done.done_at is not None and done.done_at < DUE:
        # The verdict falls at the due time, when the sweeper looks at it.
        async with make() as session:
            watch = (
                await session.scalars(select(PromiseWatch).where(PromiseWatch.unit_id == row.id))
            ).one()
        assert (await verdict(make, row), watch.next_check_at) == (State.PENDING, DUE)
        async with transaction(make) as session:
            system = Actor.system(world.tenant.id, "test")
            await promises.evaluate(session, system, row.id, at=DUE)
    assert await verdict(make, row) is kept
    assert await facts(make, row) == {"commitment.made": 1, "commitment.done": 1}
    with pytest.raises(Refused) as again:
        await finished(make, world, row, at)
    assert again.value.refusal.code is Code.ALREADY_DONE


async def test_a_moved_clock_finds_it_late_once(make: Sessions) -> None:
    world = await build.client(make)
    row, done = await made(make, world), await made(make, world)
    await finished(make, world, done, DUE - MOMENT)
    await look_at_due(make, at=DUE)
    assert "commitment.late" not in await facts(make, row)
    for _ in range(3):
        await look_at_due(make, at=DUE + MOMENT)
    assert await facts(make, row) == {"commitment.made": 1, "commitment.late": 1}
    assert "commitment.late" not in await facts(make, done)
    late = await finished(make, world, row, DUE + timedelta(days=1))
    assert (late.state, late.late_at) == (CommitmentState.LATE, DUE)


async def test_a_withdrawn_one_never_is_late_and_a_late_one_is_not_withdrawn(
    make: Sessions,
) -> None:
    world = await promised(make)
    row, late = await made(make, world), await made(make, world)
    async with transaction(make) as session:
        gone = await commitments.withdraw(
            tx_of(session, world, DUE - MOMENT), row.id, reason="The door was replaced."
        )
    assert gone.state is CommitmentState.WITHDRAWN
    assert await verdict(make, row) is State.CANCELLED
    await look_at_due(make, at=DUE + MOMENT)
    assert "commitment.late" not in await facts(make, row)
    with pytest.raises(Refused) as refused:
        async with transaction(make) as session:
            await commitments.withdraw(tx_of(session, world, DUE + MOMENT), late.id, reason="No.")
    assert refused.value.refusal.code is Code.TIME_REVERSED


async def test_an_internal_one_is_no_promise_to_the_client(make: Sessions) -> None:
    world = await promised(make)
    row = await made(make, world, internal=True)
    assert await verdict(make, row) is None


async def test_owner_and_due_time_are_checked(make: Sessions) -> None:
    world = await build.client(make)
    other = await build.client(make)
    for bad, argument in (
        ({"due_at": T0}, "dueAt"),
        ({"words": " "}, "words"),
        ({"owner_id": uuid4()}, "ownerUserId"),
        ({"owner_id": world.client_user.id}, "ownerUserId"),
        ({"owner_id": await owner(make, world, Role.GUARD)}, "ownerUserId"),
        ({"owner_id": await owner(make, other)}, "ownerUserId"),
    ):
        with pytest.raises(Refused) as refused:
            await made(make, world, **bad)
        assert refused.value.refusal.argument == argument
    row = await made(make, world)
    after = await owner(make, world)
    async with transaction(make) as session:
        moved = await commitments.hand_over(tx_of(session, world), row.id, owner_id=after)
    assert moved.owner_id == after
    async with make() as session:
        [fact] = await session.scalars(
            select(LedgerRow).where(
                LedgerRow.subject_id == row.id, LedgerRow.kind == "commitment.handed_over"
            )
        )
    assert (fact.body["before"], fact.body["after"]) == (str(row.owner_id), str(after))
