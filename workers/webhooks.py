"""Webhook dispatcher: reads the ledger, keeps the order of each lane, sends, records and retries.

PostgreSQL alone holds the work: a webhook's position in the ledger, and deliveries with their due time. The
deliveries of a killed worker pass to others when their lease ends; Redis is not involved. A payload may
arrive twice under one `webhook-id`, when the worker dies between the receiver's 200 and its own commit.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

import domain.declared_access  # noqa: F401 - it adds the entries of the capabilities
from domain import webhooks
from domain.access import Actor, is_visible, visible_to
from domain.core import sequencing
from domain.core.db import Sessions, transaction
from domain.core.deferral import Subject
from domain.core.ledger import LedgerRow
from domain.core.sequencing import SequencedEvent
from domain.duties import Doer, names_of
from domain.webhooks import (
    ClaimedDelivery,
    DeliveryOutcome,
    SecretCipher,
    Webhook,
    claim_due,
    delete_finished,
    enqueue,
    hold_webhook,
    lock_claimed,
    signatures,
    webhooks_behind,
)
from realtime.changes import Changes
from workers.outbound.http_client import WebhookClient
from workers.periodic import BACKSTOP_S, WakeAlarm, WorkContext, attempt_each
from workers.webhook_results import drop, pause, write_down

log = structlog.get_logger()

EVERY_S = 0.25
LANES = 32  # processed at a time by one process …
LANES_OF_ONE = 4  # … and for one webhook, so that a slow one leaves room for the others
IN_A_ROW = 50  # deliveries of a lane in a row, before other lanes have a turn
KEPT = timedelta(days=30)


class PayloadRenderer(Protocol):
    """Renders a fact as GraphQL; provided by the caller that starts the worker, because it depends on the schema."""

    async def say(self, webhook: Webhook, actor: Actor, fact: SequencedEvent) -> bytes:
        """Return the body: the result of the webhook's document for this fact, as visible to this actor."""
        ...

    def cursor(self, fact: SequencedEvent) -> str:
        """Return the cursor of the fact, to continue from in subscriptions, in `ledger` and in a replay."""
        ...

    def ids(self, fact: SequencedEvent) -> dict[str, Any]:
        """Return `subjectId`, `accountId` and `ids`: global ids of the subject, the account and those in the body."""
        ...


@dataclass(frozen=True, slots=True)
class PreparedAttempt:
    """Everything an attempt needs, loaded before it begins."""

    url: str
    body: bytes
    keys: list[bytes]


async def keep_webhooks(work: WorkContext, voice: PayloadRenderer | None) -> None:
    """Deliver until cancelled; several workers may run this at once."""
    vault = await asyncio.to_thread(SecretCipher.of, work.settings)
    outside = WebhookClient(loopback=work.settings.webhook_loopback)
    try:
        await WebhookDispatcher(work.make, vault, outside, voice, work.changes).run()
    finally:
        await outside.close()


async def forget_deliveries(work: WorkContext, limit: int) -> int:
    """Delete deliveries that ended 30 days ago."""
    async with transaction(work.make) as session:
        return await delete_finished(session, before=datetime.now(UTC) - KEPT, limit=limit)


class WebhookDispatcher:
    """Delivers webhooks, lane by lane."""

    def __init__(
        self,
        make: Sessions,
        vault: SecretCipher,
        outside: WebhookClient,
        voice: PayloadRenderer | None,
        changes: Changes | None = None,
    ) -> None:
        self._make = make
        self._changes = changes or Changes()
        self._vault = vault
        self._outside = outside
        self._voice = voice
        self._lanes: dict[asyncio.Task[None], UUID] = {}

    async def run(self) -> None:
        """Find and deliver due webhooks until cancelled; interrupted attempts are retried when their lease ends."""
        try:
            with self._changes.waiting_for(webhooks.DUE) as waiter:
                alarm = WakeAlarm(self._make, self._changes, waiter, webhooks.DUE)
                while True:
                    waiter.begin()
                    laid = await self.lay_down_all()
                    begun = await self._begin()
                    if not laid and not begun:
                        await alarm.wait(EVERY_S, EVERY_S if self._lanes else BACKSTOP_S)
        finally:
            for lane in self._lanes:
                lane.cancel()
            await asyncio.gather(*self._lanes, return_exceptions=True)

    async def lay_down_all(self) -> int:
        """Enqueue deliveries of new facts for every webhook, a page each; return how many were enqueued."""
        async with self._make() as session:
            found = await webhooks_behind(
                session, at=datetime.now(UTC), rendering=self._voice is not None
            )
        laid: list[int] = []

        async def one(session: AsyncSession, webhook: Subject) -> None:
            laid.append(await self._lay_down(session, webhook.id))

        await attempt_each(self._make, "webhooks", found, one)
        return sum(laid)

    async def _lay_down(self, session: AsyncSession, webhook_id: UUID) -> int:
        at = datetime.now(UTC)
        webhook = await hold_webhook(session, webhook_id)
        if webhook is None:
            return 0
        actor = await webhooks.owner_of(session, webhook, at=at)
        if actor is None:
            await pause(session, webhook, "the access of its owner has ended", at)
            return 0
        return await enqueue(session, webhook, visible_to(actor, LedgerRow), at=at)

    async def _begin(self) -> int:
        """Start as many due lanes as there is room for."""
        room = LANES - len(self._lanes)
        if room <= 0:
            await asyncio.wait(self._lanes, timeout=EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            return 0
        working = Counter(self._lanes.values())
        busy = [webhook_id for webhook_id, lanes in working.items() if lanes >= LANES_OF_ONE]
        async with transaction(self._make) as session:
            taken = await claim_due(
                session,
                at=datetime.now(UTC),
                limit=min(room, LANES_OF_ONE),
                rendering=self._voice is not None,
                busy=busy,
            )
        for each in taken:
            lane = asyncio.create_task(self._work(each), name=f"webhook {each.webhook_id}")
            self._lanes[lane] = each.webhook_id
            lane.add_done_callback(self._ended)
        return len(taken)

    def _ended(self, lane: asyncio.Task[None]) -> None:
        del self._lanes[lane]
        if not lane.cancelled() and (error := lane.exception()) is not None:
            # The delivery is retried when its lease ends. A lost server or a bug must not stop the other lanes.
            log.warning("webhook.lane_fell", error=repr(error))

    async def _work(self, taken: ClaimedDelivery | None) -> None:
        for _ in range(IN_A_ROW):
            if taken is None:
                return
            taken = await self._deliver(taken)
        if taken is not None:
            await self._hand_back(taken)

    async def _deliver(self, taken: ClaimedDelivery) -> ClaimedDelivery | None:
        """Make one attempt and record it; return the next delivery of the lane if it is due now."""
        sent_at = datetime.now(UTC)
        try:
            outgoing = await self._pack(taken)
        except (OSError, DBAPIError):
            raise
        except Exception as error:  # recorded as a failed attempt; the log has the reason
            log.exception("webhook.not_packed", delivery=str(taken.delivery_id))
            outcome = DeliveryOutcome(0, error=f"it could not be said ({type(error).__name__})")
        else:
            if outgoing is None:
                return None
            outcome = await self._send(taken, outgoing, sent_at)
        async with transaction(self._make) as session:
            return await write_down(session, taken, outcome, sent_at)

    async def _pack(self, taken: ClaimedDelivery) -> PreparedAttempt | None:
        """Load the attempt as its owner may read it now; pause the webhook when its owner no longer exists."""
        at = datetime.now(UTC)
        async with transaction(self._make) as session:
            webhook = await session.get_one(Webhook, taken.webhook_id)
            actor = await webhooks.owner_of(session, webhook, at=at)
            fact = await sequencing.fact(session, taken.fact_id)
            if actor is None:
                row = await hold_webhook(session, taken.webhook_id)
                if row is not None:
                    await pause(session, row, "the access of its owner has ended", at)
                return None
            if not is_visible(actor, fact):
                outcome = DeliveryOutcome(0, error="its owner may not see this any more")
                await drop(session, taken, outcome, at)
                return None
            keys = await webhooks.keys_of(session, self._vault, webhook.id, at=at)
            doer = Doer(fact.account_id, fact.actor)
            doers = await names_of(session, actor, [doer])
        if webhook.document is None:
            return PreparedAttempt(webhook.url, self._plain(fact, doers[doer]), keys)
        if self._voice is None:
            return None
        return PreparedAttempt(webhook.url, await self._voice.say(webhook, actor, fact), keys)

    def _schema_fields(self, fact: SequencedEvent) -> dict[str, Any]:
        """Return the fields that depend on the schema: global ids and the cursor; without a schema, bare ids."""
        if self._voice is None:
            return {"subjectId": fact.subject_id, "accountId": fact.account_id}
        return {**self._voice.ids(fact), "cursor": self._voice.cursor(fact)}

    def _plain(self, fact: SequencedEvent, doer: str) -> bytes:
        payload = {
            "type": fact.kind,
            "timestamp": fact.at,
            "data": {
                "actor": doer,
                "recordedAt": fact.recorded_at,
                "body": fact.body,
                **self._schema_fields(fact),
            },
        }
        return msgspec.json.encode(payload)

    async def _send(
        self, taken: ClaimedDelivery, outgoing: PreparedAttempt, sent_at: datetime
    ) -> DeliveryOutcome:
        message_id, timestamp = webhooks.message_id(taken.delivery_id), int(sent_at.timestamp())
        return await self._outside.post(
            outgoing.url,
            outgoing.body,
            {
                "content-type": "application/json",
                "user-agent": "Waarborg",
                "accept-encoding": "identity",
                "webhook-id": message_id,
                "webhook-timestamp": str(timestamp),
                "webhook-signature": signatures(
                    outgoing.keys, message_id, timestamp, outgoing.body
                ),
            },
        )

    async def _hand_back(self, taken: ClaimedDelivery) -> None:
        """Release a claimed delivery that was not attempted, so that another worker can continue its lane."""
        async with transaction(self._make) as session:
            found = await lock_claimed(session, taken)
            if found is not None:
                _webhook, delivery = found
                delivery.attempts -= 1
                delivery.due_at = datetime.now(UTC)
