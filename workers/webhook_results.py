"""What a delivery comes to: an attempt is written down, and what follows from it happens in the same transaction."""

import random
from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import webhooks
from domain.access import Actor
from domain.core.ledger import record
from domain.webhooks import (
    ClaimedDelivery,
    DeliveryOutcome,
    DeliveryState,
    Webhook,
    WebhookDelivery,
    WebhookState,
    claim_next,
    events,
    lock_claimed,
    make_due,
    pause_receiver,
    record_attempt,
    settle,
)

GIVEN_UP_AFTER = timedelta(days=5)  # of nothing but failures: then the webhook is paused


async def write_down(
    session: AsyncSession, taken: ClaimedDelivery, outcome: DeliveryOutcome, sent_at: datetime
) -> ClaimedDelivery | None:
    """Keep what came of an attempt, and take what is next in the lane when this one is done."""
    found = await lock_claimed(session, taken)
    if found is None:  # somebody else took it over: this attempt stands in the log as a repeat
        row = await session.get(WebhookDelivery, taken.delivery_id)
        if row is not None:
            record_attempt(session, row, outcome, at=sent_at)
        return None
    webhook, delivery = found
    at = datetime.now(UTC)
    record_attempt(session, delivery, outcome, at=sent_at)
    chance = random.random()  # noqa: S311 - spreads load, guards nothing
    state = settle(delivery, outcome, at=at, chance=chance)
    actor = Actor.system(webhook.tenant_id, "worker")
    if state is DeliveryState.DELIVERED:
        await _is_well(session, webhook)
    else:
        since = await _is_ill(session, webhook, at)
        if outcome.retry_after_s:
            until = at + timedelta(seconds=outcome.retry_after_s)
            await pause_receiver(session, webhook.id, until=until)
        if outcome.gone:
            await webhooks.end_locked(
                session, actor, webhook, reason="the receiver answered 410 Gone", at=at
            )
            return None
        if state is DeliveryState.DEAD:
            _mourn(session, actor, webhook, delivery, at)
            if at - since >= GIVEN_UP_AFTER:
                await webhooks.pause_locked(
                    session, actor, webhook, reason="nothing was taken for five days", at=at
                )
    await session.flush()
    if state is DeliveryState.PENDING or webhook.state is not WebhookState.ACTIVE:
        return None
    return await claim_next(session, delivery, at=at)


async def drop(
    session: AsyncSession, taken: ClaimedDelivery, outcome: DeliveryOutcome, at: datetime
) -> None:
    """End a delivery that may not be made."""
    found = await lock_claimed(session, taken)
    if found is None:
        return
    webhook, delivery = found
    record_attempt(session, delivery, outcome, at=at)
    delivery.state, delivery.done_at, delivery.due_at = DeliveryState.DEAD, at, None
    await session.flush()
    await make_due(session, webhook.id, at=at, lane=delivery.lane)


async def pause(session: AsyncSession, webhook: Webhook, reason: str, at: datetime) -> None:
    """Hold a locked webhook until somebody resumes it."""
    actor = Actor.system(webhook.tenant_id, "worker")
    await webhooks.pause_locked(session, actor, webhook, reason=reason, at=at)


def _mourn(
    session: AsyncSession,
    actor: Actor,
    webhook: Webhook,
    delivery: WebhookDelivery,
    at: datetime,
) -> None:
    record(
        session,
        actor,
        events.DeliveryDied(
            account_id=webhook.account_id,
            subject_id=webhook.id,
            at=at,
            delivery_id=delivery.id,
            fact_kind=delivery.kind,
        ),
    )


async def _is_well(session: AsyncSession, webhook: Webhook) -> None:
    """Forget since when it failed. Not through the row: how it fares is no edit of the webhook."""
    if webhook.failing_since is not None:
        await session.execute(
            update(Webhook).where(Webhook.id == webhook.id).values(failing_since=None)
        )


async def _is_ill(session: AsyncSession, webhook: Webhook, at: datetime) -> datetime:
    """Since when it has failed without a break."""
    if webhook.failing_since is not None:
        return webhook.failing_since
    await session.execute(update(Webhook).where(Webhook.id == webhook.id).values(failing_since=at))
    return at
