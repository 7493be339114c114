"""Workers are killed and Redis is emptied while webhooks are delivered: nothing is lost, nothing comes out of order."""

import asyncio
from datetime import UTC, datetime

import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select, update

from domain import accounts, webhooks
from domain.access import Actor, Role, Tx
from domain.core.db import Sessions, transaction
from domain.core.settings import Settings
from domain.webhooks import DeliveryState, EventFilter, SecretCipher, WebhookDelivery
from tests import facts
from tests.journeys.watching import Workers
from tests.receiver import receiver

pytestmark = pytest.mark.anyio

FACTS = 200


@pytest.mark.slow
async def test_every_fact_arrives_in_order_whatever_dies_meanwhile(
    make: Sessions, settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAARBORG_WEBHOOK_LOOPBACK", "true")
    whom = await facts.client(make)
    await facts.number_all(make)
    async with receiver() as partner:
        async with transaction(make) as session:
            user = await accounts.add_user(
                Tx(session, whom.actor, facts.T0),
                email="m@example.org",
                name="M",
                role=Role.MANAGEMENT,
            )
            owner = Actor(whom.actor.tenant_id, Role.MANAGEMENT, f"user:{user.id}")
            webhook, secret = await webhooks.add(
                Tx(session, owner, datetime.now(UTC)), SecretCipher.of(settings), name="n", url=partner.url,
                wanted=EventFilter(whom.account_id, ["test.noted"]), loopback=True)  # fmt: skip
        workers = Workers(settings)
        try:
            for deaths in range(2):
                workers.start()
                await facts.note(make, whom, *range(deaths * 100, deaths * 100 + 100))
                await partner.has(deaths * 100 + 20, within_s=60)
                await redis.flushall()
                workers.kill()
                await forgotten_leases(make)
            workers.start()
            async with asyncio.timeout(60):
                while await delivered(make) < FACTS:  # noqa: ASYNC110 - other processes write them
                    await asyncio.sleep(0.1)
        finally:
            workers.kill()
    arrived = [letter.verified(secret)["data"]["body"]["n"] for letter in partner.letters]
    first_time = list(dict.fromkeys(arrived))
    assert first_time == list(range(FACTS))
    assert len({letter.id for letter in partner.letters}) == FACTS
    assert len(arrived) - FACTS <= 2  # a repeat for each kill at most, under the id it had
    async with make() as session:
        rows = await session.scalar(
            select(func.count()).where(WebhookDelivery.webhook_id == webhook.id)
        )
    assert rows == FACTS


async def delivered(make: Sessions) -> int:
    async with make() as session:
        found = await session.scalar(
            select(func.count()).where(WebhookDelivery.state == DeliveryState.DELIVERED)
        )
        return found or 0


async def forgotten_leases(make: Sessions) -> None:
    """As if the 45 s had passed that a delivery stays in the hands of a worker that is no more."""
    async with transaction(make) as session:
        await session.execute(
            update(WebhookDelivery)
            .where(
                WebhookDelivery.state == DeliveryState.PENDING, WebhookDelivery.due_at.is_not(None)
            )
            .values(due_at=datetime.now(UTC))
        )
