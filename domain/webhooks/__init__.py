"""Webhooks: facts are pushed to addresses outside, signed, in order, until they are taken or given up."""

from domain.sealing import Vault
from domain.webhooks.actions import (
    Payload,
    Wanted,
    add,
    end,
    locked,
    pause,
    replay,
    resume,
    retry,
    rotate_secret,
)
from domain.webhooks.delivering import Outcome, Taken
from domain.webhooks.holding import disable, hold
from domain.webhooks.model import (
    DeliveryState,
    Webhook,
    WebhookAttempt,
    WebhookDelivery,
    WebhookSecret,
    WebhookState,
)
from domain.webhooks.reads import keys_of, owner_of, wants
from domain.webhooks.rules import message_id, secret_text

__all__ = [
    "DeliveryState",
    "Outcome",
    "Payload",
    "Taken",
    "Vault",
    "Wanted",
    "Webhook",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookSecret",
    "WebhookState",
    "add",
    "disable",
    "end",
    "hold",
    "keys_of",
    "locked",
    "message_id",
    "owner_of",
    "pause",
    "replay",
    "resume",
    "retry",
    "rotate_secret",
    "secret_text",
    "wants",
]
