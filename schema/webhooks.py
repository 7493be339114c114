"""Webhooks: where facts are pushed to, what became of each delivery, and what may be done about it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

import strawberry

from domain import webhooks
from domain.access import Actor
from domain.catalogue import must_be_kinds
from domain.core import cursor
from domain.webhooks import DeliveryState, EventFilter, PayloadDocument, SecretCipher, WebhookState
from domain.webhooks import Webhook as WebhookRow
from domain.webhooks import WebhookAttempt as AttemptRow
from domain.webhooks import WebhookDelivery as DeliveryRow
from schema.accounts import Account
from schema.core.context import Context, Info
from schema.core.ids import Node
from schema.core.lists import Rows, among, lists, naming, visible
from schema.core.mutations import AccountId, ApiKeyId, GlobalIdOf, MutationContext, mutation
from schema.core.scalars import Json
from schema.core.types import enum, from_row, input_type, resolver

enum(
    WebhookState, "WebhookState",
    active="Facts are pushed.", paused="Nothing is pushed, nothing is lost.",
    disabled="It is over for good.",
)  # fmt: skip
enum(
    DeliveryState, "WebhookDeliveryState",
    pending="It waits for its turn or for another attempt.", delivered="The receiver took it.",
    dead="It was given up.",
)  # fmt: skip

WebhookId = Annotated[UUID, GlobalIdOf("Webhook")]
DeliveryId = Annotated[UUID, GlobalIdOf("WebhookDelivery")]
Row = strawberry.Parent[WebhookRow]
Delivery = strawberry.Parent[DeliveryRow]


class WebhookDocumentCheck(Protocol):
    """What registering a webhook needs besides the database; the API hands it to every operation."""

    @property
    def vault(self) -> SecretCipher:
        """What secrets are sealed with."""
        ...

    @property
    def loopback(self) -> bool:
        """Whether webhooks may lead to this machine."""
        ...

    async def look(self, actor: Actor, payload: PayloadDocument) -> EventFilter:
        """Which facts a document is about, once the gate has let it pass. Raises `Refused`."""
        ...


@dataclass(frozen=True, slots=True)
class CreatedWebhook:
    """A webhook and, once, its secret."""

    row: WebhookRow
    secret: str | None


@from_row(AttemptRow)
class WebhookAttempt:
    """One request and what came back."""

    at: Annotated[datetime, "When it was sent."]
    took_ms: Annotated[int, "How long it took, in milliseconds."]
    status: Annotated[int | None, "The HTTP status that came back; null when none did."]
    excerpt: Annotated[str | None, "The beginning of the answer, 500 characters at most."]
    error: Annotated[str | None, "Why there is no status."]


@from_row(WebhookRow)
class Webhook(Node):
    """An address that is told of facts, in the name and under the rights of its owner."""

    name: Annotated[str, "What it is for."]
    url: Annotated[str, "Where facts are pushed to."]
    owner: Annotated[
        str, "`key:…` or `user:…`: whose rights decide what is sent, read anew each time."
    ]
    kinds: Annotated[list[str] | None, "Only these kinds of facts; null for all."]
    document: Annotated[
        str | None, "The GraphQL operation whose answer is the body; null for the plain fact."
    ]
    state: Annotated[WebhookState, "Whether facts are pushed."]
    reason: Annotated[str | None, "Why not, when they are not."]
    failing_since: Annotated[datetime | None, "Since when every attempt failed."]
    created_at: Annotated[datetime, "When it was added."]
    version: Annotated[int, "Raised by every change."]

    @resolver(str)
    @staticmethod
    async def cursor(row: Row, info: Info) -> str:
        """How far the ledger has been laid down for it."""
        link = await info.context.hub.link_at(row.position)
        return cursor.of_seq(info.context.secret, row.tenant_id, row.position, link)

    @resolver(Account | None)
    @staticmethod
    async def account(row: Row, info: Info) -> Any:
        """The client whose facts it is told; null for all that its owner reaches."""
        if row.account_id is None:
            return None
        return await info.context.loaders.account.load(row.account_id)


@from_row(DeliveryRow)
class WebhookDelivery(Node):
    """One fact for one webhook."""

    kind: Annotated[str, "What happened, such as `promise.breached`."]
    state: Annotated[DeliveryState, "How far it came."]
    queued_at: Annotated[datetime, "When it was laid down."]
    due_at: Annotated[
        datetime | None, "When it is tried; null while it waits behind another, or is done."
    ]
    done_at: Annotated[datetime | None, "When it was taken, or given up."]

    @resolver(str)
    @staticmethod
    def message_id(row: Delivery) -> str:
        """What receivers get as `webhook-id`: the same at every attempt, by which they know a repeat."""
        return webhooks.message_id(row.id)

    @resolver(str)
    @staticmethod
    async def cursor(row: Delivery, info: Info) -> str:
        """Where its fact stands; `replayWebhook` after it begins with the next."""
        link = await info.context.hub.link_at(row.seq)
        return cursor.of_seq(info.context.secret, row.tenant_id, row.seq, link)

    @resolver(Webhook | None)
    @staticmethod
    async def webhook(row: Delivery, info: Info) -> Any:
        """Where it goes."""
        return await info.context.loaders.of_type["Webhook"].load(row.webhook_id)

    @resolver(list[WebhookAttempt])
    @staticmethod
    async def attempts(row: Delivery, info: Info) -> list[Any]:
        """Every request that was made of it, oldest first."""
        return await info.context.loaders.attempts_of_delivery.load(row.id)


@from_row(CreatedWebhook)
class WebhookSecret:
    """A webhook and its secret."""

    secret: Annotated[
        str | None,
        "What deliveries are signed with (`whsec_…`), told once; null when the answer is repeated under its key.",
    ]

    @resolver(Webhook)
    @staticmethod
    def webhook(told: strawberry.Parent[CreatedWebhook]) -> WebhookRow:
        """The webhook as it is listed."""
        return told.row


@input_type
class WebhookDocument:
    """A GraphQL operation that says a fact: its answer is the body."""

    document: Annotated[
        str,
        "`subscription { accountEvents … }` or `subscription { breaches … }`, whose arguments choose the facts; or a "
        "query, which is asked for each fact.",
    ]
    operation_name: Annotated[str | None, "Which operation, when there are several."] = None
    variables: Annotated[
        Json | None,
        "Its variables. A query gets those of the fact by name: `kind`, `at`, `cursor`, `accountId`, `subjectId`, "
        "`incidentId`, `promiseId`, `creditId`.",
    ] = None


@strawberry.type
class WebhookQuery:
    """What can be asked about webhooks."""

    @lists(Webhook, WebhookRow.id, descending=True)
    @staticmethod
    def webhooks(
        info: Info,
    ) -> Rows:
        """One's own webhooks, newest first; all of the company's for who manages access."""
        return visible(info, WebhookRow)

    @lists(WebhookDelivery, DeliveryRow.seq, DeliveryRow.id, descending=True)
    @staticmethod
    def webhook_deliveries(
        info: Info,
        webhook_id: Annotated[strawberry.ID | None, "Only of this webhook."] = None,
        states: Annotated[list[DeliveryState] | None, "Only those that came so far."] = None,
    ) -> Rows:
        """What was sent, is being sent and was given up, newest first; kept for 30 days."""
        query = naming(visible(info, DeliveryRow), DeliveryRow.webhook_id, "Webhook", webhook_id)
        return among(query, DeliveryRow.state, states)


@strawberry.type
class WebhookMutation:
    """Verbs about webhooks."""

    @mutation(WebhookSecret, again=lambda row: CreatedWebhook(row, None))
    @staticmethod
    async def add_webhook(
        ask: MutationContext,
        name: Annotated[str, "What it is for."],
        url: Annotated[str, "Where to: `https://…`, on the public internet."],
        account_id: Annotated[
            AccountId | None, "Only facts of this client; null for all in reach."
        ] = None,
        kinds: Annotated[list[str] | None, "Only these kinds of facts; null for all."] = None,
        document: Annotated[
            WebhookDocument | None,
            "What to say; a subscription chooses the facts by itself. Null for the plain fact.",
        ] = None,
        api_key_id: Annotated[
            ApiKeyId | None, "The key in whose name it speaks; null for who asks."
        ] = None,
    ) -> CreatedWebhook:
        """Have facts pushed to an address from now on."""
        desk = _desk(ask.ctx)
        must_be_kinds(kinds, "kinds")
        wanted, payload = EventFilter(account_id, kinds), None
        if document is not None:
            payload = PayloadDocument(
                document.document, document.operation_name, dict(document.variables or {})
            )
            wanted = (await desk.look(ask.actor, payload)).narrowed(wanted)
        row, secret = await webhooks.add(
            ask.session, ask.actor, desk.vault, name=name, url=url, wanted=wanted, payload=payload,
            key_id=api_key_id, loopback=desk.loopback, at=ask.at,
        )  # fmt: skip
        return CreatedWebhook(row, secret)

    @mutation(WebhookSecret, again=lambda row: CreatedWebhook(row, None))
    @staticmethod
    async def rotate_webhook_secret(
        ask: MutationContext, id: Annotated[WebhookId, "The webhook."]
    ) -> CreatedWebhook:
        """Sign with a new secret; the one before signs along for 24 hours."""
        row, secret = await webhooks.rotate_secret(
            ask.session, ask.actor, _desk(ask.ctx).vault, id, at=ask.at
        )
        return CreatedWebhook(row, secret)

    @mutation(Webhook)
    @staticmethod
    async def pause_webhook(
        ask: MutationContext,
        id: Annotated[WebhookId, "The webhook."],
        reason: Annotated[str, "Why; one line."],
    ) -> WebhookRow:
        """Push nothing until it is resumed."""
        return await webhooks.pause(ask.session, ask.actor, id, reason=reason, at=ask.at)

    @mutation(Webhook)
    @staticmethod
    async def resume_webhook(
        ask: MutationContext, id: Annotated[WebhookId, "The webhook."]
    ) -> WebhookRow:
        """Go on where it stood."""
        return await webhooks.resume(ask.session, ask.actor, id, at=ask.at)

    @mutation(Webhook)
    @staticmethod
    async def end_webhook(
        ask: MutationContext, id: Annotated[WebhookId, "The webhook."]
    ) -> WebhookRow:
        """Push nothing there ever again."""
        return await webhooks.end(ask.session, ask.actor, id, at=ask.at)

    @mutation(Webhook)
    @staticmethod
    async def replay_webhook(
        ask: MutationContext,
        id: Annotated[WebhookId, "The webhook."],
        after: Annotated[str, "A cursor: everything behind it is pushed once more, in order."],
    ) -> WebhookRow:
        """Push facts once more, each under the `webhook-id` it had."""
        await webhooks.locked(ask.session, ask.actor, id)
        place = cursor.position_of(ask.ctx.secret, ask.actor.tenant_id, after)
        seq = await ask.ctx.hub.check_cursor(place)
        return await webhooks.replay(ask.session, ask.actor, id, after=seq, at=ask.at)

    @mutation(WebhookDelivery)
    @staticmethod
    async def retry_webhook_delivery(
        ask: MutationContext, id: Annotated[DeliveryId, "The delivery."]
    ) -> DeliveryRow:
        """Try a delivery that was given up once more."""
        return await webhooks.retry(ask.session, ask.actor, id, at=ask.at)


def _desk(ctx: Context) -> WebhookDocumentCheck:
    desk: WebhookDocumentCheck | None = ctx.desk
    if desk is None:
        raise RuntimeError("this process registers no webhooks")
    return desk
