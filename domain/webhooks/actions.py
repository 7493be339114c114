"""Change webhooks: add, rotate the secret, pause, resume, replay, and end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from domain.access import Actor, Right, Tx, visible_to
from domain.accounts import Account, ApiKey
from domain.core.base import JSON, uuid7
from domain.core.encryption import SecretCipher
from domain.core.errors import Code, Refused
from domain.core.ledger import LedgerHead, LedgerRow
from domain.core.text_rules import must_be_line
from domain.webhooks import events
from domain.webhooks.deliveries import make_due, pause_receiver
from domain.webhooks.model import (
    DeliveryState,
    Webhook,
    WebhookDelivery,
    WebhookSecret,
    WebhookState,
)
from domain.webhooks.pausing import end_locked, pause_locked, record_fact
from domain.webhooks.rules import check_url, new_secret, secret_text

OVERLAP = timedelta(hours=24)
"""How long the previous secret signs along with a new one."""
OWNERS = frozenset({"user", "key"})
MOST = 50
"""Maximum number of webhooks per owner."""


@dataclass(frozen=True, slots=True)
class PayloadDocument:
    """A GraphQL operation whose response about a fact is the payload; validated by the caller."""

    document: str
    operation_name: str | None
    variables: JSON


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which facts are sent: of one account or of all accessible ones, of some kinds or of all."""

    account_id: UUID | None = None
    kinds: Sequence[str] | None = None
    promise_kinds: Sequence[str] | None = None

    def narrowed(self, by: Self) -> Self:
        """Return the intersection of both filters. Refuses two accounts, because no fact is about both."""
        if self.account_id and by.account_id and self.account_id != by.account_id:
            raise Refused(
                Code.INVALID, "The document is about another account.", argument="accountId"
            )
        return type(self)(
            self.account_id or by.account_id,
            _both(self.kinds, by.kinds),
            _both(self.promise_kinds, by.promise_kinds),
        )


async def add(
    tx: Tx,
    vault: SecretCipher,
    *,
    name: str,
    url: str,
    wanted: EventFilter,
    payload: PayloadDocument | None = None,
    key_id: UUID | None = None,
    loopback: bool = False,
) -> tuple[Webhook, str]:
    """Send facts to an address from now on, as the actor or the key `key_id`; the secret is returned here only.

    The owner's rights are read anew at every delivery: facts that are not (or no longer) visible to the owner are not
    sent.
    """
    _must_manage(tx.actor)
    await _must_have_access(tx, wanted.account_id)
    owner = tx.actor.subject if key_id is None else f"key:{await _key(tx, key_id)}"
    if owner.partition(":")[0] not in OWNERS:
        raise Refused(Code.NOT_ALLOWED, "A webhook must belong to a user or to an API key.")
    must_be_line(name, "name")
    for kind in wanted.kinds or ():
        must_be_line(kind, "kinds")
    check_url(url, loopback=loopback)
    has = await tx.session.scalars(
        select(Webhook.id).where(
            Webhook.tenant_id == tx.actor.tenant_id,
            Webhook.owner == owner,
            Webhook.state != WebhookState.DISABLED,
        )
    )
    if len(has.all()) >= MOST:
        raise Refused(Code.INVALID, f"An owner can have at most {MOST} webhooks.", argument="url")
    webhook = Webhook(
        id=uuid7(),
        tenant_id=tx.actor.tenant_id,
        account_id=wanted.account_id,
        name=name,
        url=url,
        owner=owner,
        kinds=None if wanted.kinds is None else sorted(set(wanted.kinds)),
        promise_kinds=None if wanted.promise_kinds is None else sorted(set(wanted.promise_kinds)),
        document=None if payload is None else payload.document,
        operation_name=None if payload is None else payload.operation_name,
        variables=None if payload is None else payload.variables,
        position=await _head(tx.session, tx.actor.tenant_id),
        created_at=tx.at,
    )
    tx.session.add(webhook)
    await tx.session.flush()
    secret = _new_secret(tx.session, vault, webhook, at=tx.at)
    await record_fact(tx, webhook, events.Added, owner=owner)
    return webhook, secret


async def rotate_secret(tx: Tx, vault: SecretCipher, webhook_id: UUID) -> tuple[Webhook, str]:
    """Create a new secret, returned here only; the previous one stays valid for 24 hours for the switch."""
    webhook = await locked(tx, webhook_id)
    _must_not_be_ended(webhook)
    its = WebhookSecret.webhook_id == webhook_id
    newest = (
        select(WebhookSecret.id).where(its).order_by(WebhookSecret.made_at.desc()).limit(1)
    ).scalar_subquery()
    # After two quick rotations only the newest previous secret overlaps, because the first one is meant to be gone.
    await tx.session.execute(
        update(WebhookSecret)
        .where(its, WebhookSecret.id != newest, WebhookSecret.ends_at > tx.at)
        .values(ends_at=tx.at)
    )
    await tx.session.execute(
        update(WebhookSecret)
        .where(WebhookSecret.id == newest, WebhookSecret.ends_at.is_(None))
        .values(ends_at=tx.at + OVERLAP)
    )
    secret = _new_secret(tx.session, vault, webhook, at=tx.at)
    await record_fact(tx, webhook, events.SecretRotated)
    return webhook, secret


async def pause(tx: Tx, webhook_id: UUID, *, reason: str) -> Webhook:
    """Pause a webhook until it is resumed. The ledger keeps the facts meanwhile."""
    webhook = await locked(tx, webhook_id)
    must_be_line(reason, "reason")
    if webhook.state is not WebhookState.ACTIVE:
        raise Refused(Code.ALREADY_DONE, f"The webhook is {webhook.state}.", argument="id")
    return await pause_locked(tx, webhook, reason=reason)


async def resume(tx: Tx, webhook_id: UUID) -> Webhook:
    """Resume a webhook from its position."""
    webhook = await locked(tx, webhook_id)
    _must_not_be_ended(webhook)
    if webhook.state is WebhookState.ACTIVE:
        raise Refused(Code.ALREADY_DONE, "The webhook is already active.", argument="id")
    webhook.state, webhook.reason, webhook.failing_since = WebhookState.ACTIVE, None, None
    webhook.not_before = None
    await record_fact(tx, webhook, events.WebhookResumed)
    await tx.session.flush()
    await make_due(tx.session, webhook.id, at=tx.at)
    return webhook


async def end(tx: Tx, webhook_id: UUID) -> Webhook:
    """End a webhook permanently."""
    webhook = await locked(tx, webhook_id)
    _must_not_be_ended(webhook)
    return await end_locked(tx, webhook, reason="ended by its owner")


async def replay(tx: Tx, webhook_id: UUID, *, after: int) -> Webhook:
    """Send every fact after number `after` again, each under its former `webhook-id`; the log keeps all attempts.

    Refuses a position that the ledger has not reached.
    """
    webhook = await locked(tx, webhook_id)
    _must_not_be_ended(webhook)
    if not 0 <= after <= await _head(tx.session, tx.actor.tenant_id):
        raise Refused(
            Code.CURSOR_INVALID, "The ledger has not reached this position.", argument="after"
        )
    before = webhook.position
    if after < before:
        webhook.position = after
        webhook.round += 1
        # Pending deliveries beyond the new position wait until the facts before it are enqueued again.
        await tx.session.execute(
            update(WebhookDelivery)
            .where(
                WebhookDelivery.webhook_id == webhook.id,
                WebhookDelivery.state == DeliveryState.PENDING,
                WebhookDelivery.seq > after,
            )
            .values(due_at=None)
        )
    await record_fact(
        tx,
        webhook,
        events.Replayed,
        recorded_at_before=await _recorded_at(tx, before),
        recorded_at_after=await _recorded_at(tx, webhook.position),
    )
    await tx.session.flush()
    return webhook


async def retry(tx: Tx, delivery_id: UUID) -> WebhookDelivery:
    """Retry a dead delivery, with the schedule from its beginning; it goes before the pending ones of its lane."""
    _must_manage(tx.actor)
    delivery = await tx.session.scalar(
        select(WebhookDelivery)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(WebhookDelivery.id == delivery_id, visible_to(tx.actor, Webhook))
    )
    if delivery is None:
        raise Refused(Code.NOT_FOUND, "No such delivery.", argument="id")
    webhook = await locked(tx, delivery.webhook_id)
    await tx.session.refresh(delivery)
    _must_not_be_ended(webhook)
    if delivery.state is not DeliveryState.DEAD:
        raise Refused(Code.ALREADY_DONE, f"The delivery is {delivery.state}.", argument="id")
    await record_fact(
        tx,
        webhook,
        events.DeliveryRetried,
        delivery_id=delivery.id,
        before=delivery.state,
        after=DeliveryState.PENDING,
    )
    delivery.state, delivery.attempts, delivery.done_at = DeliveryState.PENDING, 0, None
    await tx.session.flush()
    await pause_receiver(tx.session, webhook.id, until=None)
    await make_due(tx.session, webhook.id, at=tx.at)
    return delivery


def _both(one: Sequence[str] | None, other: Sequence[str] | None) -> Sequence[str] | None:
    if one is None or other is None:
        return one if other is None else other
    return [each for each in one if each in other]


def _new_secret(
    session: AsyncSession, vault: SecretCipher, webhook: Webhook, *, at: datetime
) -> str:
    secret = new_secret()
    session.add(
        WebhookSecret(
            tenant_id=webhook.tenant_id,
            webhook_id=webhook.id,
            sealed=vault.seal(webhook.id, secret),
            made_at=at,
        )
    )
    return secret_text(secret)


def _must_manage(actor: Actor) -> None:
    """Refuse unless the actor may manage webhooks."""
    actor.must(Right.MANAGE_WEBHOOKS)


def _must_not_be_ended(webhook: Webhook) -> None:
    if webhook.state is WebhookState.DISABLED:
        raise Refused(Code.ALREADY_DONE, "The webhook was ended; add a new one.", argument="id")


async def _must_have_access(tx: Tx, account_id: UUID | None) -> None:
    if account_id is not None:
        await tx.get(Account, account_id, "account", argument="accountId")
    elif tx.actor.accounts is None:  # an actor limited to some accounts gets facts of those
        tx.actor.must(Right.WATCH_ALL)


async def _key(tx: Tx, key_id: UUID) -> UUID:
    """Return a key for which the actor may add webhooks: one without access beyond the actor's."""
    tx.actor.must(Right.MANAGE_KEYS)
    key = await tx.get(
        ApiKey, key_id, "key", argument="apiKeyId", among=visible_to(tx.actor, ApiKey)
    )
    if key.revoked_at is not None:
        raise Refused(Code.INVALID, "The key was revoked.", argument="apiKeyId")
    return key.id


async def _head(session: AsyncSession, tenant_id: UUID) -> int:
    head = await session.scalar(select(LedgerHead.seq).where(LedgerHead.tenant_id == tenant_id))
    return head or 0


async def _recorded_at(tx: Tx, position: int) -> datetime | None:
    """Return when the company's last fact up to a position was recorded; the number itself counts every company."""
    at: datetime | None = await tx.session.scalar(
        select(LedgerRow.recorded_at)
        .where(LedgerRow.tenant_id == tx.actor.tenant_id, LedgerRow.seq <= position)
        .order_by(LedgerRow.seq.desc())
        .limit(1)
    )
    return at


async def locked(tx: Tx, webhook_id: UUID) -> Webhook:
    """Lock a webhook that the actor may change."""
    _must_manage(tx.actor)
    among = visible_to(tx.actor, Webhook)
    return await tx.get(Webhook, webhook_id, "webhook", lock=True, among=among)
