"""Facts about webhooks."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class Added(Fact):
    """A webhook was added."""

    kind: ClassVar[str] = "webhook.added"
    subject_type: ClassVar[str | None] = "Webhook"
    owner: str


class SecretRotated(Fact):
    """Deliveries are signed with a new secret."""

    kind: ClassVar[str] = "webhook.secret_rotated"
    subject_type: ClassVar[str | None] = "Webhook"


class WebhookPaused(Fact):
    """A webhook was paused; its facts stay in the ledger until it is resumed."""

    kind: ClassVar[str] = "webhook.paused"
    subject_type: ClassVar[str | None] = "Webhook"
    reason: str


class WebhookResumed(Fact):
    """A webhook was resumed from its position."""

    kind: ClassVar[str] = "webhook.resumed"
    subject_type: ClassVar[str | None] = "Webhook"


class Disabled(Fact):
    """A webhook was ended permanently."""

    kind: ClassVar[str] = "webhook.disabled"
    subject_type: ClassVar[str | None] = "Webhook"
    reason: str


class Replayed(Fact):
    """A webhook sends everything after an earlier fact again.

    Its position before and after, as the time at which the last fact up to there was recorded; null for the beginning.
    """

    kind: ClassVar[str] = "webhook.replayed"
    subject_type: ClassVar[str | None] = "Webhook"
    recorded_at_before: datetime | None = None
    recorded_at_after: datetime | None = None


class DeliveryDied(Fact):
    """A fact was not accepted after the last attempt."""

    kind: ClassVar[str] = "webhook.delivery_died"
    subject_type: ClassVar[str | None] = "Webhook"
    delivery_id: UUID
    fact_kind: str


class DeliveryRetried(Fact):
    """A user retried a dead delivery."""

    kind: ClassVar[str] = "webhook.delivery_retried"
    subject_type: ClassVar[str | None] = "Webhook"
    delivery_id: UUID
    before: str
    after: str
