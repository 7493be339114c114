"""Deliveries of facts to webhooks, with their attempts."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import webhooks
from domain.core import cursor
from domain.webhooks import DeliveryState
from domain.webhooks import Webhook as WebhookRow
from domain.webhooks import WebhookAttempt as AttemptRow
from domain.webhooks import WebhookDelivery as DeliveryRow
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, among, lists, naming, visible
from schema.core.mutations import GlobalIdOf, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.types import enum, from_row, resolver
from schema.webhooks import Webhook

enum(
    DeliveryState,
    "WebhookDeliveryState",
    pending="Pending: waits for its first or next attempt.",
    delivered="Delivered: the receiver accepted it.",
    dead="Dead: given up after repeated failures.",
)

DeliveryId = Annotated[UUID, GlobalIdOf("WebhookDelivery")]
Delivery = strawberry.Parent[DeliveryRow]


@from_row(AttemptRow)
class WebhookAttempt:
    """HTTP request of a delivery, with its response."""

    at: Annotated[datetime, "Time at which the request was sent."]
    took_ms: Annotated[int, "Duration of the request, in milliseconds."]
    status: Annotated[int | None, "HTTP status of the response; null without a response."]
    excerpt: Annotated[str | None, "Start of the response body, at most 500 characters."]
    error: Annotated[str | None, "Error when there was no response; null otherwise."]


@from_row(DeliveryRow)
class WebhookDelivery(Node):
    """Delivery of one fact to one webhook."""

    kind: Annotated[str, "Kind of the fact, such as `promise.breached`."]
    state: Annotated[DeliveryState, "State of the delivery."]
    queued_at: Annotated[datetime, "Time at which the delivery was queued."]
    due_at: Annotated[
        datetime | None,
        "Time of the next attempt; null while it waits for an earlier delivery, or is done.",
    ]
    done_at: Annotated[datetime | None, "Time at which it was accepted or given up."]

    @resolver(str)
    @staticmethod
    def message_id(row: Delivery) -> str:
        """Value of the `webhook-id` header: the same for every attempt, so that receivers can detect a repeat."""
        return webhooks.message_id(row.id)

    @resolver(str)
    @staticmethod
    async def cursor(row: Delivery, info: Info) -> str:
        """Position of the fact in the ledger; `replayWebhook` after it starts with the next fact."""
        link = await info.context.hub.link_at(row.seq)
        return cursor.of_seq(info.context.secret, row.tenant_id, row.seq, link)

    webhook = to_one(Webhook, WebhookRow, "webhook_id", "Webhook that receives the delivery.")

    @resolver(list[WebhookAttempt])
    @staticmethod
    async def attempts(row: Delivery, info: Info) -> list[Any]:
        """HTTP requests of the delivery, oldest first."""
        return await info.context.children(
            AttemptRow.delivery_id, row.id, order=(AttemptRow.at, AttemptRow.id)
        )


@query_fields
class WebhookDeliveryQuery:
    """Queries of deliveries."""

    @lists(WebhookDelivery, DeliveryRow.seq, DeliveryRow.id, descending=True)
    @staticmethod
    def webhook_deliveries(
        info: Info,
        webhook_id: Annotated[strawberry.ID | None, "Only deliveries of this webhook."] = None,
        states: Annotated[
            list[DeliveryState] | None, "Only deliveries in one of these states."
        ] = None,
    ) -> Rows:
        """Deliveries sent, pending and given up, newest first; kept for 30 days."""
        query = visible(info, DeliveryRow)
        query = naming(info, query, DeliveryRow.webhook_id, "Webhook", webhook_id)
        return among(query, DeliveryRow.state, states)


@mutation_fields
class WebhookDeliveryMutation:
    """Mutations of deliveries."""

    @mutation(WebhookDelivery)
    @staticmethod
    async def retry_webhook_delivery(
        ask: MutationContext, id: Annotated[DeliveryId, "Delivery that was given up."]
    ) -> DeliveryRow:
        """Retry a webhook delivery that was given up."""
        return await webhooks.retry(ask.tx, id)
