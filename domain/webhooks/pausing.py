"""Pause or end a webhook: for its owner, and for the worker when the receiver or owner requires it."""

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Tx
from domain.core.ledger import Fact
from domain.webhooks import events
from domain.webhooks.model import DeliveryState, Webhook, WebhookDelivery, WebhookState


async def pause_locked(tx: Tx, webhook: Webhook, *, reason: str) -> Webhook:
    """Pause a locked webhook."""
    webhook.state, webhook.reason = WebhookState.PAUSED, reason
    await _nothing_due(tx.session, webhook)
    record_fact(tx, webhook, events.WebhookPaused, reason=reason)
    await tx.session.flush()
    return webhook


async def end_locked(tx: Tx, webhook: Webhook, *, reason: str) -> Webhook:
    """End a locked webhook."""
    webhook.state, webhook.reason = WebhookState.DISABLED, reason
    await _nothing_due(tx.session, webhook)
    record_fact(tx, webhook, events.Disabled, reason=reason)
    await tx.session.flush()
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


def record_fact(tx: Tx, webhook: Webhook, kind: type[Fact], **body: object) -> None:
    """Record a fact about a webhook."""
    tx.record(kind(account_id=webhook.account_id, subject_id=webhook.id, at=tx.at, **body))
