"""The work of webhooks, step by step: lay facts down as deliveries, take one that is due, write down how it went.

Order: a delivery is due only when no earlier one of its lane (one client's facts, for one webhook) is pending. Whoever
lays down, and whoever finishes, holds the webhook's row, so that neither misses the other's rows.
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
from domain.core.deferral import Subject, is_deferred, turn_of
from domain.core.ledger import LedgerHead, LedgerRow
from domain.core.text_rules import cleaned
from domain.webhooks.model import (
    DeliveryState,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookState,
)
from domain.webhooks.reads import wants
from domain.webhooks.rules import EXCERPT, pause_s

AHEAD = 1_000
"""Deliveries of a webhook that are laid down and not done, at most: the rest of the ledger waits in the ledger."""
LEASE = timedelta(seconds=45)
"""How long a delivery is in somebody's hands; more than an attempt and writing it down can take."""


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery in hand: nobody else has this attempt."""

    delivery_id: UUID
    webhook_id: UUID
    fact_id: int
    attempt: int


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What came back of an attempt: a status, or why there is none."""

    took_ms: int
    status: int | None = None
    excerpt: str | None = None
    error: str | None = None
    retry_after_s: float | None = None
    """How long the receiver wants to be left alone."""

    @property
    def taken(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """Whether the receiver says that it will never want anything again."""
        return self.status == 410


async def behind(session: AsyncSession, *, at: datetime, rendering: bool) -> list[Subject]:
    """Active webhooks whose company has numbered facts that they were not laid down for: the companies in turn.

    One for which that failed waits until its next attempt. Without `rendering` those with a GraphQL document are left
    to a worker that can answer them.
    """
    query = (
        select(Webhook.tenant_id, Webhook.id)
        .join(LedgerHead, LedgerHead.tenant_id == Webhook.tenant_id)
        .where(
            Webhook.state == WebhookState.ACTIVE,
            Webhook.position < LedgerHead.seq,
            ~is_deferred("webhooks", Webhook.id, at=at),
        )
        .order_by(turn_of(Webhook.tenant_id, Webhook.id), Webhook.id)
    )
    found = await session.execute(query if rendering else query.where(_plain()))
    return [Subject(*row) for row in found]


async def hold_webhook(session: AsyncSession, webhook_id: UUID) -> Webhook | None:
    """Lock an active webhook's row; None when somebody has it, or it is active no more."""
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
    """Lay the next facts that `webhook` (locked) wants down as deliveries; returns how many. `fence` is its owner's.

    One delivery for each fact, whatever happens: the table says so. A replay makes it pending again.
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
                *wants(webhook),
            )
            .order_by(LedgerRow.seq)
            .limit(room)
        )
    ).all()
    position = found[-1].seq if len(found) == room else max(webhook.position, head or 0)
    if found:
        await _insert(session, webhook, found, at)
    # Not through the row: the position is no edit of the webhook, and its version is for edits.
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
    """Let the first pending delivery of each lane be due, unless it is already."""
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


async def take(
    session: AsyncSession,
    *,
    at: datetime,
    limit: int,
    rendering: bool,
    busy: Collection[UUID] = (),
) -> list[ClaimedDelivery]:
    """Take deliveries that are due, longest due first, none of `busy` webhooks; committed before they are sent."""
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


async def held(
    session: AsyncSession, taken: ClaimedDelivery
) -> tuple[Webhook, WebhookDelivery] | None:
    """Lock what an attempt was made for; None when the attempt is no longer the delivery's last, or it is done."""
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


def note(
    session: AsyncSession, delivery: WebhookDelivery, outcome: DeliveryOutcome, *, at: datetime
) -> None:
    """Write an attempt down."""
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
    """How a delivery stands after an attempt: delivered, dead, or due again after its pause."""
    pause = pause_s(delivery.attempts, chance)
    if outcome.taken:
        delivery.state, delivery.done_at, delivery.due_at = DeliveryState.DELIVERED, at, None
    elif outcome.gone or pause is None:
        delivery.state, delivery.done_at, delivery.due_at = DeliveryState.DEAD, at, None
    else:
        delivery.due_at = at + timedelta(seconds=max(pause, outcome.retry_after_s or 0))
    return delivery.state


async def leave_alone(session: AsyncSession, webhook_id: UUID, *, until: datetime | None) -> None:
    """Ask a receiver nothing until an instant, in no lane, because it said so; None ends that."""
    await session.execute(  # not through the row: how it fares is no edit of the webhook
        update(Webhook).where(Webhook.id == webhook_id).values(not_before=until)
    )


async def claim_next(
    session: AsyncSession, delivery: WebhookDelivery, *, at: datetime
) -> ClaimedDelivery | None:
    """Take what comes after a delivery that is done, in its lane; None when nothing does, or it is not laid down."""
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


async def forget(session: AsyncSession, *, before: datetime, limit: int) -> int:
    """Drop deliveries that came to their end before an instant, with their attempts; returns how many."""
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
