"""Pause or end a webhook: for its owner, and for the worker when the receiver or owner requires it."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor
from domain.core.ledger import Fact, record
from domain.webhooks import events
from domain.webhooks.model import DeliveryState, Webhook, WebhookDelivery, WebhookState


async def pause_locked(
    session: AsyncSession, actor: Actor, webhook: Webhook, *, reason: str, at: datetime
) -> Webhook:
    """Pause a locked webhook."""
    webhook.state, webhook.reason = WebhookState.PAUSED, reason
    await _nothing_due(session, webhook)
    record_fact(session, actor, webhook, events.WebhookPaused, at, reason=reason)
    await session.flush()
    return webhook


async def end_locked(
    session: AsyncSession, actor: Actor, webhook: Webhook, *, reason: str, at: datetime
) -> Webhook:
    """End a locked webhook."""
    webhook.state, webhook.reason = WebhookState.DISABLED, reason
    await _nothing_due(session, webhook)
    record_fact(session, actor, webhook, events.Disabled, at, reason=reason)
    await session.flush()
    return webhook


async def _nothing_due(session: AsyncSession, webhook: Webhook) -> None:
    await session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.webhook_id == webhook.id,
            WebhookDelivery.state == DeliveryState.PENDING,
        )
        .values(due_at=None)
    )


def record_fact(
    session: AsyncSession,
    actor: Actor,
    webhook: Webhook,
    kind: type[Fact],
    at: datetime,
    **body: object,
) -> None:
    """Record a fact about a webhook."""
    record(
        session,
        actor,
        kind(account_id=webhook.account_id, subject_id=webhook.id, at=at, **body),
    )
