"""Results of webhook deliveries: an attempt and its consequences are recorded in one transaction."""

import random
from datetime import UTC, datetime, timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from domain import webhooks
from domain.access import Actor, Tx
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

GIVEN_UP_AFTER = timedelta(days=5)  # of failures only; then the webhook is paused


async def write_down(
    session: AsyncSession, taken: ClaimedDelivery, outcome: DeliveryOutcome, sent_at: datetime
) -> ClaimedDelivery | None:
    """Record the outcome of an attempt; when the delivery is finished, claim the next one in its lane."""
    found = await lock_claimed(session, taken)
    if found is None:  # another worker took the delivery over: log this attempt as a repeat
        row = await session.get(WebhookDelivery, taken.delivery_id)
        if row is not None:
            record_attempt(session, row, outcome, at=sent_at)
        return None
    webhook, delivery = found
    at = datetime.now(UTC)
    record_attempt(session, delivery, outcome, at=sent_at)
    chance = random.random()  # noqa: S311 - spreads load, not a secret
    state = settle(delivery, outcome, at=at, chance=chance)
    actor = Actor.system(webhook.tenant_id, "worker")
    if state is DeliveryState.DELIVERED:
        await _clear_failing(session, webhook)
    else:
        since = await _mark_failing(session, webhook, at)
        if outcome.retry_after_s:
            until = at + timedelta(seconds=outcome.retry_after_s)
            await pause_receiver(session, webhook.id, until=until)
        if outcome.gone:
            await webhooks.end_locked(
                Tx(session, actor, at), webhook, reason="the receiver answered 410 Gone"
            )
            return None
        if state is DeliveryState.DEAD:
            await _record_dead(session, actor, webhook, delivery, at)
            if at - since >= GIVEN_UP_AFTER:
                await webhooks.pause_locked(
                    Tx(session, actor, at), webhook, reason="nothing was taken for five days"
                )
    await session.flush()
    if state is DeliveryState.PENDING or webhook.state is not WebhookState.ACTIVE:
        return None
    return await claim_next(session, delivery, at=at)


async def drop(
    session: AsyncSession, taken: ClaimedDelivery, outcome: DeliveryOutcome, at: datetime
) -> None:
    """Drop a delivery that must not be made, and record why."""
    found = await lock_claimed(session, taken)
    if found is None:
        return
    webhook, delivery = found
    record_attempt(session, delivery, outcome, at=at)
    delivery.state, delivery.done_at, delivery.due_at = DeliveryState.DEAD, at, None
    await session.flush()
    await make_due(session, webhook.id, at=at, lane=delivery.lane)


async def pause(session: AsyncSession, webhook: Webhook, reason: str, at: datetime) -> None:
    """Pause a webhook, locked by the caller, until a user resumes it."""
    actor = Actor.system(webhook.tenant_id, "worker")
    await webhooks.pause_locked(Tx(session, actor, at), webhook, reason=reason)


async def _record_dead(
    session: AsyncSession,
    actor: Actor,
    webhook: Webhook,
    delivery: WebhookDelivery,
    at: datetime,
) -> None:
    await webhooks.record_fact(
        Tx(session, actor, at),
        webhook,
        events.DeliveryDied,
        delivery_id=delivery.id,
        fact_kind=delivery.kind,
    )


async def _clear_failing(session: AsyncSession, webhook: Webhook) -> None:
    """Clear the start of the failing period. Not through the row: delivery health is no edit of the webhook."""
    if webhook.failing_since is not None:
        await session.execute(
            update(Webhook).where(Webhook.id == webhook.id).values(failing_since=None)
        )


async def _mark_failing(session: AsyncSession, webhook: Webhook, at: datetime) -> datetime:
    """Set the start of the failing period if unset, and return it."""
    if webhook.failing_since is not None:
        return webhook.failing_since
    await session.execute(update(Webhook).where(Webhook.id == webhook.id).values(failing_since=at))
    return at
