"""Facts about webhooks."""

from typing import ClassVar
from uuid import UUID

from domain.core.ledger import Fact


class Added(Fact):
    """Facts are pushed to an address from now on."""

    kind: ClassVar[str] = "webhook.added"
    owner: str


class SecretRotated(Fact):
    """Deliveries are signed with a new secret."""

    kind: ClassVar[str] = "webhook.secret_rotated"


class WebhookPaused(Fact):
    """Nothing is pushed until somebody resumes it; nothing is lost meanwhile."""

    kind: ClassVar[str] = "webhook.paused"
    reason: str


class WebhookResumed(Fact):
    """It goes on where it stood."""

    kind: ClassVar[str] = "webhook.resumed"


class Disabled(Fact):
    """It is over for good."""

    kind: ClassVar[str] = "webhook.disabled"
    reason: str


class Replayed(Fact):
    """Everything after an earlier fact is pushed once more."""

    kind: ClassVar[str] = "webhook.replayed"


class DeliveryDied(Fact):
    """A fact was not taken after the last attempt."""

    kind: ClassVar[str] = "webhook.delivery_died"
    delivery_id: UUID
    fact_kind: str


class DeliveryRetried(Fact):
    """Somebody had a delivery that was given up tried once more."""

    kind: ClassVar[str] = "webhook.delivery_retried"
    delivery_id: UUID
    before: str
    after: str
