"""Read the owner, the signing keys and the filter of a webhook."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from domain import accounts
from domain.access import Actor
from domain.accounts import ApiKey
from domain.core.encryption import SecretCipher
from domain.core.ledger import LedgerRow
from domain.webhooks.model import Webhook, WebhookSecret
from domain.webhooks.rules import SERVICES


async def owner_of(session: AsyncSession, webhook: Webhook, *, at: datetime) -> Actor | None:
    """Return the owner as an actor; None when the key was revoked or has expired, or the user is disabled."""
    kind, _, row_id = webhook.owner.partition(":")
    if kind == "user":
        actor = await accounts.actor_of_user(session, UUID(row_id))
    else:
        key = await session.get(ApiKey, UUID(row_id), populate_existing=True)
        actor = None if key is None else accounts.actor_of_row(key, at=at)
    return actor if actor is not None and actor.tenant_id == webhook.tenant_id else None


async def keys_of(
    session: AsyncSession, vault: SecretCipher, webhook_id: UUID, *, at: datetime
) -> list[bytes]:
    """Return the secrets that deliveries are signed with at `at`, the newest first."""
    found = await session.scalars(
        select(WebhookSecret.sealed)
        .where(
            WebhookSecret.webhook_id == webhook_id,
            or_(WebhookSecret.ends_at.is_(None), WebhookSecret.ends_at > at),
        )
        .order_by(WebhookSecret.made_at.desc(), WebhookSecret.id.desc())
    )
    return [vault.open(webhook_id, sealed) for sealed in found]


def fact_filter(webhook: Webhook) -> list[ColumnElement[bool]]:
    """Return the condition for the facts that a webhook sends, besides its owner's scope; none about webhooks."""
    conditions: list[ColumnElement[bool]] = [
        not_(LedgerRow.kind.startswith(word, autoescape=True)) for word in SERVICES
    ]
    if webhook.account_id is not None:
        conditions.append(LedgerRow.account_id == webhook.account_id)
    if webhook.kinds is not None:
        conditions.append(LedgerRow.kind.in_(webhook.kinds))
    if webhook.promise_kinds is not None:
        conditions.append(LedgerRow.body["promise_kind"].astext.in_(webhook.promise_kinds))
    return conditions
