"""Permits: bounds per operation, actor and class; the control room first; turns within a class."""

import asyncio
from uuid import UUID

import pytest

from api.execution.fair_queue import PER_OPERATION, FairQueue, OperationPermits, QueuedSession
from domain.access import Actor, Role
from tests.api.asking import Api, Office

TENANT = UUID(int=1)
SLOW = (
    "{ "
    + " ".join(
        f"a{n}: slaRestatement(accountId: $a, window: DAY, at: $t, knownAt: $t) {{ now {{ n }} }}"
        for n in range(40)
    )
    + " }"
)


def actor(role: Role, name: str) -> Actor:
    return Actor(TENANT, role, f"user:{name}")


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_dispatcher_is_served_before_clients_who_asked_earlier() -> None:
    queue = FairQueue(4, per_actor=2)
    clients = [actor(Role.CLIENT_USER, f"c{n}") for n in range(6)]
    office = [actor(Role.FINANCE, f"f{n}") for n in range(2)]
    for one in (*clients[:2], *office):
        await queue.acquire(one)
    order: list[str] = []

    async def wait(one: Actor) -> None:
        await queue.acquire(one)
        order.append(one.subject)

    waiting = [asyncio.create_task(wait(one)) for one in clients[2:]]
    await settle()
    waiting.append(asyncio.create_task(wait(actor(Role.DISPATCHER, "d"))))
    await settle()
    assert order == []
    queue.release(clients[0])
    await settle()
    assert order == ["user:d"]
    queue.release(office[0])
    await settle()
    assert order == ["user:d", "user:c2"]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    assert queue.waiting == 0


async def test_actors_of_one_class_are_served_in_turns() -> None:
    queue = FairQueue(4, per_actor=2)
    greedy, modest = actor(Role.CLIENT_USER, "greedy"), actor(Role.CLIENT_USER, "modest")
    await queue.acquire(greedy)
    await queue.acquire(greedy)
    order: list[str] = []

    async def wait(one: Actor) -> None:
        await queue.acquire(one)
        order.append(one.subject)

    waiting = [asyncio.create_task(wait(greedy)) for _ in range(10)]
    await settle()
    waiting.append(asyncio.create_task(wait(modest)))
    await settle()
    for _ in range(2):
        queue.release(greedy)
        await settle()
    assert sorted(order) == ["user:greedy", "user:modest"]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


@pytest.mark.parametrize("role", [each for each in Role if each is not Role.SYSTEM])
async def test_no_actor_holds_every_connection(role: Role) -> None:
    queue = FairQueue(20, per_actor=6)
    one = actor(role, "one")
    tasks = [asyncio.create_task(queue.acquire(one)) for _ in range(40)]
    await settle()
    assert sum(task.done() for task in tasks) == 6
    other = asyncio.create_task(queue.acquire(actor(Role.CLIENT_USER, "other")))
    await settle()
    assert other.done()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_cancelled_wait_loses_no_permit() -> None:
    queue = FairQueue(2, per_actor=2)
    one = actor(Role.DISPATCHER, "one")
    await queue.acquire(one)
    await queue.acquire(one)
    waiting = asyncio.create_task(queue.acquire(one))
    await settle()
    queue.release(one)
    waiting.cancel()  # granted, and cancelled before it ran
    with pytest.raises(asyncio.CancelledError):
        await waiting
    async with asyncio.timeout(1):
        await queue.acquire(one)
    assert queue.waiting == 0


async def test_a_wait_that_is_cancelled_is_passed_over_before_its_task_has_run() -> None:
    queue = FairQueue(2, per_actor=2)
    one = actor(Role.DISPATCHER, "one")
    await queue.acquire(one)
    await queue.acquire(one)
    cancelled, patient = [asyncio.create_task(queue.acquire(one)) for _ in range(2)]
    await settle()
    cancelled.cancel()
    queue.release(one)  # before the cancelled task has had its turn to clean up
    async with asyncio.timeout(1):
        await patient
    await settle()
    assert cancelled.cancelled()
    queue.release(one)
    queue.release(one)
    assert (queue._free, queue.waiting) == (2, 0)


async def test_an_operation_takes_its_connections_a_few_at_a_time(api: Api, office: Office) -> None:
    """Measured fields under 40 aliases: at no time more than four connections, and every permit comes back."""
    most = 0
    queue = api.state.connections
    acquire = queue.acquire

    async def watched(one: Actor | None) -> None:
        nonlocal most
        await acquire(one)
        most = max(most, sum(queue._held_by_actor.values()))

    queue.acquire = watched  # type: ignore[assignment, method-assign]
    query = "query ($a: ID!, $t: DateTime!) " + SLOW
    now = api.state.now().isoformat()
    data = await api.data(office.client, query, a=office.account, t=now)
    assert len(data) == 40
    assert most == PER_OPERATION
    assert not queue._held_by_actor
    assert queue._free == 20


async def test_a_session_inside_another_takes_no_second_permit(api: Api, office: Office) -> None:
    """Otherwise operations that hold one and wait for one more could wait for each other."""
    one = actor(Role.CLIENT_USER, "one")
    queue = FairQueue(1, per_actor=1)
    permits = OperationPermits(queue, one)
    make = api.state.requests
    outer = QueuedSession(make.kw["bind"], info={"permits": permits})
    inner = QueuedSession(make.kw["bind"], info={"permits": permits})
    async with asyncio.timeout(2), outer, inner:
        assert queue._free == 0
    assert queue._free == 1
