"""Facts about webhooks."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class Added(Fact):
    """A webhook was added."""

    kind: ClassVar[str] = "webhook.added"
    owner: str


class SecretRotated(Fact):
    """Deliveries are signed with a new secret."""

    kind: ClassVar[str] = "webhook.secret_rotated"


class WebhookPaused(Fact):
    """A webhook was paused; its facts stay in the ledger until it is resumed."""

    kind: ClassVar[str] = "webhook.paused"
    reason: str


class WebhookResumed(Fact):
    """A webhook was resumed from its position."""

    kind: ClassVar[str] = "webhook.resumed"


class Disabled(Fact):
    """A webhook was ended permanently."""

    kind: ClassVar[str] = "webhook.disabled"
    reason: str


class Replayed(Fact):
    """A webhook sends everything after an earlier fact again."""

    kind: ClassVar[str] = "webhook.replayed"


class DeliveryDied(Fact):
    """A fact was not accepted after the last attempt."""

    kind: ClassVar[str] = "webhook.delivery_died"
    delivery_id: UUID
    fact_kind: str


class DeliveryRetried(Fact):
    """A user retried a dead delivery."""

    kind: ClassVar[str] = "webhook.delivery_retried"
    delivery_id: UUID
    before: str
    after: str
