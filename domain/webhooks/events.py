"""Facts about webhooks."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class WebhookFact(Fact, kw_only=True):
    """A fact about a webhook; hidden from clients when a user of the company owns the webhook."""

    subject_type: ClassVar[str | None] = "Webhook"
    internal: bool = False


class Added(WebhookFact):
    """A webhook was added."""

    kind: ClassVar[str] = "webhook.added"
    personal: ClassVar[frozenset[str]] = frozenset({"owner"})
    owner: str


class SecretRotated(WebhookFact):
    """Deliveries are signed with a new secret."""

    kind: ClassVar[str] = "webhook.secret_rotated"


class WebhookPaused(WebhookFact):
    """A webhook was paused; its facts stay in the ledger until it is resumed."""

    kind: ClassVar[str] = "webhook.paused"
    reason: str


class WebhookResumed(WebhookFact):
    """A webhook was resumed from its position."""

    kind: ClassVar[str] = "webhook.resumed"


class Disabled(WebhookFact):
    """A webhook was ended permanently."""

    kind: ClassVar[str] = "webhook.disabled"
    reason: str


class Replayed(WebhookFact):
    """A webhook sends everything after an earlier fact again.

    Its position before and after, as the time at which the last fact up to there was recorded; null for the beginning.
    """

    kind: ClassVar[str] = "webhook.replayed"
    recorded_at_before: datetime | None = None
    recorded_at_after: datetime | None = None


class DeliveryDied(WebhookFact):
    """A fact was not accepted after the last attempt."""

    kind: ClassVar[str] = "webhook.delivery_died"
    delivery_id: UUID
    fact_kind: str


class DeliveryRetried(WebhookFact):
    """A user retried a dead delivery."""

    kind: ClassVar[str] = "webhook.delivery_retried"
    delivery_id: UUID
    before: str
    after: str
