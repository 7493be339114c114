"""Deliveries of webhooks, step by step: enqueue facts as deliveries, claim one that is due, record the result.

Order: a delivery is due only when no earlier one of its lane (one account's facts, for one webhook) is pending.
Enqueuing and finishing both hold the webhook's row lock, so that neither misses the other's rows.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from domain.core.base import uuid7
from domain.core.deferral import Subject, is_deferred, rank_of
from domain.core.ledger import LedgerHead, LedgerRow
from domain.core.text_rules import cleaned
from domain.core.wakeups import DueColumn, FactKinds, WakeUp
from domain.webhooks.model import (
    DeliveryState,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookState,
)
from domain.webhooks.reads import fact_filter
from domain.webhooks.rules import EXCERPT, pause_s

AHEAD = 1_000
"""Maximum number of pending deliveries per webhook; further facts stay in the ledger until there is room."""
LEASE = timedelta(seconds=45)
"""How long a claimed delivery is reserved; longer than an attempt and recording it can take."""


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A claimed delivery: no other worker has this attempt."""

    delivery_id: UUID
    webhook_id: UUID
    fact_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """Result of an attempt: a status, or why there is none."""

    took_ms: int
    status: int | None = None
    excerpt: str | None = None
    error: str | None = None
    retry_after_s: float | None = None
    """Delay that the receiver requested."""

    @property
    def taken(self) -> bool:
        """Whether the receiver accepted it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver reports that it is gone for good."""
        return self.status == 410


DUE: tuple[WakeUp, ...] = (
    FactKinds(""),
    DueColumn(
        WebhookDelivery.due_at,
        WebhookDelivery.state == DeliveryState.PENDING,
        exists().where(
            Webhook.id == WebhookDelivery.webhook_id,
            Webhook.state == WebhookState.ACTIVE,
            or_(Webhook.not_before.is_(None), Webhook.not_before <= func.now()),
        ),
    ),
    DueColumn(
        Webhook.not_before, Webhook.state == WebhookState.ACTIVE, Webhook.not_before > func.now()
    ),
)


async def webhooks_behind(session: AsyncSession, *, at: datetime, rendering: bool) -> list[Subject]:
    """Select active webhooks whose company has facts after their position, the companies alternately.

    One for which that failed waits until its next attempt. Without `rendering` those with a GraphQL document are left
    to a worker that can execute it.
    """
    query = (
        select(Webhook.tenant_id, Webhook.id)
        .join(LedgerHead, LedgerHead.tenant_id == Webhook.tenant_id)
        .where(
            Webhook.state == WebhookState.ACTIVE,
            Webhook.position < LedgerHead.seq,
            ~is_deferred("webhooks", Webhook.id, at=at),
        )
        .order_by(rank_of(Webhook.tenant_id, Webhook.id), Webhook.id)
    )
    found = await session.execute(query if rendering else query.where(_plain()))
    return [Subject(*row) for row in found]


async def hold_webhook(session: AsyncSession, webhook_id: UUID) -> Webhook | None:
    """Lock an active webhook's row; None when it is locked or no longer active."""
    row: Webhook | None = await session.scalar(
        select(Webhook)
        .where(Webhook.id == webhook_id, Webhook.state == WebhookState.ACTIVE)
        .with_for_update(key_share=True, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    return row


async def enqueue(
    session: AsyncSession,
    webhook: Webhook,
    fence: ColumnElement[bool],
    *,
    at: datetime,
    limit: int = 500,
) -> int:
    """Enqueue the next matching facts for `webhook` (locked); return how many. `fence` is its owner's scope.

    One delivery per fact, by a unique key. A replay makes it pending again.
    """
    mine = WebhookDelivery.webhook_id == webhook.id
    waiting = await session.scalar(
        select(func.count()).where(
            mine,
            WebhookDelivery.state == DeliveryState.PENDING,
            WebhookDelivery.seq <= webhook.position,
        )
    )
    room = min(limit, AHEAD - (waiting or 0))
    if room <= 0:
        return 0
    head = await session.scalar(
        select(LedgerHead.seq).where(LedgerHead.tenant_id == webhook.tenant_id)
    )
    found = (
        await session.execute(
            select(LedgerRow.id, LedgerRow.seq, LedgerRow.kind, LedgerRow.account_id)
            .where(
                LedgerRow.tenant_id == webhook.tenant_id,
                LedgerRow.seq > webhook.position,
                LedgerRow.seq <= (head or 0),
                fence,
                *fact_filter(webhook),
            )
            .order_by(LedgerRow.seq)
            .limit(room)
        )
    ).all()
    position = found[-1].seq if len(found) == room else max(webhook.position, head or 0)
    if found:
        await _insert(session, webhook, found, at)
    # Not through the row, because the position is no edit and must not raise the version.
    await session.execute(update(Webhook).where(Webhook.id == webhook.id).values(position=position))
    await make_due(session, webhook.id, at=at)
    return len(found)


async def _insert(
    session: AsyncSession, webhook: Webhook, found: Sequence[Any], at: datetime
) -> None:
    laying = insert(WebhookDelivery)
    await session.execute(
        laying.on_conflict_do_update(
            index_elements=[WebhookDelivery.webhook_id, WebhookDelivery.fact_id],
            set_={
                "state": DeliveryState.PENDING,
                "attempts": 0,
                "round": laying.excluded.round,
                "queued_at": laying.excluded.queued_at,
                "due_at": None,
                "done_at": None,
            },
            where=WebhookDelivery.round < laying.excluded.round,
        ),
        [
            {
                "id": uuid7(),
                "tenant_id": webhook.tenant_id,
                "account_id": row.account_id,
                "webhook_id": webhook.id,
                "fact_id": row.id,
                "seq": row.seq,
                "kind": row.kind,
                "lane": row.account_id or webhook.tenant_id,
                "round": webhook.round,
                "state": DeliveryState.PENDING,
                "attempts": 0,
                "queued_at": at,
            }
            for row in found
        ],
    )


async def make_due(
    session: AsyncSession, webhook_id: UUID, *, at: datetime, lane: UUID | None = None
) -> None:
    """Make the first pending delivery of each lane due, unless it already is."""
    earlier = aliased(WebhookDelivery)
    first = ~exists().where(
        earlier.webhook_id == WebhookDelivery.webhook_id,
        earlier.lane == WebhookDelivery.lane,
        earlier.state == DeliveryState.PENDING,
        earlier.seq < WebhookDelivery.seq,
    )
    laid = select(Webhook.position).where(Webhook.id == webhook_id).scalar_subquery()
    await session.execute(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.webhook_id == webhook_id,
            WebhookDelivery.state == DeliveryState.PENDING,
            WebhookDelivery.due_at.is_(None),
            WebhookDelivery.seq <= laid,
            first,
            *(() if lane is None else (WebhookDelivery.lane == lane,)),
        )
        .values(due_at=at)
        .execution_options(synchronize_session=False)
    )


async def claim_due(
    session: AsyncSession,
    *,
    at: datetime,
    limit: int,
    rendering: bool,
    busy: Collection[UUID] = (),
) -> list[ClaimedDelivery]:
    """Claim due deliveries, longest overdue first, none of `busy` webhooks; committed before they are sent."""
    query = (
        select(WebhookDelivery.id)
        .join(Webhook, Webhook.id == WebhookDelivery.webhook_id)
        .where(
            WebhookDelivery.state == DeliveryState.PENDING,
            WebhookDelivery.due_at <= at,
            Webhook.state == WebhookState.ACTIVE,
            or_(Webhook.not_before.is_(None), Webhook.not_before <= at),
        )
        .order_by(WebhookDelivery.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=WebhookDelivery)
    )
    if not rendering:
        query = query.where(_plain())
    if busy:
        query = query.where(Webhook.id.not_in(busy))
    due = query.cte("due")
    rows = await session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.id == due.c.id)
        .values(attempts=WebhookDelivery.attempts + 1, due_at=at + LEASE)
        .returning(
            WebhookDelivery.id,
            WebhookDelivery.webhook_id,
            WebhookDelivery.fact_id,
            WebhookDelivery.attempts,
        )
        .execution_options(synchronize_session=False)
    )
    return [ClaimedDelivery(*row) for row in rows]


async def lock_claimed(
    session: AsyncSession, taken: ClaimedDelivery
) -> tuple[Webhook, WebhookDelivery] | None:
    """Lock the delivery of an attempt; None when a later attempt began, or it is done."""
    webhook = await session.scalar(
        select(Webhook).where(Webhook.id == taken.webhook_id).with_for_update(key_share=True)
    )
    delivery = await session.scalar(
        select(WebhookDelivery)
        .where(
            WebhookDelivery.id == taken.delivery_id,
            WebhookDelivery.state == DeliveryState.PENDING,
            WebhookDelivery.attempts == taken.attempt,
        )
        .with_for_update(key_share=True)
    )
    return None if webhook is None or delivery is None else (webhook, delivery)


def record_attempt(
    session: AsyncSession, delivery: WebhookDelivery, outcome: DeliveryOutcome, *, at: datetime
) -> None:
    """Record an attempt."""
    excerpt = outcome.excerpt
    session.add(
        WebhookAttempt(
            tenant_id=delivery.tenant_id,
            account_id=delivery.account_id,
            delivery_id=delivery.id,
            at=at,
            took_ms=outcome.took_ms,
            status=outcome.status,
            excerpt=None if excerpt is None else cleaned(excerpt, EXCERPT),
            error=None if outcome.error is None else cleaned(outcome.error, EXCERPT),
        )
    )


def settle(
    delivery: WebhookDelivery, outcome: DeliveryOutcome, *, at: datetime, chance: float
) -> DeliveryState:
    """Set the state after an attempt: delivered, dead, or due again after a pause."""
    pause = pause_s(delivery.attempts, chance)
    if outcome.taken:
        delivery.state, delivery.done_at, delivery.due_at = DeliveryState.DELIVERED, at, None
    elif outcome.gone or pause is None:
        delivery.state, delivery.done_at, delivery.due_at = DeliveryState.DEAD, at, None
    else:
        delivery.due_at = at + timedelta(seconds=max(pause, outcome.retry_after_s or 0))
    return delivery.state


async def pause_receiver(
    session: AsyncSession, webhook_id: UUID, *, until: datetime | None
) -> None:
    """Send a receiver nothing until a time, in no lane, because it requested that; None ends the pause."""
    await session.execute(  # not through the row, because this is no edit of the webhook
        update(Webhook).where(Webhook.id == webhook_id).values(not_before=until)
    )


async def claim_next(
    session: AsyncSession, delivery: WebhookDelivery, *, at: datetime
) -> ClaimedDelivery | None:
    """Claim the delivery after one that is done, in its lane; None when there is none, or it is not enqueued."""
    await make_due(session, delivery.webhook_id, at=at, lane=delivery.lane)
    row = await session.scalar(
        select(WebhookDelivery)
        .where(
            WebhookDelivery.webhook_id == delivery.webhook_id,
            WebhookDelivery.lane == delivery.lane,
            WebhookDelivery.state == DeliveryState.PENDING,
            WebhookDelivery.due_at <= at,
        )
        .order_by(WebhookDelivery.seq)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )
    if row is None:
        return None
    row.attempts, row.due_at = row.attempts + 1, at + LEASE
    return ClaimedDelivery(row.id, row.webhook_id, row.fact_id, row.attempts)


async def delete_finished(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Delete deliveries that ended before a time, with their attempts; return how many."""
    old = (
        select(WebhookDelivery.id)
        .where(WebhookDelivery.state != DeliveryState.PENDING, WebhookDelivery.done_at < before)
        .limit(limit)
    )
    gone = await session.execute(
        delete(WebhookDelivery)
        .where(WebhookDelivery.id.in_(old.scalar_subquery()))
        .returning(WebhookDelivery.id)
        .execution_options(synchronize_session=False)
    )
    return len(gone.all())


def _plain() -> ColumnElement[bool]:
    return Webhook.document.is_(None)
