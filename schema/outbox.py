"""What the software has still to do: for those who keep it running."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import strawberry

from domain import messages
from domain.access import Right
from domain.accounts import Tenant as TenantRow
from domain.core.backlog import Backlog as BacklogRow
from domain.core.backlog import backlog
from domain.core.deferral import Deferral as DeferralRow
from domain.core.deferral import deferred
from domain.core.ledger import LedgerRow
from domain.core.outbox import Outbox as OutboxRow
from domain.core.outbox import OutboxState
from schema.accounts import Tenant
from schema.core.context import Info
from schema.core.ids import Node
from schema.core.lists import Rows, lists, visible
from schema.core.mutations import GlobalIdOf, MutationContext, mutation
from schema.core.types import enum, from_row, resolver

enum(
    OutboxState, "OutboxState",
    pending="Waits for its turn, or for its next attempt.", done="Done.", dead="Given up.",
)  # fmt: skip

Row = strawberry.Parent[OutboxRow]
OutboxId = Annotated[UUID, GlobalIdOf("Outbox")]


@from_row(OutboxRow)
class Outbox(Node):
    """One consequence of one fact, to be done once."""

    job: Annotated[str, "What is to be done, such as `send_message`."]
    state: Annotated[OutboxState, "How far it came."]
    attempts: Annotated[int, "How often it was tried."]
    due_at: Annotated[datetime, "When it is tried next."]
    done_at: Annotated[datetime | None, "When it was done."]
    error: Annotated[str | None, "Why the last attempt failed."]

    @resolver(str | None)
    @staticmethod
    async def fact(row: Row, info: Info) -> str | None:
        """The kind of fact that it follows from, such as `message.queued`."""
        found: LedgerRow | None = await info.context.loaders.fact_of_outbox.load(row.fact_id)
        return None if found is None else found.kind


@from_row(BacklogRow)
class Backlog:
    """What the software has still to do."""

    pending: Annotated[int, "What waits for its turn or its next attempt."]
    failed: Annotated[int, "Of what waits: what was tried and failed."]
    oldest_due_at: Annotated[datetime | None, "Since when the oldest of it is due."]
    dead: Annotated[int, "What was given up."]
    oldest_at: Annotated[datetime | None, "When the fact of the oldest of it was recorded."]
    oldest_s: Annotated[float, "How old that fact is, in seconds."]
    lag_s: Annotated[
        float,
        "How long the oldest of what was not tried yet waits for a worker since its fact was recorded, in seconds.",
    ]
    is_late: Annotated[bool, "Whether that is more than a minute."]


@from_row(DeferralRow)
class DeferredWork:
    """Periodic work (closing a month, an invoice, a report, …) that failed and waits for its next attempt."""

    part: Annotated[str, "Which work, such as `months`, `invoices` or `reports`."]
    attempts: Annotated[int, "How often it failed."]
    since: Annotated[datetime, "When it failed first."]
    next_try_at: Annotated[datetime, "When it is tried next."]
    error: Annotated[str, "Why it failed."]

    @resolver(strawberry.ID)
    @staticmethod
    def subject_id(row: strawberry.Parent[DeferralRow]) -> str:
        """The id of its row, such as an agreement, an incident or a report plan, as logs and `doctor` print it."""
        return str(row.subject_id)


@from_row(messages.SuppressedAddress)
class Suppression:
    """An e-mail address at which nobody is: letters are not sent there until `liftSuppression`."""

    address: Annotated[str, "The address."]
    since: Annotated[datetime, "When a letter came back."]
    error: Annotated[str | None, "What its server said; null when that was forgotten."]
    stopped: Annotated[int, "How many letters were stopped since."]


@strawberry.type(description="Asking for what is still to be done.")
class OutboxQuery:
    """Asking for what is still to be done."""

    @resolver(Backlog | None, work=100)
    @staticmethod
    async def backlog(info: Info) -> Any:
        """How much is still to be done; null for who may not operate the software."""
        actor = info.context.actor
        if not actor.may(Right.OPERATE) or actor.accounts is not None:
            return None
        async with info.context.sessions() as session:
            mine = OutboxRow.tenant_id == actor.tenant_id
            return await backlog(session, mine, at=info.context.now())

    @resolver(list[DeferredWork])
    @staticmethod
    async def deferred_work(info: Info) -> Any:
        """At most 100 pieces of periodic work that failed and wait, longest first; none for who may not operate."""
        actor = info.context.actor
        if not actor.may(Right.OPERATE) or actor.accounts is not None:
            return []
        async with info.context.sessions() as session:
            return await deferred(session, DeferralRow.tenant_id == actor.tenant_id)

    @resolver(list[Suppression])
    @staticmethod
    async def suppressed_addresses(info: Info) -> Any:
        """Addresses that get no letters, longest first; none for who may not operate the software."""
        actor = info.context.actor
        if not actor.may(Right.OPERATE) or actor.accounts is not None:
            return []
        async with info.context.sessions() as session:
            return await messages.suppressions(session, [actor.tenant_id])

    @lists(Outbox, OutboxRow.id)
    @staticmethod
    def outbox(
        info: Info,
        states: Annotated[
            list[OutboxState] | None, "Only those that came so far; unless told, what is not done."
        ] = None,
    ) -> Rows:
        """Consequences, oldest first; none for who may not operate the software."""
        wanted = states or [OutboxState.PENDING, OutboxState.DEAD]
        return visible(info, OutboxRow).where(OutboxRow.state.in_(set(wanted)))


@strawberry.type(description="Having things tried again.")
class OutboxMutation:
    """Having things tried again."""

    @mutation(Outbox)
    @staticmethod
    async def retry_consequence(
        ask: MutationContext, id: Annotated[OutboxId, "Which one."]
    ) -> OutboxRow:
        """Try a consequence now that was given up, or waits for its next attempt."""
        return await messages.retry(ask.session, ask.actor, id, at=ask.at)

    @mutation(Tenant)
    @staticmethod
    async def lift_suppression(
        ask: MutationContext, address: Annotated[str, "Which address."]
    ) -> TenantRow:
        """Send letters to an address again, because it was put right; answers the company."""
        await messages.unsuppress(ask.session, ask.actor, address, at=ask.at)
        return await ask.session.get_one(TenantRow, ask.actor.tenant_id)

    @mutation(Tenant)
    @staticmethod
    async def retry_dead_consequences(ask: MutationContext) -> TenantRow:
        """Try everything now that was given up; answers the company whose it was."""
        await messages.retry_all(ask.session, ask.actor, at=ask.at)
        return await ask.session.get_one(TenantRow, ask.actor.tenant_id)
