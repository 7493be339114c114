"""Webhooks: registration, secrets, pauses and replays."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol
from uuid import UUID

import strawberry

from domain import accounts, webhooks
from domain.access import Actor
from domain.catalogue import must_be_kinds
from domain.core import cursor
from domain.webhooks import EventFilter, PayloadDocument, SecretCipher, WebhookState
from domain.webhooks import Webhook as WebhookRow
from schema.accounts import Account
from schema.core.context import Context, Info
from schema.core.ids import Node
from schema.core.lists import Rows, lists, visible
from schema.core.mutations import AccountId, ApiKeyId, GlobalIdOf, MutationContext, mutation
from schema.core.relations import to_one
from schema.core.roots import mutation_fields, query_fields
from schema.core.scalars import Json
from schema.core.types import enum, from_row, input_type, resolver

enum(
    WebhookState,
    "WebhookState",
    active="Active: facts are delivered as they happen.",
    paused="Paused: nothing is delivered, and nothing is lost.",
    disabled="Disabled for good: nothing is delivered any more.",
)

WebhookId = Annotated[UUID, GlobalIdOf("Webhook")]
Row = strawberry.Parent[WebhookRow]


class WebhookDocumentCheck(Protocol):
    """Dependencies of the registration of a webhook besides the database; supplied by the API."""

    @property
    def vault(self) -> SecretCipher:
        """Return the cipher that encrypts the secrets."""
        ...

    @property
    def loopback(self) -> bool:
        """Whether webhooks may be delivered to this machine."""
        ...

    async def look(self, actor: Actor, payload: PayloadDocument) -> EventFilter:
        """Return the facts that a document selects, after validation. Raises `Refused`."""
        ...


@dataclass(frozen=True, slots=True)
class CreatedWebhook:
    """Webhook with its secret, which is None when the response is repeated."""

    row: WebhookRow
    secret: str | None


@from_row(WebhookRow)
class Webhook(Node):
    """URL to which facts are delivered, with the rights of its owner."""

    name: Annotated[str, "Name that says the purpose of the webhook."]
    url: Annotated[str, "URL to which facts are delivered."]
    owner: Annotated[
        str,
        "Owner, `key:…` or `user:…`, with the rights that decide what is sent; they are checked for each delivery.",
    ]
    kinds: Annotated[list[str] | None, "Only facts of these kinds; null for all."]
    document: Annotated[
        str | None, "GraphQL operation that renders the payload; null for the plain fact."
    ]
    state: Annotated[WebhookState, "State of the webhook: active, paused or disabled."]
    reason: Annotated[str | None, "Reason for not being active; null while active."]
    failing_since: Annotated[
        datetime | None, "Time since which every attempt failed; null while deliveries succeed."
    ]
    created_at: Annotated[datetime, "Time at which the webhook was added."]
    version: Annotated[int, "Version of the row, raised by every change."]

    @resolver(str)
    @staticmethod
    async def cursor(row: Row, info: Info) -> str:
        """Position in the ledger up to which deliveries were queued."""
        link = await info.context.hub.link_at(row.position)
        return cursor.of_seq(info.context.secret, row.tenant_id, row.position, link)

    account = to_one(
        Account,
        accounts.Account,
        "account_id",
        "Account with the facts to deliver; null for every account visible to the owner.",
    )


@from_row(CreatedWebhook)
class WebhookSecret:
    """Webhook with its signing secret."""

    secret: Annotated[
        str | None,
        (
            "Secret that signs deliveries (`whsec_…`), returned once; null when the "
            "response is repeated for the same idempotency key."
        ),
    ]

    @resolver(Webhook)
    @staticmethod
    def webhook(created: strawberry.Parent[CreatedWebhook]) -> WebhookRow:
        """Webhook, as listed by `webhooks`."""
        return created.row


@input_type
class WebhookDocument:
    """GraphQL operation that renders the payload of a delivery."""

    document: Annotated[
        str,
        (
            "Text of the operation: `subscription { accountEvents … }` or `subscription { "
            "breaches … }` with arguments that select the facts, or a query that is "
            "executed for each fact."
        ),
    ]
    operation_name: Annotated[str | None, "Name of the operation, when the text has several."] = (
        None
    )
    variables: Annotated[
        Json | None,
        (
            "Variables of the operation. A query also gets those of the fact by name: "
            "`kind`, `at`, `cursor`, `accountId`, `subjectId`, `incidentId`, `promiseId`, "
            "`creditId`."
        ),
    ] = None


@query_fields
class WebhookQuery:
    """Queries of webhooks."""

    @lists(Webhook, WebhookRow.id, descending=True)
    @staticmethod
    def webhooks(
        info: Info,
    ) -> Rows:
        """Your own webhooks, newest first; those of the whole company with the right to manage access."""
        return visible(info, WebhookRow)


@mutation_fields
class WebhookMutation:
    """Mutations of webhooks."""

    @mutation(WebhookSecret, again=lambda row: CreatedWebhook(row, None))
    @staticmethod
    async def add_webhook(
        ask: MutationContext,
        name: Annotated[str, "Name that says the purpose of the webhook."],
        url: Annotated[str, "URL of the receiver: `https://…`, on the public internet."],
        account_id: Annotated[
            AccountId | None,
            "Only facts of this account; null for every account visible to the owner.",
        ] = None,
        kinds: Annotated[list[str] | None, "Only facts of these kinds; null for all."] = None,
        document: Annotated[
            WebhookDocument | None,
            "Operation that renders the payload; a subscription also selects the facts. Null for the plain fact.",
        ] = None,
        api_key_id: Annotated[
            ApiKeyId | None, "API key that owns the webhook; null for the actor of the request."
        ] = None,
    ) -> CreatedWebhook:
        """Add a webhook: facts are delivered to its URL from now on."""
        desk = _desk(ask.ctx)
        must_be_kinds(kinds, "kinds")
        wanted, payload = EventFilter(account_id, kinds), None
        if document is not None:
            payload = PayloadDocument(
                document.document, document.operation_name, dict(document.variables or {})
            )
            wanted = (await desk.look(ask.actor, payload)).narrowed(wanted)
        row, secret = await webhooks.add(
            ask.tx,
            desk.vault,
            name=name,
            url=url,
            wanted=wanted,
            payload=payload,
            key_id=api_key_id,
            loopback=desk.loopback,
        )
        return CreatedWebhook(row, secret)

    @mutation(WebhookSecret, again=lambda row: CreatedWebhook(row, None))
    @staticmethod
    async def rotate_webhook_secret(
        ask: MutationContext, id: Annotated[WebhookId, "Webhook that gets a new secret."]
    ) -> CreatedWebhook:
        """Replace the signing secret; deliveries are also signed with the previous secret for 24 hours."""
        row, secret = await webhooks.rotate_secret(ask.tx, _desk(ask.ctx).vault, id)
        return CreatedWebhook(row, secret)

    @mutation(Webhook)
    @staticmethod
    async def pause_webhook(
        ask: MutationContext,
        id: Annotated[WebhookId, "Webhook to be paused."],
        reason: Annotated[str, "Reason for the pause, in one line."],
    ) -> WebhookRow:
        """Pause a webhook: nothing is delivered until it is resumed."""
        return await webhooks.pause(ask.tx, id, reason=reason)

    @mutation(Webhook)
    @staticmethod
    async def resume_webhook(
        ask: MutationContext, id: Annotated[WebhookId, "Webhook to be resumed."]
    ) -> WebhookRow:
        """Resume a paused webhook from its last position."""
        return await webhooks.resume(ask.tx, id)

    @mutation(Webhook)
    @staticmethod
    async def end_webhook(
        ask: MutationContext, id: Annotated[WebhookId, "Webhook to be ended."]
    ) -> WebhookRow:
        """End a webhook for good: nothing is delivered any more."""
        return await webhooks.end(ask.tx, id)

    @mutation(Webhook)
    @staticmethod
    async def replay_webhook(
        ask: MutationContext,
        id: Annotated[WebhookId, "Webhook to replay facts to."],
        after: Annotated[str, "Cursor after which every fact is delivered again, in order."],
    ) -> WebhookRow:
        """Deliver facts again, each with its original `webhook-id`."""
        await webhooks.locked(ask.tx, id)
        place = cursor.position_of(ask.ctx.secret, ask.actor.tenant_id, after)
        seq = await ask.ctx.hub.check_cursor(place)
        return await webhooks.replay(ask.tx, id, after=seq)


def _desk(ctx: Context) -> WebhookDocumentCheck:
    desk: WebhookDocumentCheck | None = ctx.desk
    if desk is None:
        raise RuntimeError("this process registers no webhooks")
    return desk
