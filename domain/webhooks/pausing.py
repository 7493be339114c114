"""Pause or end a webhook: for its owner, and for the worker when the receiver or owner requires it."""

from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import CLIENTS, Tx
from domain.accounts import User
from domain.webhooks import events
from domain.webhooks.model import DeliveryState, Webhook, WebhookDelivery, WebhookState


async def pause_locked(tx: Tx, webhook: Webhook, *, reason: str) -> Webhook:
    """Pause a locked webhook."""
    webhook.state, webhook.reason = WebhookState.PAUSED, reason
    await _nothing_due(tx.session, webhook)
    await record_fact(tx, webhook, events.WebhookPaused, reason=reason)
    await tx.session.flush()
    return webhook


async def end_locked(tx: Tx, webhook: Webhook, *, reason: str) -> Webhook:
    """End a locked webhook."""
    webhook.state, webhook.reason = WebhookState.DISABLED, reason
    await _nothing_due(tx.session, webhook)
    await record_fact(tx, webhook, events.Disabled, reason=reason)
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


async def record_fact(
    tx: Tx, webhook: Webhook, kind: type[events.WebhookFact], **body: object
) -> None:
    """Record a fact about a webhook."""
    internal = await _is_of_staff(tx.session, webhook)
    fact = kind(
        account_id=webhook.account_id, subject_id=webhook.id, at=tx.at, internal=internal, **body
    )
    tx.record(fact)


async def _is_of_staff(session: AsyncSession, webhook: Webhook) -> bool:
    """Return whether a user of the company owns a webhook, and no client and no key."""
    kind, _, owner_id = webhook.owner.partition(":")
    if kind != "user":
        return False
    role = await session.scalar(select(User.role).where(User.id == UUID(owner_id)))
    return role not in CLIENTS
