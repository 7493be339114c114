"""Webhooks: facts are sent to external addresses, signed, in order, until they are accepted or dead."""

from domain.core.encryption import SecretCipher
from domain.webhooks.actions import (
    EventFilter,
    PayloadDocument,
    add,
    end,
    locked,
    pause,
    replay,
    resume,
    retry,
    rotate_secret,
)
from domain.webhooks.deliveries import ClaimedDelivery, DeliveryOutcome
from domain.webhooks.model import (
    DeliveryState,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookSecret,
    WebhookState,
)
from domain.webhooks.pausing import end_locked, pause_locked
from domain.webhooks.reads import fact_filter, keys_of, owner_of
from domain.webhooks.rules import message_id, secret_text

__all__ = [
    "ClaimedDelivery",
    "DeliveryOutcome",
    "DeliveryState",
    "EventFilter",
    "PayloadDocument",
    "SecretCipher",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookSecret",
    "WebhookState",
    "add",
    "end",
    "end_locked",
    "fact_filter",
    "keys_of",
    "locked",
    "message_id",
    "owner_of",
    "pause",
    "pause_locked",
    "replay",
    "resume",
    "retry",
    "rotate_secret",
    "secret_text",
]
